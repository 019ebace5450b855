//! The `[restart]` and `[churn]` tables of a scenario: what becomes of connections while the feed runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::check_list;
use super::{Point, Scenario, ScenarioError, Values, setting};
use crate::delivery::Delivery;
use crate::feed::schedule::check_rate;
use crate::life::{Churn, Halt, Restart};
use crate::subject::SubjectName;
use crate::units::{Count, Rate, Span};

/// The longest that nobody listens.
const MOST_DOWN: Duration = Duration::from_secs(60);

/// The most clients that leave at once.
const MOST_AT_ONCE: u64 = 1_000_000;

/// The `[restart]` table of a scenario: with `how`, the server goes within the window and another
/// comes in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestartTable {
    /// How the server goes; `None` where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<Values<Halt>>,
    /// When, from the window's start.
    #[serde(skip_serializing_if = "is_usual_at")]
    pub at: Span,
    /// How long nobody listens at least.
    #[serde(skip_serializing_if = "is_usual_down")]
    pub down: Values<Span>,
}

/// The `[churn]` table of a scenario: with a rate, clients leave and others come in their place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChurnTable {
    /// How often clients leave; `None` where they stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Values<Rate>>,
    /// How many leave at once.
    #[serde(skip_serializing_if = "is_usual_burst")]
    pub burst: Values<Count>,
}

const USUAL_AT: Span = Span(Duration::from_secs(2));
const USUAL_DOWN: Values<Span> = Values::One(Span(Duration::from_millis(500)));
const USUAL_BURST: Values<Count> = Values::One(Count(1));

fn is_usual_at(at: &Span) -> bool {
    *at == USUAL_AT
}

fn is_usual_down(down: &Values<Span>) -> bool {
    *down == USUAL_DOWN
}

fn is_usual_burst(burst: &Values<Count>) -> bool {
    *burst == USUAL_BURST
}

impl Default for RestartTable {
    fn default() -> Self {
        Self { how: None, at: USUAL_AT, down: USUAL_DOWN }
    }
}

impl Default for ChurnTable {
    fn default() -> Self {
        Self { rate: None, burst: USUAL_BURST }
    }
}

impl RestartTable {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Gives `point` the restart that the other lists are chosen for.
    pub(super) fn begin(&self, at: usize, point: &mut Point) {
        let how = self.how.as_ref().map(|all| all.as_slice()[at]);
        let down = Span(Duration::ZERO);
        point.life.restart = how.map(|how| Restart { how, at: self.at, down });
    }
}

impl ChurnTable {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Gives `point` the churn that the other list is chosen for.
    pub(super) fn begin(&self, at: usize, point: &mut Point) {
        let rate = self.rate.as_ref().map(|all| all.as_slice()[at]);
        point.life.churn = rate.map(|rate| Churn { rate, burst: 1 });
    }
}

impl Scenario {
    /// Checks what a restart and churn need of the other settings.
    pub(super) fn check_life(&self) -> Result<(), ScenarioError> {
        self.check_restart()?;
        self.check_churn()?;
        check_list("reconnect", &self.reconnect, |_| Ok(()))?;
        if self.restart.how.is_none() && self.churn.rate.is_none() {
            return Ok(());
        }
        let (key, what) = match self.restart.how {
            Some(_) => ("restart.how", "the server that goes"),
            None => ("churn.rate", "clients that come and go"),
        };
        let alone = |problem: &str| Err(setting(key, format!("{what} {problem}")));
        if let Some(pattern) = &self.talk.pattern {
            if self.churn.rate.is_some() {
                return alone(
                    "cannot be combined with `[talk]`: whoever comes anew has said nothing yet; \
                     leave one out",
                );
            }
            if !pattern.as_slice().iter().all(|pattern| pattern.is_heard()) {
                return alone(
                    "takes with it what it has heard of uploads; choose another `talk.pattern`, or \
                     leave the restart out",
                );
            }
        }
        if !self.subject.as_slice().iter().all(SubjectName::is_own) {
            return alone("needs pushbench's own server, whose cursors hold; leave `subject` out");
        }
        if self.floor {
            return alone(
                "cannot be combined with `floor`: bare loops do not reconnect; leave it out",
            );
        }
        Ok(())
    }

