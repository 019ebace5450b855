//! The token that publishing by hand asks for (RFC 6750 §2.1).

use std::fmt;
use std::hint::black_box;
use std::str::FromStr;

/// The token that `POST /feed/publish` must carry as `Authorization: Bearer …`: one or more visible ASCII
/// characters, which is what a header field can carry whole.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishToken(String);

/// A text that is no token. Does not repeat it, since it may be a secret with a slip in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is empty or has blanks or other characters than visible ASCII; pass one without, such as \
     what `openssl rand -hex 16` prints, or none at all"
)]
pub struct NoToken;

impl PublishToken {
    /// Whether the value of an `Authorization` is this token; compares in a time that does not
    /// depend on where the two differ.
    pub(crate) fn is_carried_by(&self, authorization: &[u8]) -> bool {
        let Some((scheme, given)) = authorization.split_at_checked(b"Bearer ".len()) else {
            return false;
        };
        let token = self.0.as_bytes();
        let differing = given.iter().zip(token).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
        scheme.eq_ignore_ascii_case(b"Bearer ") && given.len() == token.len() && differing == 0
    }
}

impl FromStr for PublishToken {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let is_one = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_one { Ok(Self(text.to_owned())) } else { Err(NoToken) }
    }
}

impl fmt::Debug for PublishToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublishToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_must_be_the_whole_one() {
        let token: PublishToken = "secret".parse().unwrap();
        assert!(token.is_carried_by(b"Bearer secret"));
        assert!(token.is_carried_by(b"bearer secret"));
        for given in
            [&b""[..], b"Bearer", b"Bearer ", b"Bearer secre", b"Bearer secrets", b"Basic secret"]
        {
            assert!(!token.is_carried_by(given), "{given:?}");
        }
    }

    #[test]
    fn what_anybody_would_guess_or_nobody_can_send_is_no_token() {
        for text in ["", " ", "a b", "a\n", "\t", "\u{7f}", "é", "a\u{200b}"] {
            assert_eq!(text.parse::<PublishToken>(), Err(NoToken), "{text:?}");
        }
        assert!(!format!("{:?}", "secret".parse::<PublishToken>()).contains("secret"));
    }
}
