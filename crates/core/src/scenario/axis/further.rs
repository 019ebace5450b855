//! Values that no list has: of points that are added to a sweep while it is measured.

use std::time::Duration;

use super::{Axis, Point};
use crate::link::Ways;
use crate::units::{Rate, Span};

/// Significant digits of a value that is added: people read it, and nobody needs it finer.
const DIGITS: i32 = 3;

impl Axis {
    /// Whether a point may have a value of it that no list has.
    #[must_use]
    pub fn takes_further_values(self) -> bool {
        matches!(
            self,
            Self::Clients
                | Self::Rate
                | Self::Payload
                | Self::PollInterval
                | Self::LongPollTimeout
                | Self::CookieBytes
                | Self::Speed
                | Self::Delay
                | Self::TalkRate
        )
    }

    /// A round value near `value`, which is in the axis' [unit](Self::unit): things are whole, all
    /// else has three digits.
    #[must_use]
    pub fn round(self, value: f64) -> f64 {
        let digits = match value {
            0.0 => 0,
            #[expect(clippy::cast_possible_truncation, reason = "an f64's exponent is small")]
            _ => DIGITS - 1 - value.abs().log10().floor() as i32,
        };
        // By a power that is whole, so that 0.3 is 3 / 10 and not 3 × 0.1.
        let power = 10.0_f64.powi(digits.abs());
        let rounded = match digits {
            0.. => (value * power).round() / power,
            _ => (value / power).round() * power,
        };
        match self {
            Self::Rate | Self::Speed | Self::TalkRate => rounded,
            _ => rounded.round(),
        }
    }

    /// Gives `point` that value; `None`, and the point as it is, where the axis takes none or not
    /// this one.
    pub(in crate::scenario) fn put(self, value: f64, point: &mut Point) -> Option<()> {
        let span = Duration::try_from_secs_f64(value / 1e6).ok().map(Span);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float that is no such number becomes the nearest"
        )]
        let whole = value.round() as u32;
        match self {
            Self::Clients => point.clients = whole,
            Self::Rate => point.rate = Rate::from_hz(value)?,
            Self::Payload => point.payload_bytes = f64::from(whole),
            Self::PollInterval => point.poll_interval = span?,
            Self::LongPollTimeout => point.long_poll_timeout = span?,
            Self::CookieBytes => point.cookie_bytes = whole,
            Self::Speed => point.speed = value,
            Self::Delay => point.link.as_mut()?.delay = Ways::both(span?),
            Self::TalkRate => point.talk.as_mut()?.rate = Rate::from_hz(value)?,
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn values_are_round_and_things_are_whole() {
        for (axis, value, round) in [
            (Axis::Rate, 2.236_07, 2.24),
            (Axis::Rate, 0.158_1, 0.158),
            (Axis::Clients, 70.71, 71.0),
            (Axis::Clients, 7_071.1, 7_070.0),
            (Axis::Payload, 362.04, 362.0),
            (Axis::PollInterval, 632_455.5, 632_000.0),
            (Axis::Delay, 0.0, 0.0),
        ] {
            assert_eq!(axis.round(value), round, "{axis:?} {value}");
        }
    }

    #[test]
    fn a_further_point_is_as_another_in_all_but_the_axis_and_what_follows_from_it() {
        let toml = "clients = [10, 40]\nrate = [\"1/s\", \"4/s\"]\npayload = \"100B\"";
        let scenario = Scenario::parse(toml).unwrap();
        let points = scenario.points(None);
        let further = scenario.further_point(5, &points[0], (Axis::Rate, 2.0), None).unwrap();
        assert_eq!((further.id, further.clients, further.rate_hz), (5, 10, 2.0));
        assert_eq!(further.label, "clients=10 rate=2/s");
        assert_eq!(further.payload_bytes, 100.0);

        let together = Scenario::parse("clients = [10, 40]\ntotal_rate = \"400/s\"").unwrap();
        let points = together.points(None);
        let further = together.further_point(3, &points[0], (Axis::Clients, 20.0), None).unwrap();
        assert_eq!((further.clients, further.rate_hz), (20, 20.0));
        assert_eq!(together.further_point(3, &points[0], (Axis::Clients, 2e9), None), None);
        assert_eq!(together.further_point(3, &points[0], (Axis::Loss, 1.0), None), None);
    }

    #[test]
    fn each_axis_that_takes_further_values_has_them() {
        let toml = "payload = \"100B\"\n[link]\ndelay = \"10ms\"\n[talk]\npattern = \"echo\"";
        let scenario = Scenario::parse(toml).unwrap();
        let point = &scenario.points(None)[0];
        for axis in Axis::ALL {
            let mut further = point.clone();
            let taken = axis.put(1_000.0, &mut further).is_some();
            assert_eq!(taken, axis.takes_further_values(), "{axis:?}");
            assert!(!taken || (axis.value(&further) - 1_000.0).abs() < 1e-6, "{axis:?}");
        }
    }
}
