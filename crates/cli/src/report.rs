//! `pushbench report`: tables, charts and the page, rebuilt from a run's record.

use anyhow::anyhow;
use pushbench_report::ReportError;

use crate::args::ReportArgs;
use crate::exit::{Failure, Outcome};
use crate::{price, print};

/// Rebuilds what stands beside a record, at other prices where those are given.
pub(crate) fn command(args: &ReportArgs) -> Result<Outcome, Failure> {
    let failed = |error: ReportError| {
        let refused = error.is_of_the_argument();
        if refused { Failure::usage(error) } else { Failure::failed(error) }
    };
    if let Some(price) = price::read(args.price.as_deref())? {
        let (folder, mut record) = pushbench_report::open(&args.run).map_err(failed)?;
        if record.advice.is_some() {
            return Err(Failure::usage(anyhow!(
                "--price: the advice of {} was decided at the prices that it had, or at none; ask \
                 again with `pushbench advise --price`",
                args.run.display()
            )));
        }
        record.price = Some(price);
        folder.save_record(&record).map_err(failed)?;
    }
    let path = pushbench_report::rebuild(&args.run).map_err(failed)?;
    print(&format!("{}\n", path.display()))?;
    Ok(Outcome::Done)
}
