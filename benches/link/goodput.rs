//! A transfer that is to fill a line with a rate: what it carried, and where the rest is.
//!
//! A packet of 1,500 bytes carries 1,448 of a stream. Where less came than that has it, the line stood idle
//! for that long, or carried something twice: the router's books tell both, the sender's kernel what kept
//! it from sending.

use std::time::Duration;

use anyhow::Context as _;
use pushbench_core::MonoInstant;
use pushbench_core::link::{Cause, Link, Ways};
use pushbench_core::units::{BitRate, Span};
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::ledger::{Direction, Phase};
use pushbench_metrics::observe::link::LinkRow;
use pushbench_os::time::clock;

use crate::Args;
use crate::pair::{Ground, Process};
use crate::role::{Look, Role};

/// Each way. The queue is 200 ms long where nothing else is said.
const DELAY: Duration = Duration::from_millis(50);
/// How long is left for processes to start.
const START: Duration = Duration::from_millis(300);
/// From the connection's begin to the first window's.
const BEFORE: Duration = Duration::from_secs(3);
/// The length of a window.
const WINDOW: Duration = Duration::from_secs(20);
/// The share of a packet that is of the stream.
const PAYLOAD: f64 = 1448.0 / 1500.0;

/// Plays a transfer over each rate; the table of what became of the line's time.
pub(crate) fn table(args: &Args) -> anyhow::Result<()> {
    let mut text = format!(
        "\n## Saturating TCP on a line with a rate, {} ms each way, a queue of 200 ms, windows of {} s\n\n\
         | rate | window from | goodput of rate × 1448/1500 | line idle | carried twice | dropped | waited for the line p1, p50 ms | kept by receiver, by buffer | congestion window: least, last | slow start ended at |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        DELAY.as_millis(),
        WINDOW.as_secs(),
    );
    for _ in 0..args.repeats {
        for &rate in &args.rates {
            for before in [BEFORE, BEFORE + WINDOW] {
                eprint!("\r{rate}, from {} s on ", before.as_secs());
                text.push_str(&trial(rate, before)?.row(rate, before));
            }
        }
    }
    eprintln!("\r{:<40}", "");
    text.push_str("\nTarget: goodput and idle time together make the whole.\n");
    crate::print(&text)
}

/// A transfer's window.
struct Trial {
    bytes: u64,
    looks: Vec<Look>,
    window: [MonoInstant; 2],
    down: LinkRow,
}

fn trial(rate: BitRate, before: Duration) -> anyhow::Result<Trial> {
    let link = Link { delay: Ways::both(Span(DELAY)), down: Some(rate), ..Link::default() };
    let mut ground = Ground::over(link, None, None)?;
    let begin = clock::now() + START;
    let [from, until] = [begin + before, begin + before + WINDOW];
    ground.set_window(from..until)?;
    let (network, address) = (ground.server_network(), ground.server);
    let mut source = Process::start(&Role::Pour { network, address }, None)?;
    source.listens()?;
    let (network, target, instants) = (ground.load_network(), ground.server, [begin, from, until]);
    let mut sink = Process::start(&Role::Drink { network, target, instants }, None)?;
    let bytes = sink.hear()?;
    drop(sink);
    let looks = source.hear()?;
    let measured = ground.end()?.context("a link has a router")?;
    Ok(Trial { bytes, looks, window: [from, until], down: window(&measured)? })
}

fn window(measured: &RouterMeasured) -> anyhow::Result<LinkRow> {
    let is_it = |row: &&LinkRow| row.phase == Phase::Window && row.direction == Direction::Down;
    measured.link.rows.iter().find(is_it).cloned().context("nothing passed in the window")
}

impl Trial {
    fn row(&self, rate: BitRate, before: Duration) -> String {
        let seconds = WINDOW.as_secs_f64();
        let line = rate.bits() as f64 / 8.0 * seconds;
        let dropped = self.down.tally.dropped(Cause::Queue);
        let carried = (self.down.tally.bytes() - dropped.bytes) as f64;
        // What was sent again because it was dropped is not carried twice.
        let twice = carried * PAYLOAD - self.bytes as f64;
        let percent = |part: f64| format!("{:.2} %", part * 100.0);
        let waited = |share| self.down.queued.percentile_us(share).unwrap_or(f64::NAN) / 1e3;
        let inside =
            || self.looks.iter().filter(|look| (self.window[0]..self.window[1]).contains(&look.at));
        let kept = |time: fn(&Look) -> Option<u64>| {
            let (first, last) =
                (inside().next().and_then(time), inside().next_back().and_then(time));
            let us = first.zip(last).map(|(first, last)| last - first);
            us.map_or_else(|| "unknown".to_owned(), |us| percent(us as f64 / seconds / 1e6))
        };
        let windows = || inside().map(|look| look.congestion_window);
        let ended = self.looks.iter().find(|look| look.slow_start_threshold < i32::MAX as u32);
        format!(
            "| {rate} | {} s | {} | {} | {} | {} | {:.1}, {:.1} | {}, {} | {}, {} | {} |\n",
            before.as_secs(),
            percent(self.bytes as f64 / line / PAYLOAD),
            percent(1.0 - carried / line),
            percent(twice / line / PAYLOAD),
            dropped.packets,
            waited(0.01),
            waited(0.5),
            kept(|look| look.receiver_limited_us),
            kept(|look| look.buffer_limited_us),
            windows().min().unwrap_or(0),
            windows().next_back().unwrap_or(0),
            ended.map_or_else(|| "never".to_owned(), |look| look.slow_start_threshold.to_string()),
        )
    }
}
