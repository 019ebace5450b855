//! Searches on made-up systems whose ceiling is known, by thousands of seeds: how often it is found, and how
//! often noise is taken for a limit.

use pushbench_core::random;

use super::searched;
use crate::capacity::search::*;

/// A system whose p99 is known: written apart from the search, which sees outcomes alone.
struct Noisy {
    /// The load at which an undisturbed p99 is just the limit.
    ceiling: f64,
    /// The power of the load that p99 grows with: 1 of a queue's length, large of a core that fills.
    steep: f64,
    /// The standard deviation of the logarithm of what a trial measures.
    noise: f64,
    /// How often a trial is disturbed by itself, and how often a burst begins, and goes on.
    alone: f64,
    burst: (f64, f64),
    /// Disturbed by a burst now.
    in_burst: bool,
    seed: u64,
    drawn: u64,
}

impl Noisy {
    fn uniform(&mut self) -> f64 {
        self.drawn += 1;
        (random::bits(self.seed, 77, self.drawn) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (one, other) = (self.uniform().max(1e-12), self.uniform());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    fn trial(&mut self, load: u64) -> Outcome {
        let (begins, goes_on) = self.burst;
        let chance = if self.in_burst { goes_on } else { begins };
        self.in_burst = self.uniform() < chance;
        let disturbed = self.in_burst || self.uniform() < self.alone;
        let disturbance = if disturbed { 1.5 + 20.0 * self.uniform() } else { 1.0 };
        let of_limit = (load as f64 / self.ceiling).powf(self.steep)
            * (self.noise * self.normal()).exp()
            * disturbance;
        match of_limit {
            small if small < 0.5 => Outcome::Met { clearly: true, took: Some(small) },
            below if below < 1.0 => Outcome::Met { clearly: false, took: Some(below) },
            // What a disturbed machine does to a trial often makes it invalid.
            above => {
                let stalled = disturbed && self.uniform() < 0.5;
                let place = if stalled { Place::Machine } else { Place::ServerCpu };
                Outcome::Missed { limit: Limit::new(place, ""), took: Some(above) }
            }
        }
    }
}

/// How a kind of system comes out over seeds.
#[derive(Debug, Default)]
struct Score {
    /// The load that held is within 10 % of the ceiling.
    right: u32,
    /// The load that failed lies more than 10 % below the ceiling: noise was taken for a limit.
    invented: u32,
    /// The load that held lies more than 10 % above it.
    overlooked: u32,
    unsettled: u32,
    trials: u32,
}

/// A kind of system: how steep, how noisy, how often disturbed alone and in bursts.
type Kind = (f64, f64, f64, (f64, f64));

/// Searches for each kind.
const SEEDS: u64 = 2_000;

fn score((steep, noise, alone, burst): Kind) -> Score {
    let mut score = Score::default();
    for seed in 1..=SEEDS {
        let (in_burst, drawn, ceiling) = (false, 0, 1.0);
        let mut system = Noisy { ceiling, steep, noise, alone, burst, in_burst, seed, drawn };
        // From 20 to 30,000.
        system.ceiling = 10_f64.powf(1.3 + 3.2 * system.uniform());
        let ceiling = system.ceiling;
        let (found, trials) = searched(|load| system.trial(load));
        score.trials += trials;
        match found {
            Found::Between(holds, fails, _) => {
                score.right += u32::from((0.9..=1.1).contains(&(holds as f64 / ceiling)));
                score.invented += u32::from((fails as f64) < ceiling / 1.1);
                score.overlooked += u32::from(holds as f64 > ceiling * 1.1);
            }
            Found::Unsettled(..) => score.unsettled += 1,
            Found::Misses(_) => score.invented += 1,
            Found::AllHeld(_) => score.overlooked += 1,
        }
    }
    score
}

/// Whose p99 grows as a queue does, and steeply as a core fills.
const QUEUE: (f64, f64) = (1.0, 0.03);
const CORE: (f64, f64) = (8.0, 0.2);

/// Kinds of systems. One trial in seven is disturbed by bursts of so many trials, if by any.
fn kinds() -> Vec<(String, Kind)> {
    let calm = (0.0, 0.0);
    let mut kinds = vec![
        ("calm, a queue".to_owned(), (1.0, 0.02, 0.0, calm)),
        ("noisy, a queue".to_owned(), (1.0, 0.05, 0.0, calm)),
        ("noisy, a core".to_owned(), (8.0, 0.3, 0.0, calm)),
    ];
    for length in [1.0, 2.0, 4.0, 8.0, 16.0] {
        for (name, (steep, noise)) in [("queue", QUEUE), ("core", CORE)] {
            let burst = (1.0 / (6.0 * length), 1.0 - 1.0 / length);
            kinds.push((format!("a {name}, bursts of {length}"), (steep, noise, 0.02, burst)));
        }
    }
    kinds
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is shown where a gate fails")]
fn the_ceiling_of_a_noisy_system_is_found_and_noise_is_no_limit() {
    let per_mille = |count: u32| f64::from(count) * 1_000.0 / SEEDS as f64;
    let mut invented = 0;
    println!("{:<22}  right  invented  overlooked  unsettled  trials", "per mille");
    for (name, kind) in kinds() {
        let score = score(kind);
        println!(
            "{name:<22} {:>6.1} {:>9.1} {:>11.1} {:>10.1} {:>7.1}",
            per_mille(score.right),
            per_mille(score.invented),
            per_mille(score.overlooked),
            per_mille(score.unsettled),
            f64::from(score.trials) / SEEDS as f64
        );
        invented += score.invented;
        assert!(per_mille(score.right) >= 980.0, "{name}: {score:?}");
        assert!(per_mille(score.invented) <= 3.0, "{name}: {score:?}");
        assert!(per_mille(score.overlooked) <= 1.0, "{name}: {score:?}");
        assert!(per_mille(score.unsettled) <= 20.0, "{name}: {score:?}");
        assert!(score.trials <= 55 * SEEDS as u32, "{name}: {score:?}");
    }
    assert!(per_mille(invented) <= 4.0, "{invented} of all kinds");
}
