//! Random numbers for tests of coverage: what trials of a real machine look like, made up.

use pushbench_core::random;

/// A stream of numbers that a seed fixes.
pub(crate) struct Noise {
    seed: u64,
    drawn: u64,
}

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Within (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.drawn += 1;
        random::uniform(self.seed, 0, self.drawn).clamp(1e-15, 1.0 - 1e-15)
    }

    /// Of mean 1 and median ln 2.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Of mean 0 and variance 1, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Log-normal, of median 1: now and then far out.
    pub(crate) fn skewed(&mut self) -> f64 {
        self.normal().exp()
    }
}
