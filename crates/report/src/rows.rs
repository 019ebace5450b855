//! The figures that people compare: a block for each point, a row in it for each transport.

use pushbench_core::Transport;
use pushbench_core::scenario::Point;
use pushbench_metrics::figures::{Figure, Figures, Summary, summarise};
use pushbench_metrics::record::{RunRecord, TrialRecord};
use pushbench_metrics::stats;

use crate::settings;

/// With a single trial nothing is known of the spread, so only a factor this large is claimed.
const FACTOR_OF_ONE_TRIAL: f64 = 2.0;

/// A factor below this is nobody's reason to choose a transport, however sure it is.
const FACTOR_WORTH_TELLING: f64 = 1.05;

/// A figure's median over the trials and where the trials put it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) middle: f64,
    /// The 95 % interval's or, below six trials, the range's lower end.
    pub(crate) low: f64,
    /// Its upper end.
    pub(crate) high: f64,
    /// How many trials there are.
    pub(crate) trials: usize,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let (low, high) = stats::median_interval_95(values).or_else(|| stats::range(values))?;
        Some(Self { middle: stats::median(values)?, low, high, trials: values.len() })
    }

    /// Whether the trials put `self` and `other` apart. That the ranges of three trials do is a
    /// hint and no proof, but where they overlap nothing may be claimed at all.
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        let (least, most) = (self.middle.min(other.middle), self.middle.max(other.middle));
        if self.trials.min(other.trials) == 1 {
            return most > least * FACTOR_OF_ONE_TRIAL;
        }
        let disjoint = self.high < other.low || other.high < self.low;
        disjoint && most > least * FACTOR_WORTH_TELLING
    }
}

/// One transport at one point.
pub(crate) struct Row<'a> {
    pub(crate) summary: Summary,
    /// The valid trials that stand.
    pub(crate) trials: Vec<&'a TrialRecord>,
    figures: Vec<Figures>,
}

impl Row<'_> {
    pub(crate) const fn transport(&self) -> Transport {
        self.summary.transport
    }

    /// Whether there is a valid trial.
    pub(crate) const fn has_figures(&self) -> bool {
        !self.trials.is_empty()
    }

    pub(crate) fn get(&self, figure: Figure) -> Option<f64> {
        self.summary.figures.get(figure)
    }

    pub(crate) fn spread(&self, figure: Figure) -> Option<Spread> {
        self.spread_by(|figures| figures.get(figure))
    }

    /// The bytes that the sockets moved for each message.
    pub(crate) fn socket_bytes(&self) -> Option<Spread> {
        self.spread_by(Figures::socket_bytes)
    }

    fn spread_by(&self, value: impl Fn(&Figures) -> Option<f64>) -> Option<Spread> {
        Spread::of(&self.figures.iter().filter_map(value).collect::<Vec<f64>>())
    }

    /// The greatest age that any client saw in any trial, µs.
    pub(crate) fn age_max_us(&self) -> Option<f64> {
        let ages = self.trials.iter().filter_map(|trial| trial.measured.age.max_us());
        ages.reduce(f64::max)
    }
}

/// The transports at one point.
pub(crate) struct Block<'a> {
    pub(crate) point: Point,
    /// What sets the point apart; empty where it is the only one.
    pub(crate) heading: String,
    pub(crate) rows: Vec<Row<'a>>,
}

impl Block<'_> {
    /// Whether messages were superseded, so that ages are to be compared and not latencies.
    pub(crate) fn compares_ages(&self) -> bool {
        self.rows.iter().any(|row| row.summary.counts.superseded > 0)
    }

    /// The most valid trials that a row has.
    pub(crate) fn trials(&self) -> usize {
        self.rows.iter().map(|row| row.trials.len()).max().unwrap_or(0)
    }
}

/// The blocks of a run; a point that no trial reached has none.
pub(crate) fn blocks(record: &RunRecord) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for summary in summarise(record) {
        let id = summary.point.id;
        if blocks.last().is_none_or(|block| block.point.id != id) {
            let heading = settings::heading(&record.points, &summary.point);
            blocks.push(Block { point: summary.point.clone(), heading, rows: Vec::new() });
        }
        let trials = valid_trials(record, id, summary.transport);
        let figures = trials.iter().map(|trial| Figures::of_trial(trial)).collect();
        if let Some(block) = blocks.last_mut() {
            block.rows.push(Row { summary, trials, figures });
        }
    }
    blocks
}

fn valid_trials(record: &RunRecord, point: u32, transport: Transport) -> Vec<&TrialRecord> {
    let ours = |trial: &&TrialRecord| trial.id.point == point && trial.id.transport == transport;
    record.standing().filter(|trial| trial.is_valid()).filter(ours).collect()
}
