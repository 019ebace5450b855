//! How long a server that refuses asks to be left alone.

use std::time::{Duration, SystemTime};

use httparse::Header;

/// How long a server asks to be left alone (`Retry-After`, RFC 9110 §10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// That long from now.
    Delay(Duration),
    /// Until then, by the clock of a server that does not say what time it has.
    Date(SystemTime),
}

impl RetryAfter {
    /// How long that is where it is `now`.
    #[must_use]
    pub fn from(self, now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::Date(date) => date.duration_since(now).unwrap_or_default(),
        }
    }
}

/// The wait that a response with this status and these headers asks for. A date is
/// compared with the response's own, so that the clocks of both sides need not agree.
#[cold]
pub(super) fn retry_after(status: u16, headers: &[Header<'_>]) -> Option<RetryAfter> {
    let refuses = status >= 300 && status != 304;
    let value = text(headers.iter().filter(|_| refuses), "retry-after")?;
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that no number holds are a very long time.
        let seconds = value.parse().unwrap_or(u64::from(u32::MAX));
        return Some(RetryAfter::Delay(Duration::from_secs(seconds.min(u32::MAX.into()))));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let said = text(headers.iter(), "date").and_then(|date| httpdate::parse_http_date(date).ok());
    Some(said.map_or(RetryAfter::Date(date), |said| {
        RetryAfter::Delay(date.duration_since(said).unwrap_or_default())
    }))
}

/// The value of the field `name`; `None` where it is empty or no text.
fn text<'h>(headers: impl Iterator<Item = &'h Header<'h>>, name: &str) -> Option<&'h str> {
    let mut named = headers.filter(|header| header.name.eq_ignore_ascii_case(name));
    let value = std::str::from_utf8(named.next()?.value).ok()?.trim();
    Some(value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(fields: &[(&str, &str)]) -> Option<RetryAfter> {
        let header = |&(name, value)| Header { name, value: str::as_bytes(value) };
        retry_after(503, &fields.iter().map(header).collect::<Vec<_>>())
    }

    fn seconds(n: u64) -> Option<RetryAfter> {
        Some(RetryAfter::Delay(Duration::from_secs(n)))
    }

    /// RFC 9110 §10.2.3, and the three forms of a date of §5.6.7.
    #[test]
    fn a_wait_is_a_number_of_seconds_or_a_date() {
        assert_eq!(after(&[("retry-After", " 120 ")]), seconds(120));
        assert_eq!(after(&[("Retry-After", "0")]), seconds(0));
        let long = "9".repeat(40);
        assert_eq!(after(&[("Retry-After", &long)]), seconds(u32::MAX.into()));
        for nonsense in ["", "soon", "-1", "1.5", "+3"] {
            assert_eq!(after(&[("Retry-After", nonsense)]), None, "{nonsense}");
        }
        let date = ("Date", "Sun, 06 Nov 1994 08:49:07 GMT");
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(after(&[date, ("Retry-After", form)]), seconds(30), "{form}");
            let alone = after(&[("Retry-After", form)]).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_767);
            assert_eq!(alone.from(at), Duration::from_secs(10), "{form}");
            assert_eq!(alone.from(at + Duration::from_secs(11)), Duration::ZERO, "{form}");
        }
    }

    #[test]
    fn an_answer_that_does_not_refuse_asks_for_no_wait() {
        let header = [Header { name: "Retry-After", value: b"9" }];
        for (status, asks) in [(200, false), (204, false), (304, false), (301, true), (429, true)] {
            assert_eq!(retry_after(status, &header).is_some(), asks, "{status}");
        }
    }
}
