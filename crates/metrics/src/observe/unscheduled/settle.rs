//! The outcome of an audit without a schedule, once the observations of all load processes of a trial
//! are together.
//!
//! Expected of each client is what any client got with a stamp in the window; of a single client,
//! whose losses nobody else shows, all numbers from its first to its last.

use std::collections::BTreeSet;

use pushbench_core::instant::saturating_nanos;
use pushbench_core::{Delivery, MonoInstant, Seq};

use crate::observe::audit::AuditTotals;
use crate::observe::measured::Measured;
use crate::observe::observer::Window;
use crate::observe::seen::Stillness;
use crate::observe::seen::{CounterSeen, End, Seen, Senders, Tally};
use crate::observe::silence::Silence;

impl Measured {
    /// Gives the senders' counters their names, as one load process has them.
    pub fn name_counters(&mut self, names: &[String]) {
        for seen in &mut self.seen {
            for (counter, name) in seen.counters.iter_mut().zip(names) {
                counter.name.clone_from(name);
            }
        }
    }

    /// Makes totals of what all load processes of a trial saw, where its messages had no schedule.
    pub fn settle(&mut self, window: &Window, delivery: Delivery) {
        let seen = std::mem::take(&mut self.seen);
        if seen.is_empty() {
            return;
        }
        let mut settling = Settling::of(self, window, delivery, &seen);
        let counters = seen.iter().flat_map(|seen| &seen.counters);
        let names: BTreeSet<&str> = counters.map(|counter| counter.name.as_str()).collect();
        for name in names {
            settling.counter(name, &seen);
        }
        let Settling { senders, mut instants, .. } = settling;
        let has_stamps = senders.stamps.stamped > 0;
        instants.sort_unstable();
        instants.dedup();
        let stillness = Stillness::of(&instants, window, has_stamps);
        self.senders = Some(Senders { stillness, ..senders });
    }
}

/// Totals that are being made.
struct Settling<'a> {
    measured: &'a mut Measured,
    window: &'a Window,
    delivery: Delivery,
    senders: Senders,
    instants: Vec<u64>,
}

/// A number of the window.
#[derive(Debug, Clone, Copy)]
struct Number {
    seq: u64,
    due: Option<u64>,
    tally: Tally,
}

impl<'a> Settling<'a> {
    /// With what is no counter's.
    fn of(
        measured: &'a mut Measured,
        window: &'a Window,
        delivery: Delivery,
        seen: &[Seen],
    ) -> Self {
        let (mut senders, mut instants) = (Senders::default(), Vec::new());
        let mut audit = AuditTotals::default();
        for part in seen {
            senders.stamps.merge(&part.stamps);
            instants.extend(&part.instants);
            audit.clients += part.clients;
            audit.unnumbered += part.unnumbered;
            audit.untimed += part.unnumbered - part.unnumbered_sampled;
        }
        (audit.expected, audit.delivered) = (audit.unnumbered, audit.unnumbered);
        measured.audit = audit;
        Self { measured, window, delivery, senders, instants }
    }

