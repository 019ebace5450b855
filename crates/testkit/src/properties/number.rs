//! The number of a message.

use std::fmt;

use pushbench_core::Seq;
use pushbench_core::feed::number::{MAX_NUMBER, NumberError, NumberReader};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::however_cut;

/// A number is one from 1 to 2⁶³ − 1, and of a JSON object it is the first member's, as another
/// reader has it.
pub(super) fn holds(input: &[u8]) {
    let number = however_cut(input, read);
    assert_eq!(NumberReader::read(input).ok(), number.ok());
    if let Ok(Seq(number)) = number {
        assert!((1..=MAX_NUMBER).contains(&number), "{number}");
    }
    if let Ok(First(value)) = serde_json::from_slice(input) {
        assert_eq!(number.ok(), value.as_ref().and_then(counted));
    }
}

fn read(pieces: &[&[u8]]) -> Result<Seq, NumberError> {
    let mut reader = NumberReader::default();
    pieces.iter().for_each(|piece| reader.push(piece));
    reader.finish()
}

/// The number that a JSON value stands for.
fn counted(value: &Value) -> Option<Seq> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()?
        }
        _ => return None,
    };
    (1..=MAX_NUMBER).contains(&number).then_some(Seq(number))
}

/// The value of a JSON object's first member.
struct First(Option<Value>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = First;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<First, A::Error> {
                let first = map.next_entry::<String, Value>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(First(first.map(|(_, value)| value)))
            }
        }
        reader.deserialize_map(Members)
    }
}
