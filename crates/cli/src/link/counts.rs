//! Counts of a link's router, in lines for a person.

use pushbench_core::link::Cause;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::ledger::Direction;
use pushbench_metrics::observe::link::{LinkTally, Packets};
use pushbench_report::human;

/// A line for each direction, and one for each thing that spoils what was measured over the link.
pub(super) fn lines(measured: &RouterMeasured) -> Vec<String> {
    let mut lines = Direction::ALL.map(|way| direction(measured, way)).to_vec();
    lines.extend(router(measured));
    lines.extend(strays(measured));
    let unasked = measured.unasked_drops();
    if unasked > 0 {
        lines.push(format!(
            "warning: {} packets were lost though no line dropped them; send fewer at a time",
            human::count(unasked)
        ));
    }
    lines
}

/// How the router went before others that wanted its core, and how long it had none.
fn router(measured: &RouterMeasured) -> Option<String> {
    let waited = human::time(measured.longest_wait.as_secs_f64() * 1e6);
    let precedence = measured.attendance.precedence?;
    Some(format!("router: {precedence}, without a core for {waited} at most"))
}

fn direction(measured: &RouterMeasured, way: Direction) -> String {
    let name = match way {
        Direction::Down => "down (to the clients)",
        Direction::Up => "up (to the server)",
    };
    let tally = measured.link.total(way);
    format!(
        "{name}: {} packets, {} bytes; {}; {} segments sent again; {}",
        human::count(tally.packets()),
        human::count(tally.bytes()),
        dropped(&tally),
        human::count(tally.retransmitted_segments),
        lateness(measured, way)
    )
}

fn dropped(tally: &LinkTally) -> String {
    let causes = Cause::ALL.map(|cause| (cause, tally.dropped(cause).packets));
    let causes = causes.into_iter().filter(|(_, packets)| *packets > 0);
    let causes = causes.map(|(cause, packets)| format!("{} {cause}", human::count(packets)));
    let causes: Vec<String> = causes.collect();
    if causes.is_empty() {
        "0 dropped".to_owned()
    } else {
        format!("dropped: {}", causes.join(", "))
    }
}

/// How long after they were due packets left the router.
fn lateness(measured: &RouterMeasured, way: Direction) -> String {
    let mut late = LatencyHistogram::default();
    let rows = measured.link.rows.iter().filter(|row| row.direction == way);
    rows.for_each(|row| late.merge(&row.late));
    match (late.percentile_us(0.5), late.percentile_us(0.99)) {
        (Some(median), Some(most)) => {
            format!("late by p50 {}, p99 {}", human::time(median), human::time(most))
        }
        _ => "none left".to_owned(),
    }
}

/// Packets that were not passed on, since they were between no client and the server.
fn strays(measured: &RouterMeasured) -> Option<String> {
    let mut all: Packets = measured.link.more_strays;
    measured.link.strays.iter().for_each(|stray| all.merge(&stray.count));
    if all.packets == 0 {
        return None;
    }
    let first = measured.link.strays.iter().find_map(|stray| stray.ends);
    let ends = first.map(|(from, to, _)| format!(", such as from {from} to {to}"));
    Some(format!(
        "warning: {} packets were for nobody on the link{}: it has one server, and as many clients as \
         --clients says",
        human::count(all.packets),
        ends.unwrap_or_default()
    ))
}
