//! The figures that people compare: a block for each point, a row in it for each transport.

mod reach;

use pushbench_core::client::ClientKind;
use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::scenario::Point;
use pushbench_core::subject::SubjectName;
use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::figures::{Figures, Summary, summarise};
use pushbench_metrics::judge::money::{Cost, Unpriced};
use pushbench_metrics::judge::stats;
use pushbench_metrics::judge::stats::paired::Paired;
use pushbench_metrics::judge::sweep::Reading;
use pushbench_metrics::record::{RunRecord, TrialRecord};

pub(crate) use self::reach::Reach;
use crate::{cost, human, settings};

/// With a single trial nothing is known of the spread, so only a factor this large is claimed.
const FACTOR_OF_ONE_TRIAL: f64 = 2.0;

/// A factor below this is nobody's reason to choose a transport, however sure it is.
pub(crate) const FACTOR_WORTH_TELLING: f64 = 1.05;

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
}

/// One transport at one point.
pub(crate) struct Row<'a> {
    pub(crate) summary: Summary,
    /// The name that sets it apart from the others of its block: the transport's, or the server's.
    name: String,
    /// The valid trials that stand.
    pub(crate) trials: Vec<&'a TrialRecord>,
    figures: Vec<Figures>,
    /// The cost of each of them, or why that is not known; `None` without prices.
    pub(crate) costs: Option<Result<Vec<Cost>, Unpriced>>,
    pub(crate) reach: Reach,
}

impl Row<'_> {
    pub(crate) const fn contender(&self) -> Contender {
        self.summary.contender
    }

    /// The name that sets it apart from the others of its block.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is a valid trial.
    pub(crate) const fn has_figures(&self) -> bool {
        !self.trials.is_empty()
    }

    pub(crate) fn get(&self, figure: Figure) -> Option<f64> {
        self.summary.figures.get(figure)
    }

    /// The lower bound of `figure`, where no more is known of it.
    pub(crate) fn at_least(&self, figure: Figure) -> Option<f64> {
        self.summary.figures.at_least(figure)
    }

    /// The figure's spread; `None` where any trial knows only what its own is at least.
    pub(crate) fn spread(&self, figure: Figure) -> Option<Spread> {
        self.spread_by(|figures| figures.get(figure))
    }

    /// All bytes for each message, as far down as the run counted them.
    pub(crate) fn bytes(&self) -> Option<Spread> {
        match self.reach {
            Reach::Capture | Reach::Wire | Reach::Served => self.spread(Figure::WireBytes),
            Reach::Socket => self.spread_by(Figures::socket_bytes),
        }
    }

    /// The spread of what a sweep compares.
    pub(crate) fn reading(&self, reading: Reading) -> Option<Spread> {
        let trials = self.trials.iter().zip(&self.figures);
        // Money is its [`cost`](Self::cost).
        let at = (&self.summary.point, None);
        let values = trials.filter_map(|(trial, figures)| reading.value(trial, figures, at));
        Spread::of(&values.collect::<Vec<f64>>())
    }

    /// The cost of a month of one client, where prices were given.
    pub(crate) fn cost(&self) -> Option<Spread> {
        let costs = self.costs.as_ref()?.as_ref().ok()?;
        Spread::of(&costs.iter().map(Cost::total).collect::<Vec<f64>>())
    }

    fn spread_by(&self, value: impl Fn(&Figures) -> Option<f64>) -> Option<Spread> {
        Spread::of(&self.figures.iter().filter_map(value).collect::<Vec<f64>>())
    }

    /// The figure's differences to `other` over the rounds in which both have it.
    pub(crate) fn paired(&self, other: &Row<'_>, figure: Figure) -> Option<Paired> {
        let rounds =
            |row: &Row<'_>| row.trials.iter().map(|trial| trial.id.round).collect::<Vec<_>>();
        let (ours, theirs) = (rounds(self), rounds(other));
        let pairs = ours.iter().zip(&self.figures).filter_map(|(round, figures)| {
            let beside = theirs.iter().position(|theirs| theirs == round)?;
            figures.get(figure).zip(other.figures[beside].get(figure))
        });
        Paired::of(&pairs.collect::<Vec<_>>())
    }

    /// Whether the rounds put the figure apart from that of `other`. That each of fewer than six
    /// does is a hint and no proof, but where they do not agree nothing may be claimed at all.
    pub(crate) fn is_apart_from(&self, other: &Row<'_>, figure: Figure) -> bool {
        let (Some(paired), Some(one), Some(two)) =
            (self.paired(other, figure), self.get(figure), other.get(figure))
        else {
            return false;
        };
        let (least, most) = (one.min(two), one.max(two));
        if paired.pairs == 1 {
            return most > least * FACTOR_OF_ONE_TRIAL;
        }
        paired.is_one_sided() && most > least * FACTOR_WORTH_TELLING
    }

    /// The instants that its latencies are counted from.
    pub(crate) fn latency_from(&self) -> LatencyFrom {
        self.trials.first().map_or(LatencyFrom::Schedule, |trial| trial.latency_from)
    }

    /// The share of the expected messages that arrived.
    pub(crate) fn share_arrived(&self) -> String {
        human::share(self.summary.counts.audit.delivered, self.summary.counts.audit.expected)
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
    /// The settings that set the point apart; empty where it is the only one.
    pub(crate) heading: String,
    pub(crate) rows: Vec<Row<'a>>,
    /// How far down its bytes were counted.
    pub(crate) reach: Reach,
}

