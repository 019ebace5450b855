//! The value of `Sec-WebSocket-Extensions` (RFC 6455 §9.1), and the parameters of permessage-deflate
//! in it (RFC 7692 §7.1).

use thiserror::Error;

use crate::Malformed;

/// The name of the extension.
pub(super) const NAME: &str = "permessage-deflate";
/// The server's messages do not refer to those before them (§7.1.1.1).
pub(super) const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
/// The client's do not (§7.1.1.2).
pub(super) const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
/// The server's window (§7.1.2.1).
pub(super) const SERVER_WINDOW: &str = "server_max_window_bits";
/// The client's (§7.1.2.2).
pub(super) const CLIENT_WINDOW: &str = "client_max_window_bits";

/// An answer to an offer of permessage-deflate for which a client must fail the connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExtensionError {
    /// The value breaks its grammar.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Another extension, or this one twice.
    #[error("it uses the extension `{0}`, which was not offered")]
    NotOffered(String),
    /// A parameter that it must not have, or must have and has not.
    #[error("its extension permessage-deflate: {name} {fault} (RFC 7692 §7.1)")]
    Parameter {
        /// The parameter.
        name: String,
        /// Its fault.
        fault: &'static str,
    },
}

pub(super) fn fault(name: &str, fault: &'static str) -> ExtensionError {
    ExtensionError::Parameter { name: name.to_owned(), fault }
}

/// An extension, and its parameters with their values, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) name: String,
    pub(super) parameters: Vec<(String, Option<String>)>,
}

/// Reads the extensions of a value; several fields of one name are one value, joined by commas.
pub(super) fn extensions(value: &str) -> Result<Vec<Extension>, Malformed> {
    let mut scanner = Scanner(value.as_bytes());
    let mut found = Vec::new();
    loop {
        // A list may have empty elements (RFC 9110 §5.6.1.2).
        while scanner.takes(b',') {}
        if scanner.0.is_empty() {
            return Ok(found);
        }
        found.push(scanner.extension()?);
        if !scanner.0.is_empty() && !scanner.takes(b',') {
            return Err(malformed("something else than a comma comes behind an extension"));
        }
    }
}

struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn extension(&mut self) -> Result<Extension, Malformed> {
        let (name, mut parameters) = (self.token()?, Vec::new());
        while self.takes(b';') {
            let name = self.token()?;
            let value = if self.takes(b'=') { Some(self.value()?) } else { None };
            parameters.push((name, value));
        }
        Ok(Extension { name, parameters })
    }

    /// Takes a byte, and white space around it.
    fn takes(&mut self, byte: u8) -> bool {
        self.0 = self.0.trim_ascii_start();
        let Some(rest) = self.0.strip_prefix(&[byte]) else { return false };
        self.0 = rest.trim_ascii_start();
        true
    }

    fn token(&mut self) -> Result<String, Malformed> {
        self.0 = self.0.trim_ascii_start();
        let end = self.0.iter().position(|&byte| !is_token(byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest.trim_ascii_start();
        read_token(token)
    }

    /// A token, as it is or as a quoted string.
    fn value(&mut self) -> Result<String, Malformed> {
        if !self.takes(b'"') {
            return self.token();
        }
        let mut text = Vec::new();
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            match byte {
                b'"' => {
                    self.0 = rest.trim_ascii_start();
                    return read_token(&text);
                }
                b'\\' => {
                    let (&escaped, rest) = rest.split_first().ok_or_else(open_string)?;
                    text.push(escaped);
                    self.0 = rest;
                }
                _ => text.push(byte),
            }
        }
        Err(open_string())
    }
}

fn read_token(bytes: &[u8]) -> Result<String, Malformed> {
    if bytes.is_empty() || !bytes.iter().copied().all(is_token) {
        return Err(malformed("a name or a value is no token"));
    }
    Ok(bytes.iter().copied().map(char::from).collect())
}

/// RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

const fn open_string() -> Malformed {
    malformed("a quoted string has no end")
}

