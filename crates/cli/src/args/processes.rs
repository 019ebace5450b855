//! Flags that say over which processes and cores a run is spread.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use pushbench_os::machine::limits::MAX_PROCESSES;
use pushbench_run::place::Spread;

/// The processes of a run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Processes")]
pub(crate) struct ProcessArgs {
    /// Load processes to split the clients over [default: one, or as many as the limit of open
    /// files asks for]
    #[arg(long, value_name = "N", value_parser = processes())]
    pub(crate) load_processes: Option<u64>,
    /// Let the system choose the cores; else server and load processes are kept apart, each on a
    /// core of its own where there are enough
    #[arg(long)]
    pub(crate) no_pin: bool,
}

impl ProcessArgs {
    /// These wishes, with as many `servers` as are asked for.
    pub(crate) const fn spread(&self, servers: Option<u64>) -> Spread {
        Spread { servers, loads: self.load_processes, pins: !self.no_pin }
    }
}

/// As many processes as make sense.
pub(crate) fn processes() -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(1..=MAX_PROCESSES)
}
