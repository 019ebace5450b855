//! The fate of messages, and what failed on their way, in words.

use std::fmt;

use super::{Warning, way};

/// The fate of messages, and what failed on their way.
pub(super) fn tell(warning: &Warning, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match warning {
        Warning::Reordered { messages } => {
            write!(f, "{messages} messages came behind a newer one")
        }
        Warning::Lost { messages } => write!(f, "{messages} messages were lost"),
        Warning::Late { messages } => write!(
            f,
            "{messages} messages were still under way when the trial ended: the window was more \
             than the path could carry"
        ),
        Warning::FellSilent(silence) => write!(f, "{silence}"),
        Warning::PollsTooRare { due_bytes } => write!(
            f,
            "{due_bytes} bytes fall due between two polls and a response holds 1 MiB, so \
             clients fall ever further behind"
        ),
        Warning::FallsBehind { from_us, to_us } => write!(
            f,
            "messages came later from second to second: by {} at the median in the first, by {} \
             in the last",
            way::micros(*from_us),
            way::micros(*to_us)
        ),
        Warning::ProtocolErrors { count, first } => {
            write!(f, "{count} protocol errors")?;
            first.iter().try_for_each(|first| write!(f, ", the first: {first}"))
        }
        Warning::Duplicated { messages } => write!(f, "{messages} messages came twice"),
        Warning::Reconnects { count } => write!(f, "{count} reconnects"),
        Warning::NotBack { times } => {
            write!(f, "{times} times a client that was cut off was not back by the trial's end")
        }
        Warning::Errors { count, first } => {
            write!(f, "{count} errors")?;
            first.iter().try_for_each(|first| write!(f, ", the first: {first}"))
        }
        _ => Ok(()),
    }
}