const fn malformed(fault: &'static str) -> Malformed {
    Malformed { what: "Sec-WebSocket-Extensions breaks RFC 6455 §9.1", fault }
}

/// The parameters of permessage-deflate in an offer or in its answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) server_no_takeover: bool,
    pub(super) client_no_takeover: bool,
    /// 8 to 15.
    pub(super) server_window: Option<u8>,
    /// 8 to 15, or none in an offer that only says that the client knows the parameter.
    pub(super) client_window: Option<Option<u8>>,
}

impl Parameters {
    /// Reads parameters, each defined, given once, and with a value that it may have.
    pub(super) fn of(given: &[(String, Option<String>)]) -> Result<Self, ExtensionError> {
        let mut all = Self::default();
        for (at, (name, value)) in given.iter().enumerate() {
            if given[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(fault(name, "is given twice"));
            }
            let value = value.as_deref();
            match name.as_str() {
                SERVER_NO_TAKEOVER => all.server_no_takeover = flag(name, value)?,
                CLIENT_NO_TAKEOVER => all.client_no_takeover = flag(name, value)?,
                SERVER_WINDOW => {
                    let value = value.ok_or_else(|| fault(name, "has no value"))?;
                    all.server_window = Some(bits(name, value)?);
                }
                CLIENT_WINDOW => {
                    all.client_window = Some(value.map(|value| bits(name, value)).transpose()?);
                }
                _ => return Err(fault(name, "is not defined")),
            }
        }
        Ok(all)
    }
}

fn flag(name: &str, value: Option<&str>) -> Result<bool, ExtensionError> {
    value.map_or(Ok(true), |_| Err(fault(name, "has a value")))
}

/// A decimal number from 8 to 15 without zeros before it.
fn bits(name: &str, value: &str) -> Result<u8, ExtensionError> {
    let number: Option<u8> = value.parse().ok();
    number
        .filter(|number| (8..=15).contains(number) && number.to_string() == value)
        .ok_or_else(|| fault(name, "is not a number from 8 to 15"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &str) -> Result<Vec<String>, Malformed> {
        let show = |extension: Extension| {
            let shown = extension.parameters.iter().map(|(name, value)| {
                value.as_ref().map_or(format!(";{name}"), |value| format!(";{name}={value}"))
            });
            extension.name.clone() + &shown.collect::<String>()
        };
        extensions(value).map(|found| found.into_iter().map(show).collect())
    }

    #[test]
    fn extensions_are_told_apart_however_they_are_written() {
        for (value, expected) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a;b=1,c", &["a;b=1", "c"]),
            (" a ; b = 1 ;d\t,, c ,", &["a;b=1;d", "c"]),
            (r#"a;b="10";c="\1\5", d"#, &["a;b=10;c=15", "d"]),
        ] {
            assert_eq!(names(value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn a_value_that_breaks_the_grammar_is_refused() {
        for value in
            ["a b", "a;", "a;;b", ";a", "a;b=", "a;b=\"", "a;b=\"1,2\"", "a;b=\"\\", "a;b=ä"]
        {
            assert!(names(value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_parameter_is_refused_that_is_unknown_repeated_or_out_of_range() {
        for (value, part) in [
            ("x;server_max_window_bits", "server_max_window_bits has no value"),
            ("x;server_max_window_bits=7", "server_max_window_bits is not a number from 8 to 15"),
            ("x;server_max_window_bits=16", "not a number"),
            ("x;client_max_window_bits=08", "not a number"),
            ("x;client_max_window_bits=+9", "not a number"),
            ("x;client_max_window_bits=nine", "not a number"),
            ("x;server_no_context_takeover=1", "server_no_context_takeover has a value"),
            ("x;client_no_context_takeover=\"true\"", "has a value"),
            ("x;client_max_window_bits;client_max_window_bits=9", "is given twice"),
            ("x;mux=1", "mux is not defined"),
        ] {
            let extension = extensions(value).unwrap().remove(0);
            let error = Parameters::of(&extension.parameters).unwrap_err().to_string();
            assert!(error.contains(part), "{value}: {error}");
        }
    }
}