impl<'a> Block<'a> {
    /// Whether messages were superseded, so that ages are to be compared and not latencies.
    pub(crate) fn compares_ages(&self) -> bool {
        self.rows.iter().any(|row| row.summary.counts.audit.superseded > 0)
    }

    /// The instants that its latencies are counted from: all of its trials are of one server.
    pub(crate) fn latency_from(&self) -> LatencyFrom {
        let measured = self.rows.iter().find(|row| row.has_figures());
        measured.map_or(LatencyFrom::Schedule, Row::latency_from)
    }

    /// Where messages were superseded, `short-poll delivered 4 % of them`: of the transport that
    /// delivered the smallest share, for figures that are of the messages that arrived.
    pub(crate) fn least_arrived(&self) -> Option<String> {
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
        let share = |row: &&Row<'_>| {
            let counts = &row.summary.counts;
            counts.audit.delivered as f64 / counts.audit.expected.max(1) as f64
        };
        let rows = self.rows.iter().filter(|row| self.compares_ages() && row.has_figures());
        let row = rows.min_by(|one, two| share(one).total_cmp(&share(two)))?;
        Some(format!("{} delivered {} of them", row.contender(), row.share_arrived()))
    }

    /// The rows that have a `spread`, by its middle from the least on.
    pub(crate) fn ranked(
        &self,
        spread: impl Fn(&Row<'a>) -> Option<Spread>,
    ) -> Vec<(&Row<'a>, Spread)> {
        let rows = self.rows.iter();
        let mut all: Vec<_> = rows.filter_map(|row| Some((row, spread(row)?))).collect();
        all.sort_by(|one, two| one.1.middle.total_cmp(&two.1.middle));
        all
    }

    /// The most valid trials that a row has.
    pub(crate) fn trials(&self) -> usize {
        self.trials_used().1
    }

    /// The fewest and the most valid trials of the rows that have any.
    pub(crate) fn trials_used(&self) -> (usize, usize) {
        let used = || self.rows.iter().map(|row| row.trials.len()).filter(|&used| used > 0);
        (used().min().unwrap_or(0), used().max().unwrap_or(0))
    }
}

