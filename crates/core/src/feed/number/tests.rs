use std::fmt;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::*;

/// The number of a payload that arrives in pieces of `step` bytes.
fn read(payload: &[u8], step: usize) -> Result<u64, NumberError> {
    let mut reader = NumberReader::default();
    payload.chunks(step.max(1)).for_each(|piece| reader.push(piece));
    reader.finish().map(|seq| seq.0)
}

/// The first member's value as serde_json reads it: an independent reader.
struct First(Option<Value>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
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
        deserializer.deserialize_map(Members)
    }
}

/// The number by what serde_json reads.
fn expected(json: &str) -> Option<u64> {
    let number = match serde_json::from_str::<First>(json).unwrap().0? {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()?
        }
        _ => return None,
    };
    (1..=MAX_NUMBER).contains(&number).then_some(number)
}

fn blank() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (0_u64..1000).prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        "[1-9][0-9]{0,25}",
        "[0-9]{1,4}[eE.][0-9]{1,2}"
            .prop_filter("JSON has it", |text| { serde_json::from_str::<Value>(text).is_ok() }),
        "\"[0-9]{0,25}\"",
        "\"\\\\u003[0-9][0-9]{0,3}\"",
        ".{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        prop::sample::select(vec!["null", "true", "false", "[1]", "{\"n\":1}", "[]", "{}", "-0"])
            .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn the_first_member_of_any_object_is_read_as_serde_json_reads_it(
        name in ".{0,40}",
        value in value(),
        (a, b, c, d, e) in (blank(), blank(), blank(), blank(), blank()),
        more: bool,
        step in 1_usize..40,
    ) {
        let name = serde_json::to_string(&name).unwrap();
        let rest = if more { ",\"other\":[\"}\",{}] " } else { "" };
        let json = format!("{a}{{{b}{name}{c}:{d}{value}{e}{rest}}}");
        prop_assert_eq!(read(json.as_bytes(), step).ok(), expected(&json), "{}", json);
    }

    #[test]
    fn pieces_change_nothing_and_nothing_panics(
        payload in prop::collection::vec(
            prop_oneof![prop::sample::select(b"{}\":,\\u0039 -.e\n".to_vec()), any::<u8>()], 0..60,
        ),
        step in 1_usize..20,
    ) {
        prop_assert_eq!(read(&payload, step), read(&payload, payload.len()));
    }

    #[test]
    fn ten_digits_are_the_number_whatever_follows(
        number in 1_u64..10_000_000_000, rest in prop::collection::vec(any::<u8>(), 0..30),
        step in 1_usize..40,
    ) {
        let payload = [&Seq(number).digits()[..], &rest].concat();
        prop_assert_eq!(read(&payload, step), Ok(number));
    }
}

#[test]
fn digits_and_strings_of_digits_are_numbers_with_zeros_before_them_or_not() {
    let cases: [(&str, u64); 9] = [
        ("{\"n\":5}", 5),
        ("{\"seq\":\"0000000007\"}", 7),
        ("{\"seq\":\"00000000071\"}", 71),
        ("{\"\":007,", 7),
        (" \n{ \"a \\\" : 9\" : \"000012\" , \"b\":1}", 12),
        ("{\"n\":9223372036854775807}", MAX_NUMBER),
        ("{\"n\":\"00009223372036854775807\"}", MAX_NUMBER),
        ("{\"n\":\"\\u0031\\u00305\"}", 105),
        ("{\"n\":1 trailing", 1),
    ];
    for (payload, number) in cases {
        for step in 1..=payload.len() {
            assert_eq!(read(payload.as_bytes(), step), Ok(number), "{payload} by {step}");
        }
    }
}

#[test]
fn what_is_no_number_is_named() {
    let cases: [(&str, NumberError); 24] = [
        ("", NumberError::Empty),
        ("hello", NumberError::Form),
        ("123456789", NumberError::Form),
        ("  0000000001", NumberError::Form),
        ("[5]", NumberError::Form),
        ("{}", NumberError::NoMember),
        ("{5:1}", NumberError::Malformed),
        ("{\"n\" 5}", NumberError::Malformed),
        ("{\"n\":5x}", NumberError::Malformed),
        ("{\"n\":+5}", NumberError::Malformed),
        ("{\"n\":5", NumberError::CutShort),
        ("{\"n", NumberError::CutShort),
        ("{\"n\":0}", NumberError::Zero),
        ("0000000000", NumberError::Zero),
        ("{\"seq\":\"0000000000\"}", NumberError::Zero),
        ("{\"n\":9223372036854775808}", NumberError::TooLarge),
        ("{\"n\":\"99999999999999999999999\"}", NumberError::TooLarge),
        ("{\"n\":-5}", NumberError::Negative),
        ("{\"n\":\"-5\"}", NumberError::Negative),
        ("{\"n\":1.0}", NumberError::Fraction),
        ("{\"n\":1e3}", NumberError::Exponent),
        ("{\"n\":\" 5\"}", NumberError::Text),
        ("{\"n\":\"\"}", NumberError::Text),
        ("{\"n\":null}", NumberError::Kind("null")),
    ];
    for (payload, error) in cases {
        for step in 1..=payload.len().max(1) {
            assert_eq!(read(payload.as_bytes(), step), Err(error), "{payload} by {step}");
        }
    }
}
