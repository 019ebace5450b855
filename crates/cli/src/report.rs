//! `pushbench report`: tables, charts and the page, rebuilt from a run's record.

use crate::args::ReportArgs;
use crate::exit::{Failure, Outcome};
use crate::print;

/// Rebuilds what stands beside a record.
pub(crate) fn command(args: &ReportArgs) -> Result<Outcome, Failure> {
    let path = pushbench_report::rebuild(&args.run).map_err(|error| {
        let refused = error.is_of_the_argument();
        if refused { Failure::usage(error) } else { Failure::failed(error) }
    })?;
    print(&format!("{}\n", path.display()))?;
    Ok(Outcome::Done)
}