/// The blocks of a run; a point that no trial reached has none.
pub(crate) fn blocks(record: &RunRecord) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for summary in summarise(record) {
        let id = summary.point.id;
        if blocks.last().is_none_or(|block| block.point.id != id) {
            let heading = settings::heading(&record.points, &summary.point);
            let point = summary.point.clone();
            blocks.push(Block { point, heading, rows: Vec::new(), reach: Reach::Socket });
        }
        let trials = valid_trials(record, id, summary.contender);
        let mut figures: Vec<_> = trials.iter().map(|trial| Figures::of_trial(trial)).collect();
        Figures::retain_comparable(&mut figures);
        if let Some(block) = blocks.last_mut() {
            let name = name_with(summary.contender, summary.point.client);
            let costs = cost::of_trials(record.price.as_ref(), &trials);
            block.rows.push(Row { summary, name, trials, figures, costs, reach: Reach::Socket });
        }
    }
    let reach = Reach::of(&blocks);
    for block in &mut blocks {
        block.reach = reach;
        block.rows.iter_mut().for_each(|row| row.reach = reach);
    }
    blocks
}

/// The blocks of a run of several servers, or of several programs that play the clients, as people compare
/// those: a block for each transport at points that differ in nothing else, a row in it for each of them.
/// Blocks as they are, where there is one, or no transport that two of them offer.
pub(crate) fn by_server<'a>(record: &RunRecord, blocks: Vec<Block<'a>>) -> Vec<Block<'a>> {
    let alike = |point: &Point| Point {
        id: 1,
        label: String::new(),
        subject: SubjectName::default(),
        client: ClientKind::Native,
        ..point.clone()
    };
    let clients_differ = record.points.iter().any(|point| !point.client.is_native());
    let points: Vec<Point> = record.points.iter().map(alike).collect();
    let are_compared = |one: &(Point, Contender)| {
        let of_it = |block: &&Block<'_>| {
            alike(&block.point) == one.0 && block.rows.iter().any(|row| row.contender() == one.1)
        };
        blocks.iter().filter(of_it).count() > 1
    };
    let all = blocks
        .iter()
        .flat_map(|block| block.rows.iter().map(move |row| (alike(&block.point), row.contender())));
    let mut wanted: Vec<(Point, Contender)> = Vec::new();
    for key in all.filter(are_compared) {
        if !wanted.contains(&key) {
            wanted.push(key);
        }
    }
    if wanted.is_empty() {
        return blocks;
    }
    let block = |(point, contender): &(Point, Contender)| {
        let rest = settings::heading(&points, point);
        let comma = if rest.is_empty() { "" } else { ", " };
        let heading = format!("{contender}{comma}{rest}");
        Block { point: point.clone(), heading, rows: Vec::new(), reach: Reach::of_run(&blocks) }
    };
    let mut others: Vec<Block<'a>> = wanted.iter().map(block).collect();
    for block in blocks {
        for row in block.rows {
            let key = (alike(&block.point), row.contender());
            let Some(at) = wanted.iter().position(|wanted| *wanted == key) else { continue };
            let name = if clients_differ { row.name } else { block.point.subject.to_string() };
            others[at].rows.push(Row { name, ..row });
        }
    }
    others
}

/// The name of a contender whose clients a program plays: `websocket`, `websocket (chromium)`.
fn name_with(contender: Contender, client: ClientKind) -> String {
    match client {
        ClientKind::Native => contender.name().to_owned(),
        client => format!("{contender} ({client})"),
    }
}

/// Blocks of which those stand together that differ in nothing but who plays the clients, in their order.
pub(crate) fn beside<'b, 'a>(blocks: &'b [Block<'a>]) -> Vec<Vec<&'b Block<'a>>> {
    let alike = |point: &Point| {
        let client = ClientKind::Native;
        Point { id: 0, label: String::new(), client, ..point.clone() }
    };
    let mut groups: Vec<Vec<&Block<'a>>> = Vec::new();
    for block in blocks {
        let kin = groups.iter_mut().find(|group| alike(&group[0].point) == alike(&block.point));
        match kin {
            Some(group) => group.push(block),
            None => groups.push(vec![block]),
        }
    }
    groups
}

fn valid_trials(record: &RunRecord, point: u32, contender: Contender) -> Vec<&TrialRecord> {
    let ours = |trial: &&TrialRecord| trial.id.point == point && trial.id.contender == contender;
    record.standing().filter(|trial| trial.is_valid()).filter(ours).collect()
}
