//! Results, as Markdown and, where asked for, CSV.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;
use pushbench_metrics::judge::stats;
use pushbench_metrics::record::environment::Environment;

use crate::contest::{Comparison, Contest, Feed, Side};
use crate::role::Role;
use crate::setting::{Args, CIPHER, VERSION};
use crate::trial::Cost;

/// All trials, by contest.
type Played = [(Contest, Vec<Cost>)];

/// Prints the ratios, and writes the trials where `args` say so.
pub(crate) fn print(
    args: &Args,
    comparisons: &[Comparison],
    played: &Played,
) -> anyhow::Result<()> {
    let mut text = heading(args, &pushbench_os::machine::environment::read());
    for comparison in comparisons {
        text.push_str(&row(comparison, played));
    }
    text.push_str(&bytes(args, played));
    text.push_str(&memory(played));
    text.push_str(&doubts(played));
    std::io::stdout().lock().write_all(text.as_bytes())?;
    if let Some(file) = &args.csv {
        let named = || format!("cannot write {}", file.display());
        std::fs::write(file, csv(played)).with_context(named)?;
    }
    Ok(())
}

fn heading(args: &Args, environment: &Environment) -> String {
    format!(
        "\n## Floors: {} clients, {} bytes, {} ({} of long poll), {} rounds of {}\n\n{} cores, {}; \
         TLS {VERSION}, {CIPHER}, one record a message\n\n\
         | comparison | µs CPU | floor's | ratio | of rounds (how many) | target | a turn | floor's |\n\
         |---|---|---|---|---|---|---|---|\n",
        args.clients,
        args.payload.0,
        args.rate,
        args.long_poll_rate,
        args.repeats,
        args.seconds,
        environment.cores.unwrap_or(0),
        environment.cpu_model,
    )
}

fn row(comparison: &Comparison, played: &Played) -> String {
    let us = |cost: &Cost| match comparison.side {
        Side::Server => cost.server_us,
        Side::Load => cost.load_us,
    };
    let pairs = || costs(played, comparison.ours).iter().zip(costs(played, comparison.floor));
    let in_step = pairs().any(|(ours, floor)| ours.in_step && floor.in_step);
    let taken = pairs().filter(|(ours, floor)| !in_step || (ours.in_step && floor.in_step));
    let (ours, floor): (Vec<_>, Vec<_>) = taken.unzip();
    let (turns, floor_turns) = (per_turn(&ours), per_turn(&floor));
    let costs = |side: Vec<&Cost>| -> Vec<f64> { side.into_iter().map(us).collect() };
    let (ours, floor) = (costs(ours), costs(floor));
    // A ratio is taken within a round, where the machine was the same to both.
    let ratios: Vec<f64> = ours.iter().zip(&floor).map(|(ours, floor)| ours / floor).collect();
    let ratio = median(&ratios);
    let target = comparison.target.map_or_else(
        || "told".to_owned(),
        |most| format!("≤ {most:.2}{}", if ratio <= most { "" } else { " missed" }),
    );
    let (low, high) = range(&ratios);
    let rounds = if in_step { format!("{}", ratios.len()) } else { "all out of step".to_owned() };
    format!(
        "| {} | {} | {} | **{ratio:.2}** | {low:.2}–{high:.2} ({rounds}) | {target} | {turns} | \
         {floor_turns} |\n",
        comparison.name,
        spread(&ours),
        spread(&floor),
    )
}

/// Messages, or requests, for each turn of a process on a core; where the kernel tells.
fn per_turn(costs: &[&Cost]) -> String {
    let told: Vec<f64> = costs.iter().filter_map(|cost| cost.per_turn).collect();
    stats::median(&told).map_or_else(|| "–".to_owned(), |median| format!("{median:.1}"))
}

/// Memory for each idle client, as the processes grew when it connected.
fn memory(played: &Played) -> String {
    let mut text = String::new();
    for (contest, costs) in played {
        let is_real = (contest.server, contest.load) == (Role::Server, Role::Load);
        if !is_real || contest.feed != Feed::Text {
            continue;
        }
        let server: Vec<f64> = costs.iter().map(|cost| cost.server_bytes).collect();
        let load: Vec<f64> = costs.iter().map(|cost| cost.load_bytes).collect();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            " {} server {:.0}, load {:.0};",
            contest.contender,
            median(&server),
            median(&load)
        );
    }
    if text.is_empty() {
        return text;
    }
    format!(
        "\nBytes of memory for each idle client (target ≤ 4096):{text} whole processes, what they set \
         up once included.\n"
    )
}

/// Payload of a message as it travels, where that is not its size.
fn bytes(args: &Args, played: &Played) -> String {
    let mut text = String::new();
    for (contest, costs) in played.iter().filter(|(contest, _)| contest.feed != Feed::Text) {
        let bytes: Vec<f64> = costs.iter().map(|cost| cost.payload_bytes).collect();
        // Writing to a String cannot fail.
        let _ = write!(text, " {} {:.0};", contest.describe(), median(&bytes));
    }
    if text.is_empty() {
        return text;
    }
    format!(
        "\nBytes of a message of {} as it travels, level 6, window bits 15:{text} to {} clients with \
         a compressor each ({}), {} where they are few.\n",
        args.quotes.0, args.contexts, args.contexts_rate, args.few_clients
    )
}

/// Trials in which the machine was too busy.
fn doubts(played: &Played) -> String {
    let mut text = String::new();
    for (contest, costs) in played {
        let late = costs.iter().filter(|cost| !cost.in_step).count();
        if late > 0 {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "\nOut of step in {late} of {} rounds: {}.",
                costs.len(),
                contest.describe(),
            );
        }
    }
    if !text.is_empty() {
        text.push_str(
            "\nSuch rounds are left out where both sides of another are in step: a late server \
             sends several messages with one write, which is cheaper. Use an idle machine, or \
             lower the rate.\n",
        );
    }
    text
}

fn csv(played: &Played) -> String {
    let mut text = "transport,server,load,clients,round,units,in_step,server_cpu_us_per_unit,\
                    load_cpu_us_per_unit,units_per_turn,payload_bytes_per_unit,server_bytes_per_client,\
                    load_bytes_per_client\n"
        .to_owned();
    for (contest, costs) in played {
        for (round, cost) in (1..).zip(costs) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{},{},{},{},{round},{},{},{:.4},{:.4},{},{:.2},{:.0},{:.0}",
                contest.contender,
                contest.server.name(),
                contest.load.name(),
                cost.clients,
                cost.units,
                cost.in_step,
                cost.server_us,
                cost.load_us,
                cost.per_turn.map_or_else(String::new, |units| format!("{units:.3}")),
                cost.payload_bytes,
                cost.server_bytes,
                cost.load_bytes
            );
        }
    }
    text
}

fn costs(played: &Played, contest: Contest) -> &[Cost] {
    played.iter().find(|(known, _)| *known == contest).map_or(&[], |(_, costs)| costs)
}

fn spread(values: &[f64]) -> String {
    let (low, high) = range(values);
    format!("{:.2} ({low:.2}–{high:.2})", median(values))
}

fn range(values: &[f64]) -> (f64, f64) {
    stats::range(values).expect("there is at least one round")
}

fn median(values: &[f64]) -> f64 {
    stats::median(values).expect("there is at least one round")
}
