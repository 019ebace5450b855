//! Sweeps that never were, whose crossing is known: two figures with a curve each, noise that is a
//! share of a point, and a drift that a round's trials have in common.

use super::Pairs;
use crate::judge::stats::noise::Noise;

/// How the figure that grows does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bend {
    /// A power of the setting.
    Straight,
    /// A fixed part and one in proportion, as what a connection costs and what a message does.
    Fixed,
    /// A power that itself rises along the sweep.
    Rising,
    /// A power that falls.
    Falling,
}

/// Where the two cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Middle,
    LastGap,
}

/// A kind of sweep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) bend: Bend,
    /// The power with which the ratio grows at the crossing.
    pub(super) power: f64,
    pub(super) place: Where,
}

/// Six rounds, as the interval of a median needs.
const ROUNDS: u32 = 6;

/// A sweep's points, and the setting at which the two figures are equal.
pub(super) struct Sweep {
    pub(super) points: Vec<Pairs>,
    pub(super) truth: f64,
}

/// Five to eight settings, each about so many times the last, from 1.8 to 3.2 times.
fn settings(noise: &mut Noise) -> Vec<f64> {
    let count = 5 + (noise.uniform() * 4.0) as usize;
    let step = 1.8 + 1.4 * noise.uniform();
    let mut at = 0.1 * 10.0_f64.powf(2.0 * noise.uniform());
    let mut settings = vec![at];
    while settings.len() < count {
        at *= step * (0.9 + 0.2 * noise.uniform());
        settings.push(at);
    }
    settings
}

impl Kind {
    /// The sweep of a seed.
    pub(super) fn sweep(self, seed: u64) -> Sweep {
        let mut noise = Noise::new(seed);
        let settings = settings(&mut noise);
        let last = settings.len() - 1;
        let gap = match self.place {
            Where::Middle => last / 2,
            Where::LastGap => last - 1,
        };
        let along = 0.15 + 0.7 * noise.uniform();
        let truth = settings[gap] * (settings[gap + 1] / settings[gap]).powf(along);
        let span = settings[last] / settings[0];
        let share = noise_of_a_point(&mut noise);
        let ratio = |setting: f64| self.ratio(setting / truth, span);
        Sweep { points: measured(&settings, ratio, share, &mut noise), truth }
    }

    /// The ratio of the two at so many times the setting of the crossing.
    fn ratio(self, times: f64, span: f64) -> f64 {
        match self.bend {
            Bend::Straight => times.powf(self.power),
            // At the crossing half of it is in proportion, so that its power there is half.
            Bend::Fixed => (0.5 + 0.5 * times).powf(2.0 * self.power),
            Bend::Rising => times.powf(self.power * (1.0 + 0.5 * times.ln() / span.ln())),
            Bend::Falling => times.powf(self.power * (1.0 - 0.5 * times.ln() / span.ln())),
        }
    }
}

/// 2 to 20 % of a point.
fn noise_of_a_point(noise: &mut Noise) -> f64 {
    0.02 * 10.0_f64.powf(noise.uniform())
}

/// Figures whose `ratio` is the same at each of so many settings, in shares of the noise of one
/// trial.
pub(super) fn level(seed: u64, points: usize, apart: f64) -> Vec<Pairs> {
    let mut noise = Noise::new(seed);
    let settings: Vec<f64> = (0..points).map(|n| 2.0_f64.powi(n as i32)).collect();
    let share = noise_of_a_point(&mut noise);
    measured(&settings, |_| 1.0 + apart * share, share, &mut noise)
}

/// Trials of both figures in each round, of which the ratio's logarithm is kept.
fn measured(
    settings: &[f64],
    ratio: impl Fn(f64) -> f64,
    share: f64,
    noise: &mut Noise,
) -> Vec<Pairs> {
    let drifts: Vec<f64> = (0..ROUNDS).map(|_| (0.2 * noise.normal()).exp()).collect();
    let mut points = Vec::new();
    for &at in settings {
        let mut rounds = Vec::new();
        for (round, drift) in (1..).zip(&drifts) {
            let mut trial = |figure: f64| figure * drift * (1.0 + share * noise.normal()).max(0.05);
            rounds.push((round, (trial(400.0 * ratio(at)) / trial(400.0)).ln()));
        }
        points.push(Pairs { at, rounds });
    }
    points
}
