//! `pushbench scenarios`: those that are built in.

use crate::args::{ScenariosArgs, ScenariosCommand};
use crate::exit::{Failure, Outcome};
use crate::{builtin, print};

/// Lists them, or prints one.
pub(crate) fn command(args: &ScenariosArgs) -> Result<Outcome, Failure> {
    match &args.command {
        Some(ScenariosCommand::Show { name }) => {
            let text = builtin::scenario(name).ok_or_else(|| builtin::unknown(name))?;
            print(text)?;
        }
        None => print(&builtin::list())?,
    }
    Ok(Outcome::Done)
}
