//! Rounds that never were, with the truth about them. Nothing here knows how a decision is made.

use pushbench_core::Contender;

use crate::judge::advice::{Answer, Candidate, Costs, Round};
use crate::judge::stats::noise::Noise;
use crate::observe::censored::Bounded;

/// A contender that is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// None is.
    None,
    /// The last one is the cheapest by far, and not fresh enough.
    Stale,
    /// The last one is the cheapest by far, and trials of it are invalid.
    Invalid,
}

/// A kind of rounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) seed: u64,
    /// By how many times the smallest difference the best is better.
    pub(super) better: u32,
    pub(super) contenders: usize,
    pub(super) extra: Extra,
}

/// Which cost makes the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decided {
    Cpu,
    Bytes,
    Money,
}

/// The truth about rounds.
#[derive(Debug)]
pub(super) struct Truth {
    /// The best; `None` where those that are not out are equal.
    best: Option<usize>,
    out: Option<usize>,
}

/// An answer held against the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Right,
    NoDifference,
    Wrong,
}

impl Truth {
    /// `None` where one that is out is named.
    pub(super) fn told(&self, answer: &Answer) -> Option<Told> {
        match answer {
            Answer::Take { best, .. } if Some(*best) == self.out => None,
            Answer::Take { best, .. } if Some(*best) == self.best => Some(Told::Right),
            Answer::Any { among, .. } if among.iter().any(|at| Some(*at) == self.out) => None,
            // Of several that are named the best must be one.
            Answer::Any { among, .. } => match self.best {
                Some(best) if !among.contains(&best) => Some(Told::Wrong),
                _ => Some(Told::NoDifference),
            },
            _ => Some(Told::Wrong),
        }
    }
}

/// Student's t that leaves 2.5 % beyond it, of five and of eight degrees of freedom.
const T: [(usize, f64); 2] = [(6, 2.571), (9, 2.306)];

/// A tenth, as the natural logarithm of a factor.
const MATTERS: f64 = 0.0953;

const CONTENDERS: [Contender; 4] =
    [Contender::SHORT_POLL, Contender::LONG_POLL, Contender::SSE, Contender::WEBSOCKET];

impl Case {
    /// The rounds, and the truth.
    pub(super) fn made_up(&self) -> (Vec<Candidate>, Truth) {
        let kind = self.seed * 64 + u64::from(self.better) * 8 + self.contenders as u64;
        let mut noise = Noise::new(kind * 4 + self.extra as u64);
        let (rounds, t) = T[usize::from(noise.uniform() < 0.5)];
        let decided =
            [Decided::Cpu, Decided::Bytes, Decided::Money][(noise.uniform() * 3.0) as usize];
        // Of the logarithm of a trial's cost: from 1 to 15 %.
        let sigma = 0.01 + 0.14 * noise.uniform();
        let pair = std::f64::consts::SQRT_2 * sigma;
        let smallest = MATTERS.max(t * pair / (rounds as f64).sqrt());
        let out = (self.extra != Extra::None).then_some(self.contenders - 1);
        let choice = self.contenders - usize::from(out.is_some());
        let best = (noise.uniform() * choice as f64) as usize;
        let behind: Vec<f64> = (0..self.contenders)
            .map(|at| match at {
                _ if Some(at) == out => -1.0,
                _ if at == best || self.better == 0 => 0.0,
                _ => smallest * (f64::from(self.better) + 2.0 * noise.uniform()),
            })
            .collect();
        let drift = drift(&mut noise, rounds);
        let candidates = (0..self.contenders)
            .map(|at| {
                let is_stale = Some(at) == out && self.extra == Extra::Stale;
                let fresh = Freshness::of(&mut noise, is_stale);
                let invalid = match Some(at) == out && self.extra == Extra::Invalid {
                    true => 1 + rounds / 4,
                    false => 0,
                };
                let of_round = |(round, drift): (usize, &f64)| {
                    let costs = costs(&mut noise, decided, behind[at] + drift, sigma, *drift);
                    let fresh_p99_us = Some(Bounded::Exactly(fresh.us(&mut noise)));
                    (round >= invalid).then_some(Round { fresh_p99_us, lost: 0, costs })
                };
                let rounds = drift.iter().enumerate().map(of_round).collect();
                Candidate { contender: CONTENDERS[at], rounds, is_composed: false, check: None }
            })
            .collect();
        let is_alone = choice == 1;
        let best = (self.better > 0 || is_alone).then_some(best);
        (candidates, Truth { best, out })
    }
}

/// A machine that warms up, cools down, and has neighbours: what it does to a round, as a logarithm.
fn drift(noise: &mut Noise, rounds: usize) -> Vec<f64> {
    let mut at = 0.0;
    (0..rounds)
        .map(|_| {
            at += 0.15 * noise.normal();
            at
        })
        .collect()
}

/// Costs of a trial whose deciding one is `e` to the power of `cost`.
fn costs(noise: &mut Noise, decided: Decided, cost: f64, sigma: f64, drift: f64) -> Costs {
    // Now and then something else is at work on the machine.
    let spike = if noise.uniform() < 0.002 { 0.5 * noise.uniform() } else { 0.0 };
    let noisy = 50.0 * (cost + sigma * noise.normal() + spike).exp();
    let level = 50.0 * (drift + sigma * noise.normal()).exp();
    let exact = 800.0 * (0.001 * noise.normal()).exp();
    let (server_cpu_us, wire_bytes) = match decided {
        Decided::Cpu => (noisy, exact),
        Decided::Bytes => (level, noisy),
        Decided::Money => (level, exact),
    };
    Costs {
        server_cpu_us: Some(server_cpu_us),
        wire_bytes: Some(wire_bytes),
        memory_bytes: Some(5_000.0),
        money: (decided == Decided::Money).then_some(noisy),
        ..Costs::default()
    }
}

/// The p99 of freshness of a contender, against a bound of a second.
struct Freshness {
    middle_us: f64,
}

impl Freshness {
    fn of(noise: &mut Noise, is_stale: bool) -> Self {
        let at = noise.uniform();
        // A push far below the bound, a poll not far below, or one that is 15 % over it and more.
        let middle_us = match () {
            () if is_stale => 1.15e6 + 2e6 * at,
            () if at < 0.5 => 1e4 + 1e5 * at,
            () => 9e5,
        };
        Self { middle_us }
    }

    fn us(&self, noise: &mut Noise) -> f64 {
        let usual = self.middle_us * (0.01 * noise.normal()).exp();
        let is_poll = self.middle_us > 5e5;
        // Once in a hundred trials a push is hindered as long as the bound and longer.
        if noise.uniform() < 0.01 && !is_poll { usual + 2e6 } else { usual }
    }
}
