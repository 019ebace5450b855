//! Consent to put load on a machine that is not this one, and on a server that has not agreed to it.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::anyhow;
use pushbench_core::scenario::Scenario;
use pushbench_run::player::target::Server;

use crate::exit::Failure;
use crate::tell;

/// Goes on where the server is on this machine, where `yes` names its host, or where somebody at the
/// terminal says yes.
pub(super) fn ask(server: &Server, scenario: &Scenario, yes: Option<&str>) -> Result<(), Failure> {
    if server.address().ip().is_loopback() {
        return Ok(());
    }
    let (host, load) = (server.host(), load(server, scenario));
    tell(format_args!("{load}"));
    match yes {
        Some(named) if named.eq_ignore_ascii_case(host) => return Ok(()),
        Some(named) => {
            return Err(Failure::usage(anyhow!(
                "--yes-load {named} is not the target's host, which is {host}"
            )));
        }
        None => {}
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(anyhow!(
            "{host} is not this machine: --yes-load {host} says that it may be loaded"
        )));
    }
    tell(format_args!("May it be loaded? Type yes:"));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(Failure::usage(anyhow!("nothing was measured: {host} is not to be loaded")))
}

/// The load that it is about to be under, in a sentence.
fn load(server: &Server, scenario: &Scenario) -> String {
    let most = scenario.clients.as_slice().iter().max().copied().unwrap_or_default();
    let asks = scenario.contenders.iter().any(|contender| contender.shape().asks());
    let period = scenario.poll_interval.as_slice().iter().min().map(|it| it.0.as_secs_f64());
    let requests = match period.filter(|period| asks && *period > 0.0) {
        Some(period) => format!("{:.0} requests/s", most.0 as f64 / period),
        None => "messages at a rate that is the server's".to_owned(),
    };
    format!(
        "load on {}: {} clients, each with a connection, at most {} of them opened at a time, \
         for {requests}",
        server.name(),
        most.0,
        pushbench_metrics::record::control::DEFAULT_RAMP,
    )
}
