//! The proxies that a scenario asks for, and those of them that are not installed here.

use anyhow::anyhow;
use pushbench_core::contender::Security;
use pushbench_core::program::Need;
use pushbench_core::proxy::Via;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_run::program;

use crate::exit::Failure;
use crate::tell;

/// Puts the ways that `flags` name in the place of the scenario's, and looks which proxies are missing:
/// one that the user has named is a failure, one that a built-in scenario lists is left out and told.
pub(crate) fn resolve(
    scenario: &mut Scenario,
    flags: &[Via],
    is_built_in: bool,
) -> Result<(), Failure> {
    scenario.via.override_with(flags);
    let ways = scenario.via.as_slice();
    let missing: Vec<(Via, Need)> =
        ways.iter().filter_map(|way| Some((*way, missing(*way)?))).collect();
    let Some((way, need)) = missing.first() else { return Ok(()) };
    if !flags.is_empty() || !is_built_in {
        return Err(Failure::usage(anyhow!("via {way}: {}", program::lacks(need))));
    }
    let there: Vec<Via> = ways.iter().copied().filter(|way| is_there(*way, &missing)).collect();
    for (way, Need { command, hint, .. }) in &missing {
        tell(format_args!("left out: via {way}, as `{command}` is not installed; {hint}"));
    }
    scenario.via = if there.is_empty() { Values::One(Via::Direct) } else { there.into() };
    Ok(())
}

fn is_there(way: Via, missing: &[(Via, Need)]) -> bool {
    missing.iter().all(|(lacking, _)| *lacking != way)
}

/// The need of a proxy that is not installed.
fn missing(way: Via) -> Option<Need> {
    program::missing(&way.proxy()?.program(Security::Clear)).cloned()
}
