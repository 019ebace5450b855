//! A threshold on a comparison, and whether any change could break it.
//!
//! A gate that nothing breaks is worth what could have broken it. So a figure that could not have
//! been called worse, had it alone moved and however far, is no figure that held: it was not
//! judged, and the threshold says so instead of passing.

use std::fmt;

use super::{ComparedFigure, Comparison, Power, Verdict};

/// The most figures that are listed by name.
const LISTED: usize = 24;

/// Why a threshold cannot be answered: nothing broke it, and of these figures nothing could have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct Unbreakable {
    /// The threshold, a share of the figure before.
    pub threshold: f64,
    /// The figures that too few trials have.
    pub too_few: Vec<String>,
    /// Figures, transports and points of one run that the other has not.
    pub lacking: Vec<String>,
    /// Figures of a run that are known only to be at least something.
    pub bounded: Vec<String>,
    /// The least that so many trials can show.
    pub power: Power,
}

impl Comparison {
    /// Rows that are worse by more than `share`, where the trials of the two runs could have shown
    /// that of each judged figure or do show it of one.
    ///
    /// # Errors
    ///
    /// [`Unbreakable`], with the figures that could not have been called worse.
    pub fn gate(&self, share: f64) -> Result<Vec<&ComparedFigure>, Unbreakable> {
        let broken: Vec<&ComparedFigure> = self.worse_by(share).collect();
        let power = self.power;
        let cannot = |row: &&ComparedFigure| {
            row.change.is_judged_by_ranks() && !power.shows_one(row.change.trials)
        };
        let too_few: Vec<String> =
            self.rows.iter().filter(cannot).map(ComparedFigure::name).collect();
        let misses_any = !self.lacking.is_empty() || !self.bounded.is_empty();
        let is_blind = !too_few.is_empty() || misses_any || !self.judges_any();
        if broken.is_empty() && is_blind {
            let (lacking, bounded) = (self.lacking.clone(), self.bounded.clone());
            return Err(Unbreakable { threshold: share, too_few, lacking, bounded, power });
        }
        Ok(broken)
    }

    /// Rows that are worse by more than `share`, by verdict too.
    pub fn worse_by(&self, share: f64) -> impl Iterator<Item = &ComparedFigure> {
        let more =
            move |row: &&ComparedFigure| row.change.relative().is_none_or(|change| change > share);
        self.with(Verdict::Worse).filter(more)
    }

    fn judges_any(&self) -> bool {
        self.rows.iter().any(|row| row.change.verdict.is_some())
    }
}

impl Unbreakable {
    /// How many trials would do, of both runs or of the second.
    fn remedy(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = self.power.trials;
        let both = self.power.runs_needed(1);
        write!(
            f,
            "with {before} and {after} trials no change of one of the {} figures judged together \
             can be shown, however large; run both with --runs {both}",
            self.power.judged
        )?;
        match self.power.runs_needed_beside(before) {
            Some(more) if more != both => {
                write!(f, ", or the second with --runs {more} beside the {before} of the first")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Unbreakable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--threshold {}% could not be broken", percent(self.threshold))?;
        let mut and = ":";
        if !self.too_few.is_empty() {
            write!(f, " by {}: ", listed(&self.too_few))?;
            self.remedy(f)?;
            and = "; and";
        }
        if !self.lacking.is_empty() {
            let what = listed(&self.lacking);
            write!(f, "{and} only one of the runs has {what}; measure the same in both")?;
            and = "; and";
        }
        if !self.bounded.is_empty() {
            let what = listed(&self.bounded);
            write!(
                f,
                "{and} messages that were still under way leave but a bound of {what}; lower the \
                 load until none are late"
            )?;
            and = "; and";
        }
        if and == ":" {
            f.write_str(": no judged figure is in both runs; measure the same in both")?;
        }
        Ok(())
    }
}

/// A share in percent, to two places and without what floats add.
#[must_use]
pub fn percent(share: f64) -> f64 {
    (share * 1e4).round() / 1e2
}

fn listed(names: &[String]) -> String {
    let shown = &names[..names.len().min(LISTED)];
    let more = names.len() - shown.len();
    let and = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{and}", shown.join(", "))
}

#[cfg(test)]
mod tests;
