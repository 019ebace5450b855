//! The agreement on permessage-deflate (RFC 7692 §5, §7.1): offers, the server's choice, and the
//! client's check of it.

use std::fmt::Write as _;

use pushbench_core::deflate::WindowBits;

use super::extension::{
    CLIENT_NO_TAKEOVER, CLIENT_WINDOW, ExtensionError, NAME, Parameters, SERVER_NO_TAKEOVER,
    SERVER_WINDOW, extensions, fault,
};
use crate::Malformed;

/// The bounds that the messages of one side keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Side {
    /// Whether a message may refer to those before it.
    pub takeover: bool,
    /// The farthest that it may refer back.
    pub window: WindowBits,
}

/// The bounds that both sides have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Agreement {
    /// The bounds of the server's messages.
    pub server: Side,
    /// The bounds of the client's messages.
    pub client: Side,
}

/// A server's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether messages may refer to those before them, in both directions, unless a client does
    /// not want that.
    pub takeover: bool,
    /// The largest window of the server's messages.
    pub window: WindowBits,
}

/// A server's answer to the first offer that it can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The agreement.
    pub agreement: Agreement,
    /// The value of the answer's `Sec-WebSocket-Extensions`.
    pub answer: String,
}

impl Policy {
    /// The answer to `offers`, the value of a request's `Sec-WebSocket-Extensions`, its fields
    /// joined by commas; `None` where none can be taken: each is another extension, has a parameter
    /// that it must not have (§7.1), or wants a window of 256 bytes, which zlib has not.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where the value breaks its grammar: the request is refused (RFC 6455 §9.1).
    pub fn choose(self, offers: &str) -> Result<Option<Accepted>, Malformed> {
        let mut known = extensions(offers)?.into_iter().filter(|extension| extension.name == NAME);
        Ok(known.find_map(|offer| self.accept(&Parameters::of(&offer.parameters).ok()?)))
    }

    fn accept(self, offer: &Parameters) -> Option<Accepted> {
        let window = offer.server_window.map_or(Some(self.window), |most| {
            Some(WindowBits::try_from(most).ok()?.min(self.window))
        })?;
        // What a client says of its own window is a promise; the larger one bounds it too.
        let client_window = offer.client_window.flatten().map_or(WindowBits::MAX, at_least);
        let agreement = Agreement {
            server: Side { takeover: self.takeover && !offer.server_no_takeover, window },
            client: Side {
                takeover: self.takeover && !offer.client_no_takeover,
                window: client_window,
            },
        };
        let said = offer.server_window.is_some() || window < WindowBits::MAX;
        Some(Accepted { agreement, answer: answer(agreement, said) })
    }
}

/// The smallest window of zlib's that a window of `bits` fits.
fn at_least(bits: u8) -> WindowBits {
    WindowBits::try_from(bits).unwrap_or(WindowBits::MIN)
}

/// The answer that says an agreement; the server's window only where it must be `said` (§7.1.2.1).
fn answer(agreement: Agreement, said: bool) -> String {
    let mut text = String::from(NAME);
    if !agreement.server.takeover {
        text += "; ";
        text += SERVER_NO_TAKEOVER;
    }
    if !agreement.client.takeover {
        text += "; ";
        text += CLIENT_NO_TAKEOVER;
    }
    if said {
        // Writing to a String cannot fail.
        let _ = write!(text, "; {SERVER_WINDOW}={}", agreement.server.window.get());
    }
    text
}

/// A client's offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offer {
    /// The server's messages must not refer to those before them.
    pub server_no_takeover: bool,
    /// The client's will not.
    pub client_no_takeover: bool,
    /// The largest window of the server's messages; any where there is none.
    pub server_window: Option<WindowBits>,
    /// The server may bound the window of the client's messages.
    pub client_window: bool,
}

impl Offer {
    /// The offer that browsers make.
    pub const BROWSER: Self = Self {
        server_no_takeover: false,
        client_no_takeover: false,
        server_window: None,
        client_window: true,
    };

    /// The value of the request's `Sec-WebSocket-Extensions`.
    #[must_use]
    pub fn value(&self) -> String {
        let mut text = String::from(NAME);
        let flags = [
            (self.server_no_takeover, SERVER_NO_TAKEOVER),
            (self.client_no_takeover, CLIENT_NO_TAKEOVER),
            (self.client_window, CLIENT_WINDOW),
        ];
        for (_, name) in flags.iter().filter(|(given, _)| *given) {
            text += "; ";
            text += name;
        }
        if let Some(window) = self.server_window {
            // Writing to a String cannot fail.
            let _ = write!(text, "; {SERVER_WINDOW}={}", window.get());
        }
        text
    }

    /// The agreement that `answer` says, the value of the response's `Sec-WebSocket-Extensions`,
    /// its fields joined by commas; `None` where the server declines.
    ///
    /// # Errors
    ///
    /// [`ExtensionError`]: the connection must be failed (§5.1, §7.1).
    pub fn check(&self, answer: &str) -> Result<Option<Agreement>, ExtensionError> {
        let found = extensions(answer)?;
        let [extension] = found.as_slice() else {
            let Some(second) = found.get(1) else { return Ok(None) };
            let foreign = found.iter().find(|extension| extension.name != NAME);
            return Err(ExtensionError::NotOffered(foreign.unwrap_or(second).name.clone()));
        };
        if extension.name != NAME {
            return Err(ExtensionError::NotOffered(extension.name.clone()));
        }
        let given = Parameters::of(&extension.parameters)?;
        Ok(Some(Agreement { server: self.server_side(&given)?, client: self.client_side(&given)? }))
    }

    fn server_side(&self, given: &Parameters) -> Result<Side, ExtensionError> {
        if self.server_no_takeover && !given.server_no_takeover {
            return Err(fault(SERVER_NO_TAKEOVER, "was asked for and is missing"));
        }
        let window = given.server_window.map_or(WindowBits::MAX, at_least);
        if let Some(most) = self.server_window {
            if given.server_window.is_none() {
                return Err(fault(SERVER_WINDOW, "was asked for and is missing"));
            }
            if window > most {
                return Err(fault(SERVER_WINDOW, "is larger than what was asked for"));
            }
        }
        Ok(Side { takeover: !given.server_no_takeover, window })
    }

    fn client_side(&self, given: &Parameters) -> Result<Side, ExtensionError> {
        let window = match given.client_window {
            None => WindowBits::MAX,
            Some(_) if !self.client_window => return Err(fault(CLIENT_WINDOW, "was not offered")),
            Some(None) => return Err(fault(CLIENT_WINDOW, "has no value")),
            Some(Some(bits)) => WindowBits::try_from(bits)
                .map_err(|_| fault(CLIENT_WINDOW, "of 8 is smaller than zlib's windows"))?,
        };
        let takeover = !given.client_no_takeover && !self.client_no_takeover;
        Ok(Side { takeover, window })
    }
}

#[cfg(test)]
mod tests;
