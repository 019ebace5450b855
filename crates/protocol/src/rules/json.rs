//! A value in a JSON text, found by a pointer (RFC 6901) and handed out as it is written: no number
//! goes through a type that may not hold it. Nothing is kept, and nothing before the value is looked
//! at more closely than is needed to pass over it.

use std::borrow::Cow;

/// A value without members, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar<'a> {
    /// The inside of its quotes, escapes included.
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Bare(&'a [u8]),
}

impl<'a> Scalar<'a> {
    /// The value as a text: of a string without its escapes.
    pub(super) fn text(self) -> Cow<'a, [u8]> {
        match self {
            Self::Text(raw) => unescaped(raw),
            Self::Bare(raw) => Cow::Borrowed(raw),
        }
    }

    /// As it is written, without quotes.
    pub(super) const fn raw(self) -> &'a [u8] {
        match self {
            Self::Text(raw) | Self::Bare(raw) => raw,
        }
    }
}

/// The value at the end of `steps`; of several members of one name, the first.
pub(super) fn find<'a>(json: &'a [u8], steps: &[String]) -> Option<Scalar<'a>> {
    let mut at = blanks(json, 0);
    for step in steps {
        at = match json.get(at)? {
            b'{' => member(json, at + 1, step)?,
            b'[' => element(json, at + 1, step)?,
            _ => return None,
        };
    }
    let end = skip(json, at)?;
    let raw = &json[at..end];
    match raw.first()? {
        b'"' => Some(Scalar::Text(&raw[1..raw.len() - 1])),
        b'{' | b'[' => None,
        _ => Some(Scalar::Bare(raw)),
    }
}

/// Where the value of a member begins, in an object whose inside begins at `at`.
fn member(json: &[u8], at: usize, name: &str) -> Option<usize> {
    let mut at = blanks(json, at);
    loop {
        if json.get(at) != Some(&b'"') {
            return None;
        }
        let end = skip(json, at)?;
        let found = *unescaped(&json[at + 1..end - 1]) == *name.as_bytes();
        at = blanks(json, end);
        if json.get(at) != Some(&b':') {
            return None;
        }
        at = blanks(json, at + 1);
        if found {
            return Some(at);
        }
        at = next(json, at)?;
    }
}

/// Where an element begins, in an array whose inside begins at `at`. Numbers have no leading zeros
/// (RFC 6901 §4).
fn element(json: &[u8], at: usize, index: &str) -> Option<usize> {
    let is_number = index.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || (index.starts_with('0') && index.len() > 1) {
        return None;
    }
    let index: usize = index.parse().ok()?;
    let mut at = blanks(json, at);
    if json.get(at) == Some(&b']') {
        return None;
    }
    for _ in 0..index {
        at = next(json, at)?;
    }
    Some(at)
}

/// Where what follows the value at `at` begins; `None` where nothing does.
fn next(json: &[u8], at: usize) -> Option<usize> {
    let at = blanks(json, skip(json, at)?);
    (json.get(at) == Some(&b',')).then(|| blanks(json, at + 1))
}

/// The end of the value at `at`.
fn skip(json: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = at;
    loop {
        match json.get(at)? {
            b'"' => at = string_end(json, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ if depth > 0 => at += 1,
            _ => {
                let bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let length = json[at..].iter().take_while(|byte| bare(byte)).count();
                return (length > 0).then_some(at + length);
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The end of the string whose first quote is at `at`.
fn string_end(json: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn blanks(json: &[u8], at: usize) -> usize {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at + json.get(at..).unwrap_or_default().iter().take_while(blank).count()
}

/// A string without its escapes (RFC 8259 §7). One that is malformed stays as it is.
fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    unescape(raw).map_or(Cow::Borrowed(raw), Cow::Owned)
}

fn unescape(raw: &[u8]) -> Option<Vec<u8>> {
    let (mut text, mut at) = (Vec::with_capacity(raw.len()), 0);
    while let Some(&byte) = raw.get(at) {
        at += 1;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let escaped = *raw.get(at)?;
        at += 1;
        match escaped {
            b'"' | b'\\' | b'/' => text.push(escaped),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                let (letter, length) = unicode(raw.get(at..)?)?;
                text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
            }
            _ => return None,
        }
    }
    Some(text)
}

/// The letter of a `\u` escape whose digits begin `raw`, and how many bytes it takes: two escapes
/// where it is outside the basic plane.
fn unicode(raw: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(raw.get(at..at + 4)?).ok()?;
        digits.bytes().all(|it| it.is_ascii_hexdigit()).then_some(())?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let Some(letter) = char::from_u32(u32::from(first)) {
        return Some((letter, 4));
    }
    if raw.get(4..6)? != b"\\u" {
        return None;
    }
    let letter = char::decode_utf16([first, unit(6)?]).next()?.ok()?;
    Some((letter, 10))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn found(json: &str, pointer: &str) -> Option<String> {
        let steps = pointer.parse::<pushbench_core::rules::Pointer>().unwrap();
        let found = find(json.as_bytes(), steps.steps())?;
        Some(String::from_utf8(found.text().into_owned()).unwrap())
    }

    #[test]
    fn a_value_is_found_where_the_pointer_leads_and_as_it_is_written() {
        let json = r#" {"a/b":[0,{"n":18446744073709551615}],"m~n":"x\u00e9\ud83d\ude00\n",
            "":1.50e3,"s":"{\"n\":[5]}","deep":{"n":null},"e":[],"k\"":[-1 , true]} "#;
        let cases = [
            ("/a~1b/1/n", Some("18446744073709551615")),
            ("/m~0n", Some("xé😀\n")),
            ("/", Some("1.50e3")),
            ("/s", Some("{\"n\":[5]}")),
            ("/deep/n", Some("null")),
            ("/k\"/1", Some("true")),
            ("/k\"/0", Some("-1")),
            ("/n", None),
            ("/a~1b", None),
            ("/a~1b/01", None),
            ("/a~1b/2", None),
            ("/a~1b/-", None),
            ("/e/0", None),
            ("/s/n", None),
        ];
        for (pointer, expected) in cases {
            assert_eq!(found(json, pointer).as_deref(), expected, "{pointer}");
        }
        assert_eq!(found("9007199254740993", "").as_deref(), Some("9007199254740993"));
    }

    #[test]
    fn what_is_cut_or_no_json_has_no_value() {
        for json in ["", "{", "{\"n\"", "{\"n\":", "{\"n\":\"5", "[1,", "{n:5}", "{\"n\" 5}", "]"] {
            assert_eq!(found(json, "/n"), None, "{json}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a/~\"\\\\é]{0,3}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// All pointers to values without members.
    fn leaves(value: &Value, way: &str, out: &mut Vec<(String, String)>) {
        let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, item)| leaves(item, &format!("{way}/{at}"), out)),
            Value::Object(members) => members
                .iter()
                .for_each(|(name, item)| leaves(item, &format!("{way}/{}", escape(name)), out)),
            Value::String(text) => out.push((way.to_owned(), text.clone())),
            other => out.push((way.to_owned(), other.to_string())),
        }
    }

    proptest! {
        #[test]
        fn each_value_of_a_text_is_found_as_serde_json_has_it(value in values(), pretty: bool) {
            let json = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let mut expected = Vec::new();
            leaves(&value, "", &mut expected);
            for (pointer, text) in expected {
                prop_assert_eq!(found(&json, &pointer), Some(text), "{} in {}", pointer, json);
            }
        }

        #[test]
        fn no_text_breaks_it(json: Vec<u8>, steps: Vec<String>) {
            let _ = find(&json, &steps);
        }
    }
}
