//! The coding of a body: what a client takes (RFC 9110 §12.5.3), and what
//! a server has applied (§8.4).

use super::field::list;

/// A coding of a body that pushbench knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ContentCoding {
    /// None.
    #[default]
    Identity,
    /// `gzip` (RFC 1952), also called `x-gzip` (RFC 9110 §8.4.1.3).
    Gzip,
}

impl ContentCoding {
    /// The coding to answer a request in whose `Accept-Encoding` is `accepted`, its fields joined by
    /// commas: gzip where the client takes it, and as gladly as none (RFC 9110 §12.5.3). A client
    /// that says nothing might take it too, and does not get it. An element with a weight that is
    /// none counts as 0.
    #[must_use]
    pub fn choose(accepted: &[u8]) -> Self {
        let (mut gzip, mut identity, mut any) = (None, None, None);
        for item in list(accepted) {
            let (coding, weight) = weighted(item);
            let place = match coding {
                b"*" => &mut any,
                _ if is_gzip(coding) => &mut gzip,
                _ if coding.eq_ignore_ascii_case(b"identity") => &mut identity,
                _ => continue,
            };
            *place = (*place).max(Some(weight));
        }
        let gzip = gzip.or(any).unwrap_or(0);
        // None is acceptable unless it is excluded, and then not preferred unless it is named.
        if gzip > 0 && gzip >= identity.unwrap_or(0) { Self::Gzip } else { Self::Identity }
    }

    /// The coding of a body by the names that its head has for it
    /// ([`ResponseHead::coding`](super::ResponseHead)); `None` where it is another one, or several.
    #[must_use]
    pub fn of(names: Option<&str>) -> Option<Self> {
        match names {
            None => Some(Self::Identity),
            Some(coding) => is_gzip(coding.as_bytes()).then_some(Self::Gzip),
        }
    }
}

fn is_gzip(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
}

/// A coding, and its weight in thousandths.
fn weighted(item: &[u8]) -> (&[u8], u16) {
    let mut parts = item.splitn(2, |&byte| byte == b';').map(<[u8]>::trim_ascii);
    let coding = parts.next().unwrap_or_default();
    let weight = parts.next().map_or(Some(1000), |weight| match weight {
        [b'q' | b'Q', b'=', value @ ..] => thousandths(value),
        _ => None,
    });
    (coding, weight.unwrap_or(0))
}

/// A weight of up to three decimals from 0 to 1 (RFC 9110 §12.4.2), times 1000.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (&whole, rest) = value.split_first()?;
    let decimals = match rest {
        [] => rest,
        [b'.', decimals @ ..] if decimals.len() <= 3 => decimals,
        _ => return None,
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let mut number = digit(whole)?;
    for at in 0..3 {
        number = number * 10 + decimals.get(at).map_or(Some(0), |&byte| digit(byte))?;
    }
    (number <= 1000).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_chosen_where_the_client_takes_it_as_gladly_as_none() {
        use ContentCoding::{Gzip, Identity};
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", Gzip),
            ("GZIP", Gzip),
            ("x-gzip;q=0.001", Gzip),
            ("deflate, *", Gzip),
            ("*;q=0.5, identity;q=0.5", Gzip),
            ("br;q=1.0, gzip; q=0.8, *;q=0.1", Gzip),
            ("gzip ;Q=1.000", Gzip),
            ("", Identity),
            ("identity", Identity),
            ("br, deflate", Identity),
            ("gzip;q=0", Identity),
            ("gzip;q=0.000, *", Identity),
            ("*;q=0", Identity),
            ("identity, gzip;q=0.5", Identity),
            ("gzip;q=2", Identity),
            ("gzip;q=1.001", Identity),
            ("gzip;q=0.5000", Identity),
            ("gzip;q=high", Identity),
            ("gzip;level=1", Identity),
            ("gzipped", Identity),
        ] {
            assert_eq!(ContentCoding::choose(accepted.as_bytes()), coding, "{accepted}");
        }
    }

    #[test]
    fn a_body_is_read_in_gzip_alone() {
        for (names, coding) in [
            (None, Some(ContentCoding::Identity)),
            (Some("Gzip"), Some(ContentCoding::Gzip)),
            (Some("x-gzip"), Some(ContentCoding::Gzip)),
            (Some("br"), None),
            (Some("gzip, gzip"), None),
        ] {
            assert_eq!(ContentCoding::of(names), coding, "{names:?}");
        }
    }
}
