use pushbench_core::random;

use super::*;

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
            small if small < 0.5 => Outcome::Met { clearly: true },
            below if below < 1.0 => Outcome::Met { clearly: false },
            // What a disturbed machine does to a trial often makes it invalid.
            _ if disturbed && self.uniform() < 0.5 => {
                Outcome::Missed(Limit::new(Place::Machine, "stalled"))
            }
            _ => Outcome::Missed(Limit::new(Place::ServerCpu, "full")),
        }
    }
}

const BOUNDS: Bounds = Bounds { least: 1, most: 1_000_000, within: 0.1 };

/// The end of a search, and its trials.
fn searched(mut trial: impl FnMut(u64) -> Outcome) -> (Found, u32) {
    let mut search = Search::new(BOUNDS);
    while let Some(load) = search.next() {
        search.take(trial(load));
    }
    (search.found().cloned().expect("a search ends"), search.trials)
}

/// How a kind of system comes out over seeds.
#[derive(Debug, Default)]
struct Score {
    /// The load that held is within 10 % of the ceiling.
    right: u32,
    /// The load that failed lies more than 10 % below the ceiling: noise was taken for a limit.
    invented: u32,
    unsettled: u32,
    trials: u32,
}

/// A kind of system: how steep, how noisy, how often disturbed alone and in bursts.
type Kind = (f64, f64, f64, (f64, f64));

fn score((steep, noise, alone, burst): Kind, seeds: u64) -> Score {
    let mut score = Score::default();
    for seed in 1..=seeds {
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
            }
            Found::Unsettled(..) => score.unsettled += 1,
            Found::Misses(_) | Found::AllHeld(_) => score.invented += 1,
        }
    }
    score
}

/// Kinds of systems, and how often in a thousand a limit may be invented.
const KINDS: [(&str, Kind, u32); 6] = [
    ("calm, a queue", (1.0, 0.02, 0.0, (0.0, 0.0)), 0),
    ("noisy, a queue", (1.0, 0.05, 0.0, (0.0, 0.0)), 5),
    ("noisy, a core", (8.0, 0.3, 0.0, (0.0, 0.0)), 5),
    ("one trial in seven disturbed", (1.0, 0.03, 0.14, (0.0, 0.0)), 10),
    ("bursts of three trials", (1.0, 0.03, 0.02, (0.04, 0.7)), 10),
    ("bursts of eight trials, a core", (8.0, 0.2, 0.02, (0.02, 0.88)), 50),
];

#[test]
fn the_ceiling_of_a_noisy_system_is_found_and_noise_is_no_limit() {
    for (name, kind, most_invented) in KINDS {
        let score = score(kind, 1_000);
        assert!(score.right >= 950, "{name}: {score:?}");
        assert!(score.invented <= most_invented, "{name}: {score:?}");
        assert!(score.unsettled <= 10, "{name}: {score:?}");
    }
}

fn missed(place: Place) -> Outcome {
    Outcome::Missed(Limit::new(place, ""))
}

const CLEAR: Outcome = Outcome::Met { clearly: true };

#[test]
fn a_calm_system_takes_few_trials() {
    let (found, trials) = searched(|load| match load {
        0..=20 => CLEAR,
        _ => missed(Place::ServerCpu),
    });
    let Found::Between(20, 21 | 22, limit) = found else { panic!("{found:?}") };
    assert_eq!(limit.place, Place::ServerCpu);
    assert!(trials <= 40, "{trials}");
}

#[test]
fn one_that_misses_at_the_least_load_has_no_capacity() {
    let (found, trials) = searched(|_| missed(Place::Server));
    assert!(matches!(&found, Found::Misses(limit) if limit.place == Place::Server), "{found:?}");
    assert_eq!(trials, MISSES);
}

#[test]
fn the_limit_is_the_one_that_most_misses_met() {
    let mut tries = 0;
    let (found, _) = searched(|load| {
        tries += u32::from(load > 8);
        match load {
            0..=8 => CLEAR,
            _ if tries % 4 == 1 => missed(Place::Machine),
            _ => missed(Place::LoadGenerator),
        }
    });
    let Found::Between(8, 9, limit) = found else { panic!("{found:?}") };
    assert_eq!(limit.place, Place::LoadGenerator);
}

#[test]
fn what_cannot_be_is_not_tried_again() {
    let mut asked = Vec::new();
    let (found, _) = searched(|load| {
        if load <= 100 {
            return CLEAR;
        }
        asked.push(load);
        Outcome::Impossible(Limit::new(Place::System, "open files"))
    });
    let Found::Between(holds, fails, limit) = found else { panic!("{found:?}") };
    assert!(holds <= 100 && fails > 100 && fails as f64 <= holds as f64 * 1.1, "{holds} {fails}");
    assert_eq!(limit.place, Place::System);
    let once = asked.iter().collect::<BTreeSet<_>>().len();
    assert_eq!(asked.len(), once, "{asked:?}");
}

#[test]
fn a_load_that_holds_to_the_end_of_the_search_is_confirmed() {
    let (found, trials) = searched(|_| CLEAR);
    assert_eq!(found, Found::AllHeld(1_000_000));
    // Twenty doublings, and two trials more at the last.
    assert_eq!(trials, 21 + 2);
}

#[test]
fn a_machine_on_which_the_least_load_no_longer_holds_settles_nothing() {
    let mut trials = 0;
    let (found, _) = searched(|_| {
        trials += 1;
        if trials <= 3 { CLEAR } else { missed(Place::Machine) }
    });
    assert!(matches!(found, Found::Unsettled(Some(4), _)), "{found:?}");
}

#[test]
fn a_disturbance_while_loads_double_is_found_out_in_the_end() {
    let mut trials = 0;
    let (found, _) = searched(|load| {
        trials += 1;
        // From the fifth trial on the machine stands still for a while, and low loads do not show it.
        let disturbed = (5..15).contains(&trials) && load > 4;
        if load > 1_000 || disturbed { missed(Place::Unknown) } else { CLEAR }
    });
    let Found::Between(holds, fails, _) = found else { panic!("{found:?}") };
    assert!(holds >= 900 && fails <= 1_100, "{holds} {fails}");
}

/// Neither holding nor failing, over a wide stretch of loads.
#[test]
fn a_search_ends_where_nothing_is_sharp() {
    for seed in 1..=500 {
        let mut tries = 0;
        let (found, trials) = searched(|load| {
            tries += 1;
            let chance = (load as f64 / 6.0).log2().clamp(0.0, 1.0);
            let misses = random::uniform(seed, 3, tries) < chance;
            if misses { missed(Place::LoadGenerator) } else { CLEAR }
        });
        let Found::Between(holds, fails, limit) = found else { panic!("{seed}: {found:?}") };
        assert!((4..=12).contains(&holds) && fails <= 16, "{seed}: {holds} {fails}");
        assert_eq!(limit.place, Place::LoadGenerator);
        assert!(trials < TRIALS, "{seed}: {trials}");
    }
}

#[test]
fn middles_are_round_and_inside() {
    for (holds, fails, expected) in
        [(16, 32, 23), (1_024, 2_048, 1_400), (100, 112, 106), (1, 3, 2), (20, 22, 21)]
    {
        assert_eq!(middle(holds, fails), expected, "{holds} {fails}");
    }
}
