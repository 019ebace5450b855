//! Limits of the numbers in a record, whoever wrote it.
//!
//! A record holds some hundred kinds of counts and figures, which are added up, divided, put into
//! words and drawn. One look at all of them, before anything is built of them, holds each to what
//! can have been measured, so that nothing behind has to think of a count of 2⁶⁴ − 1 or a latency
//! of 10³⁰⁸ µs.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The most that all counts of a record come to. No sum of some of them can be more, so that none
/// overflows.
const MOST_COUNTED: u64 = i64::MAX.unsigned_abs();

/// The latest instant and the longest time in nanoseconds: 146 years. They are not added up.
const MOST_NANOS: u64 = 1 << 62;

/// The largest figure: ages of a day, squared, of a million clients are below 10¹⁶ s².
const MOST_FIGURE: f64 = 1e18;

/// The most bytes of a text: an encoded histogram is the longest.
const MOST_TEXT: usize = 1 << 20;

/// Members that count nothing: any bits will do for a seed, and no limit is the largest number.
const UNBOUNDED: [&str; 3] = ["seed", "open_files_soft", "open_files_hard"];

/// Members that are instants of the monotonic clock.
const INSTANTS: [&str; 3] = ["start", "end", "closing"];

/// Looks at each number of a record of any shape.
///
/// # Errors
///
/// The first number that cannot have been measured, or what is no record's syntax.
pub fn check<'de, D: Deserializer<'de>>(reader: D) -> Result<(), D::Error> {
    let mut counted = 0;
    Look { counted: &mut counted, kind: Kind::Count }.deserialize(reader)
}

/// The meaning of an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Nanos,
    Unbounded,
}

impl Kind {
    fn of(member: &str) -> Self {
        if UNBOUNDED.contains(&member) {
            return Self::Unbounded;
        }
        if INSTANTS.contains(&member) || member.ends_with("_ns") {
            return Self::Nanos;
        }
        Self::Count
    }
}

struct Look<'a> {
    /// The sum of the counts so far.
    counted: &'a mut u64,
    kind: Kind,
}

impl Look<'_> {
    fn integer<E: Error>(self, number: u64) -> Result<(), E> {
        let fits = match self.kind {
            Kind::Unbounded => true,
            Kind::Nanos => number <= MOST_NANOS,
            Kind::Count => {
                *self.counted = self.counted.saturating_add(number);
                *self.counted <= MOST_COUNTED
            }
        };
        if fits { Ok(()) } else { Err(E::custom(format!("{number} is more than can be counted"))) }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a record")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.integer(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.integer(number.unsigned_abs())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if self.kind == Kind::Unbounded || number.abs() <= MOST_FIGURE {
            return Ok(());
        }
        Err(E::custom(format!("{number:?} is beyond any figure that can be measured")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.len() <= MOST_TEXT {
            return Ok(());
        }
        Err(E::custom(format!("a text of {} bytes is longer than any that is kept", text.len())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { counted, kind } = self;
        while list.next_element_seed(Look { counted: &mut *counted, kind })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let counted = self.counted;
        while let Some(kind) = members.next_key_seed(Member)? {
            members.next_value_seed(Look { counted: &mut *counted, kind })?;
        }
        Ok(())
    }
}

/// A member's name, which says what its numbers are.
struct Member;

impl<'de> DeserializeSeed<'de> for Member {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Kind, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Member {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Kind, E> {
        Ok(Kind::of(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> Option<String> {
        let mut reader = serde_json::Deserializer::from_str(json);
        check(&mut reader).and_then(|()| reader.end()).err().map(|error| error.to_string())
    }

    #[test]
    fn what_a_record_holds_passes() {
        for json in [
            r#"{"a":[1,-2,0.5,null,true,"x",{"b":1e17}],"c":{}}"#,
            r#"{"seed":18446744073709551615,"open_files_hard":18446744073709551615}"#,
            r#"{"start":4611686018427387904,"end":4611686018427387904,"observed_ns":1,"x":9}"#,
        ] {
            assert_eq!(problem(json), None, "{json}");
        }
    }

    #[test]
    fn what_nobody_measured_is_refused_at_its_place() {
        let text = format!(r#"{{"a":"{}"}}"#, "x".repeat(MOST_TEXT + 1));
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for (json, part) in [
            (r#"{"lost":18446744073709551615}"#, "18446744073709551615 is more than can be"),
            ("{\n\"a\":[9223372036854775807,\n1]}", "1 is more than can be counted at line 3"),
            (r#"{"max_ns":18446744073709551615}"#, "more than can be counted"),
            (r#"{"us":1e308}"#, "1e308 is beyond any figure"),
            (r#"{"us":-1e19}"#, "-1e19 is beyond"),
            (r#"{"us":36893488147419103232}"#, "beyond any figure"),
            (r#"{"us":1e999}"#, "number out of range"),
            (r#"{"us":NaN}"#, "expected value"),
            (&text, "longer than any"),
            (&deep, "recursion limit"),
        ] {
            let found = problem(json).unwrap_or_default();
            assert!(found.contains(part), "{json:.60}: {found}");
        }
    }
}
