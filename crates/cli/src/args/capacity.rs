//! Arguments of `pushbench capacity`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use pushbench_core::scenario::Objective;
use pushbench_core::units::Share;
use pushbench_metrics::record::capacity::Over;

use super::RunArgs;
use super::single::of_one_value;

/// `pushbench capacity`.
#[derive(Debug, Args)]
#[command(
    mut_args(of_one_value),
    // They are of one load, and refused with a hint.
    mut_arg("thresholds", |arg| arg.hide(true)),
    mut_arg("runs", |arg| arg.hide(true)),
    mut_arg("refine", |arg| arg.hide(true)),
    after_help = "Load doubles from the least until an objective is missed; then the interval between what held and
what failed is halved until it is narrow. Noise of a shared machine is no limit: a load fails with
four trials that miss, between which a lower one that held is tried again and has to be as it was,
and in the end both ends of the interval are tried again in turns. What gave out first is named;
where that is the load generator or a limit of this system, the capacity is `at least` so much.
Transports take turns.

Examples:
  pushbench capacity quick --objective 'latency.p99 < 20ms'
  pushbench capacity quick --objective 'latency.p99 < 50ms' --objective 'lost < 1' --over rate
  pushbench capacity ticker -t sse -t websocket --objective 'age.mean < 1s' --from 100 --to 20k
  pushbench capacity quick --subject ./my-server.toml --objective 'sse.latency.p99 < 1s' --dry-run

Exit status: 0 done; 1 failed while running; 2 bad arguments or scenario; 3 done, but of a
transport the machine did not let it be told; 130 interrupted."
)]
pub(crate) struct CapacityArgs {
    /// Condition that has to hold, such as `latency.p99 < 50ms`, of each transport or of the one named before the
    /// figure; repeat for several [default: the scenario's thresholds]
    #[arg(long = "objective", value_name = "CONDITION", help_heading = "Capacity")]
    pub(crate) objectives: Vec<Objective>,
    /// Setting that load is raised by
    #[arg(long, value_name = "SETTING", default_value = "clients", value_parser = over(), help_heading = "Capacity")]
    pub(crate) over: Over,
    /// Least load [default: 1 client, ten messages in a window, or the smallest payload]
    #[arg(long, value_name = "LOAD", help_heading = "Capacity")]
    pub(crate) from: Option<String>,
    /// Most load [default: as much as this system has room for]
    #[arg(long, value_name = "LOAD", help_heading = "Capacity")]
    pub(crate) to: Option<String>,
    /// How far apart what holds and what fails may be in the end
    #[arg(long, value_name = "PERCENT", default_value = "10%", help_heading = "Capacity")]
    pub(crate) within: Share,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// A setting by its name.
fn over() -> impl clap::builder::TypedValueParser<Value = Over> {
    let named = |name: String| Over::ALL.into_iter().find(|over| over.name() == name);
    PossibleValuesParser::new(Over::ALL.map(Over::name))
        .map(move |name| named(name).unwrap_or(Over::Clients))
}
