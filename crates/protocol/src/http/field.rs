//! The values of header fields (RFC 9110 §5).

/// The items of a comma-separated list, without the empty ones (RFC 9110 §5.6.1).
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

/// A value as text, whatever its bytes are.
pub(crate) fn lossy(value: &[u8]) -> Box<str> {
    String::from_utf8_lossy(value).into()
}

/// Digits and nothing else.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!text.is_empty()).then_some(number)
}

/// Whether a media type is `text/event-stream`, in any case and with any parameters
/// (RFC 9110 §8.3.1).
#[must_use]
pub fn is_event_stream(value: &[u8]) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    let Some((essence, rest)) = value.split_at_checked(EVENT_STREAM.len()) else { return false };
    essence[0].eq_ignore_ascii_case(&b't')
        && essence.eq_ignore_ascii_case(EVENT_STREAM)
        && matches!(rest.trim_ascii_start(), [] | [b';', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stream_is_one_with_any_parameters() {
        for (value, is) in [
            ("text/event-stream", true),
            ("Text/Event-Stream;charset=UTF-8", true),
            ("text/event-stream ; a=b", true),
            ("text/event-streams", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(is_event_stream(value.as_bytes()), is, "{value}");
        }
    }
}