    fn check_restart(&self) -> Result<(), ScenarioError> {
        let table = &self.restart;
        let Some(how) = &table.how else {
            if table.is_empty() {
                return Ok(());
            }
            let problem = "the table says when the server goes, but not how; name `kill` or `term`";
            return Err(setting("restart.how", problem));
        };
        check_list("restart.how", how, |_| Ok(()))?;
        check_list("restart.down", &table.down, |down| {
            if down.0 <= MOST_DOWN { Ok(()) } else { Err(format!("{down} is longer than 1m")) }
        })?;
        if self.delivery != Delivery::Every {
            let problem =
                "after a restart it is asked whether every message arrived: `every` alone";
            return Err(setting("delivery", problem));
        }
        let down = table.down.as_slice().iter().map(|down| down.0).max().unwrap_or_default();
        if table.at.0 + down >= self.duration.0 {
            let problem = format!(
                "{} and {} without a server are not within the window of {}; lengthen `duration`",
                table.at,
                Span(down),
                self.duration
            );
            return Err(setting("restart.at", problem));
        }
        Ok(())
    }

    fn check_churn(&self) -> Result<(), ScenarioError> {
        let table = &self.churn;
        let Some(rate) = &table.rate else {
            if table.is_empty() {
                return Ok(());
            }
            let problem = "the table says how many leave at once, but not how often; name a rate";
            return Err(setting("churn.rate", problem));
        };
        check_list("churn.rate", rate, |rate| check_rate(*rate).map_err(|why| why.problem))?;
        check_list("churn.burst", &table.burst, |burst| match burst.0 {
            1..=MOST_AT_ONCE => Ok(()),
            burst => Err(format!("{burst} is not within 1 and 1000k")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::Reconnect;

    fn refused(text: &str) -> String {
        Scenario::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_restart_is_a_point_of_its_own_for_each_way_and_time() {
        let text = "reconnect = [\"jitter\", \"browser\"]\n[restart]\nhow = [\"kill\", \"term\"]\n\
                    at = \"3s\"\ndown = \"1s\"";
        let points = Scenario::parse(text).unwrap().points(None);
        let labels: Vec<&str> = points.iter().map(|point| point.label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "restart=kill reconnect=jitter",
                "restart=kill reconnect=browser",
                "restart=term reconnect=jitter",
                "restart=term reconnect=browser"
            ]
        );
        let second = Span(Duration::from_secs(1));
        let expected = Restart { how: Halt::Term, at: Span(Duration::from_secs(3)), down: second };
        assert_eq!(points[3].life.restart, Some(expected));
        assert_eq!(points[3].life.reconnect, Reconnect::Browser);
        let json = serde_json::to_string(&points[3]).unwrap();
        assert_eq!(serde_json::from_str::<Point>(&json).unwrap(), points[3]);
    }

    #[test]
    fn churn_is_a_point_of_its_own_for_each_rate_and_burst() {
        let text = "[churn]\nrate = [\"1/s\", \"50/s\"]\nburst = 20";
        let points = Scenario::parse(text).unwrap().points(None);
        let churn = points[1].life.churn.unwrap();
        assert_eq!((churn.rate.hz(), churn.burst, points.len()), (50.0, 20, 2));
        assert!(Scenario::parse("").unwrap().points(None)[0].life.churn.is_none());
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_its_key() {
        let kill = "[restart]\nhow = \"kill\"\n";
        for (text, part) in [
            ("[restart]\nat = \"1s\"".to_owned(), "restart.how: the table says when"),
            ("[churn]\nburst = 5".to_owned(), "churn.rate: the table says how many"),
            (format!("{kill}at = \"9600ms\""), "restart.at: 9600ms and 500ms without a server"),
            (format!("{kill}down = \"61s\""), "restart.down: 61s is longer than 1m"),
            (format!("delivery = \"latest\"\n{kill}"), "delivery: after a restart"),
            (format!("floor = true\n{kill}"), "restart.how: the server that goes cannot be"),
            (format!("subject = \"nchan\"\n{kill}"), "restart.how: the server that goes needs"),
            (format!("{kill}[talk]\npattern = \"upload\""), "takes with it what it has heard"),
            ("[churn]\nrate = 1\n[talk]\npattern = \"chat\"".to_owned(), "whoever comes anew"),
            ("[churn]\nrate = 0".to_owned(), "it must be above zero"),
            ("[churn]\nrate = 1\nburst = 0".to_owned(), "churn.burst: 0 is not within"),
            ("[restart]\nhow = \"pull\"".to_owned(), "unknown variant `pull`"),
        ] {
            let error = refused(&text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
