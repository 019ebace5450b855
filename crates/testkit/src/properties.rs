//! Properties that every reader of foreign bytes keeps, whatever the bytes are.
//!
//! Each is a function over an input: it panics where the property is broken. The fuzz targets in
//! `fuzz/` look for such an input, guided by coverage; a test here runs each over the corpus that
//! they start from, so that a fault once found stays found on a stable compiler.

mod base64;
mod batch;
mod chunked;
mod client_frame;
mod feed;
mod frame;
mod gzip;
mod inflate;
mod number;
mod offer;
mod profile;
mod record;
mod request;
mod response;
mod scenario;
mod schedule;
mod sse;
mod trace;
mod utf8;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A property by the name of its fuzz target, and of the folder of its corpus.
pub type Property = (&'static str, fn(&[u8]));

/// All properties, in the order of their names.
pub const PROPERTIES: [Property; 19] = [
    ("base64", base64::holds),
    ("batch", batch::holds),
    ("chunked", chunked::holds),
    ("client_frame", client_frame::holds),
    ("feed", feed::holds),
    ("frame", frame::holds),
    ("gzip", gzip::holds),
    ("inflate", inflate::holds),
    ("number", number::holds),
    ("offer", offer::holds),
    ("profile", profile::holds),
    ("record", record::holds),
    ("request", request::holds),
    ("response", response::holds),
    ("scenario", scenario::holds),
    ("schedule", schedule::holds),
    ("sse", sse::holds),
    ("trace", trace::holds),
    ("utf8", utf8::holds),
];

/// Runs the property of that name.
///
/// # Panics
///
/// Where `input` breaks it, or no property has that name.
pub fn hold(name: &str, input: &[u8]) {
    let found = PROPERTIES.iter().find(|(known, _)| *known == name);
    let (_, holds) = found.unwrap_or_else(|| panic!("no property is called `{name}`"));
    holds(input);
}

/// The outcome of reading `input`, which is the same in whatever pieces it arrives.
fn however_cut<T: Debug + PartialEq>(input: &[u8], read: impl Fn(&[&[u8]]) -> T) -> T {
    let whole = read(&[input]);
    for step in [1, 2, 5, 1 + input.len() / 2] {
        let pieces: Vec<&[u8]> = input.chunks(step).collect();
        assert_eq!(read(&pieces), whole, "in pieces of {step} bytes");
    }
    whole
}

/// Holds that a value written as JSON is read as the same value.
fn survives_json<T: Debug + PartialEq + Serialize + DeserializeOwned>(value: &T) {
    let json = serde_json::to_string(value).expect("whatever was read can be written");
    let read: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(&read, value, "{json}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "in pieces of 1 bytes")]
    fn a_reader_whose_outcome_depends_on_the_cut_is_found() {
        however_cut(b"ab", |pieces| pieces.len());
    }
}
