//! Consent to what somebody else's file has this machine do.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::anyhow;

use crate::exit::Failure;
use crate::tell;

/// Goes on where the user trusts the file `shown`, or says so at the terminal, having seen the `lines` of what
/// it `does`.
///
/// # Errors
///
/// [`Failure::Usage`], where there is no consent.
pub(crate) fn ask(shown: &str, lines: &str, does: &str, trust: bool) -> Result<(), Failure> {
    if trust {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(anyhow!("{shown} {does}; --trust says that it may:\n{lines}")));
    }
    tell(format_args!("{shown} {does}, as you:\n{lines}\nMay it? Type yes:"));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(Failure::usage(anyhow!("nothing was run of {shown}")))
}
