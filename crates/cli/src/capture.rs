//! The privilege to capture packets, and the fallback without it.

use pushbench_run::trial;

use crate::tell;

/// Whether this process may capture; says on standard error what happens instead where not.
pub(crate) fn is_possible() -> bool {
    trial::capture_is_possible()
        .inspect_err(|error| {
            tell(format_args!(
                "{error}; falling back to what the kernel counts for each connection"
            ));
        })
        .is_ok()
}
