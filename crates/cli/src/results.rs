//! Results that could not be written as planned, once they have been shown.

use pushbench_report::ReportError;

use crate::exit::Failure;
use crate::tell;

/// Last words on the files of a run whose table has been printed. A missing link
/// `latest`, as on file systems that have no links, is a warning: every file is there.
///
/// # Errors
///
/// A file that could not be written.
pub(crate) fn written(outcome: Result<(), ReportError>) -> Result<(), Failure> {
    match outcome {
        Err(error @ ReportError::Latest(..)) => {
            tell(format_args!("warning: {error}"));
            Ok(())
        }
        outcome => outcome.map_err(Failure::failed),
    }
}