    /// Adds the counter `name`, of which each load process saw a part, or nothing.
    fn counter(&mut self, name: &str, seen: &[Seen]) {
        self.senders.counters += 1;
        let part = |seen: &'_ Seen| seen.counters.iter().position(|counter| counter.name == name);
        let parts: Vec<&CounterSeen> =
            seen.iter().filter_map(|seen| Some(&seen.counters[part(seen)?])).collect();
        let ends = |seen: &'_ Seen| match part(seen) {
            Some(part) => seen.counters[part].ends.clone(),
            None => seen.without.clone(),
        };
        let ends: Vec<End> = seen.iter().flat_map(ends).collect();
        for restarts in parts.iter().filter_map(|part| part.restarts) {
            match &mut self.senders.restarts {
                Some((_, ours)) => ours.times += restarts.times,
                none => *none = Some((name.to_owned(), restarts)),
            }
        }
        let numbers = numbers(&parts);
        let audit = &mut self.measured.audit;
        let newest = ends.iter().filter_map(|end| end.newest).max();
        audit.newest = audit.newest.max(newest.unwrap_or(0));
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return };
        let (came, spanned) = (numbers.len() as u64, (last.seq - first.seq).saturating_add(1));
        let published = if audit.clients == 1 { spanned } else { came };
        self.senders.missing += spanned - published;
        let has_stamps = self.senders.stamps.stamped > 0;
        let timed = numbers.iter().filter(|number| !has_stamps || number.tally.sampled > 0);
        self.instants.extend(timed.filter_map(|number| number.due));
        self.account(&numbers, published);
        self.reckon(&numbers, published, &ends);
    }

    /// Counts what did not come, from how far clients came.
    fn reckon(&mut self, numbers: &[Number], published: u64, ends: &[End]) {
        let mut silence: Option<Silence> = None;
        let mut within = 0;
        for end in ends {
            let awaited = numbers.partition_point(|number| Some(number.seq) <= end.newest);
            let awaited = &numbers[awaited..];
            within += (published - awaited.len() as u64) * end.clients;
            self.awaited(awaited, end);
            if !awaited.is_empty() && !end.under_way {
                let newest = Seq(end.newest.unwrap_or(0));
                let of_end = Silence { clients: end.clients, newest, at: end.fed };
                silence.get_or_insert_default().merge(&of_end);
            }
        }
        self.overtaken(numbers, within);
        // A client that several counters fell silent to is one.
        let ours = &mut self.measured.silence;
        if silence.map(|it| it.clients) > ours.map(|it| it.clients) {
            *ours = silence;
        }
    }

    /// Counts what came.
    fn account(&mut self, numbers: &[Number], published: u64) {
        let audit = &mut self.measured.audit;
        audit.published += published;
        audit.expected += published * audit.clients;
        for Number { tally, .. } in numbers {
            audit.delivered += u64::from(tally.got);
            audit.untimed += u64::from(tally.got - tally.sampled);
            audit.duplicated += u64::from(tally.repeats);
            audit.reordered += u64::from(tally.behind);
        }
    }

    /// Counts what clients lack beyond all that they hold.
    fn awaited(&mut self, numbers: &[Number], end: &End) {
        let audit = &mut self.measured.audit;
        let all = numbers.len() as u64 * end.clients;
        if !end.under_way {
            audit.lost += all;
            return;
        }
        audit.late += all;
        for number in numbers {
            let Some(due) = number.due.filter(|_| number.tally.sampled > 0) else {
                audit.late_untimed += end.clients;
                continue;
            };
            let due = MonoInstant(due);
            let bound = end.drained.saturating_since(due);
            self.measured.late.record_many_ns(saturating_nanos(bound), end.clients);
            if let Some(second) = self.window.second(due) {
                self.measured.series.late(second, bound, end.clients);
            }
        }
    }

    /// Counts what clients lack behind something that they hold, of `within` that lie there.
    fn overtaken(&mut self, numbers: &[Number], within: u64) {
        let got: u64 = numbers.iter().map(|number| u64::from(number.tally.got)).sum();
        let audit = &mut self.measured.audit;
        let missing = within - got;
        *(match self.delivery {
            Delivery::Every => &mut audit.lost,
            Delivery::Latest => &mut audit.superseded,
        }) += missing;
    }
}

/// The numbers of the window, rising, with what all parts saw of them.
fn numbers(parts: &[&CounterSeen]) -> Vec<Number> {
    let runs = parts.iter().flat_map(|part| &part.runs);
    let each =
        runs.flat_map(|run| run.numbers().map(|(seq, due)| Number { seq, due, tally: run.tally }));
    let mut numbers: Vec<Number> = each.collect();
    numbers.sort_unstable_by_key(|number| number.seq);
    numbers.dedup_by(|other, number| {
        let same = other.seq == number.seq;
        if same {
            number.tally.merge(&other.tally);
            number.due = number.due.or(other.due);
        }
        same
    });
    numbers.retain(|number| number.tally.inside);
    numbers
}
