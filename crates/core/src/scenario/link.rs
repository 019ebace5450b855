//! The `[link]` table of a scenario: what lies between server and clients.

use serde::{Deserialize, Serialize};

use super::check::check_list;
use super::{Point, Scenario, ScenarioError, Values, setting};
use crate::ip::IpVersion;
use crate::link::{BurstLength, Link, LinkName, QueueLimit, Scope, Ways};
use crate::units::{BitRate, Share, Span};

/// The `[link]` table of a scenario. Without any key in it clients reach the server over loopback;
/// with one they reach it over a link, which does nothing but what the keys say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkTable {
    /// The name of a built-in link, whose settings hold where no other key says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Values<LinkName>>,
    /// How long a packet is under way in one direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Values<Ways<Span>>>,
    /// By how much a packet's delay may differ from that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Values<Ways<Span>>>,
    /// The share of packets that are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Values<Ways<Share>>>,
    /// How many packets are lost in a row, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<Values<Ways<BurstLength>>>,
    /// The rate from server to client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down: Option<Values<BitRate>>,
    /// The rate from client to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<Values<BitRate>>,
    /// How much may wait in front of a line that has a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Values<Ways<QueueLimit>>>,
    /// The version of IP at both ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_version: Option<Values<IpVersion>>,
    /// The largest packet that passes, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// Whose lines they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Whether a packet may overtake the one before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<bool>,
    /// How many connections beside the feed fill the shared line from server to client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_down: Option<Values<u32>>,
    /// The same from client to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_up: Option<Values<u32>>,
}

impl LinkTable {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Gives `point` the link that the other lists start from: the one at place `at` of the names.
    pub(super) fn begin(&self, at: usize, point: &mut Point) {
        if self.is_empty() {
            return;
        }
        let name = self.name.as_ref().map(|names| names.as_slice()[at]);
        let mut link = name.map_or_else(Link::default, LinkName::link);
        link.mtu = self.mtu.unwrap_or(link.mtu);
        link.scope = self.scope.unwrap_or(link.scope);
        link.reorder = self.reorder.unwrap_or(link.reorder);
        (point.link_name, point.link) = (name, Some(link));
    }
}

impl Scenario {
    /// Checks the link of each point.
    pub(super) fn check_link(&self) -> Result<(), ScenarioError> {
        let table = &self.link;
        check_some("link.name", table.name.as_ref())?;
        check_some("link.delay", table.delay.as_ref())?;
        check_some("link.jitter", table.jitter.as_ref())?;
        check_some("link.loss", table.loss.as_ref())?;
        check_some("link.burst", table.burst.as_ref())?;
        check_some("link.down", table.down.as_ref())?;
        check_some("link.up", table.up.as_ref())?;
        check_some("link.queue", table.queue.as_ref())?;
        check_some("link.ip_version", table.ip_version.as_ref())?;
        check_some("link.load_down", table.load_down.as_ref())?;
        check_some("link.load_up", table.load_up.as_ref())?;
        if table.is_empty() {
            return Ok(());
        }
        self.points(None).iter().try_for_each(Point::check_link)
    }
}

/// Checks that a list is one, where it is given. What its values may be is asked of each point, since
/// they need each other.
fn check_some<T>(key: &'static str, values: Option<&Values<T>>) -> Result<(), ScenarioError> {
    values.map_or(Ok(()), |values| check_list(key, values, |_| Ok(())))
}

impl Point {
    /// Checks its link, as one.
    pub(super) fn check_link(&self) -> Result<(), ScenarioError> {
        let Some(link) = &self.link else { return Ok(()) };
        link.check().map_err(|error| setting(error.key, error.problem))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::Axis;

    fn points(text: &str) -> Vec<Point> {
        Scenario::parse(text).unwrap().points(None)
    }

    fn ms(ms: u64) -> Ways<Span> {
        Ways::both(Span(Duration::from_millis(ms)))
    }

    #[test]
    fn without_a_table_there_is_no_link_and_a_delay_of_zero_is_one() {
        assert_eq!(points("")[0].link, None);
        assert_eq!(points("[link]\ndelay = \"0ms\"")[0].link, Some(Link::default()));
    }

    #[test]
    fn lists_span_points_and_a_key_stands_in_front_of_the_names_own() {
        let text = "[link]\nname = [\"3g\", \"lan\"]\ndelay = [\"1ms\", \"30ms:20ms\"]\njitter = 0";
        let points = points(text);
        let labels: Vec<&str> = points.iter().map(|point| point.label.as_str()).collect();
        let expected = [
            "link=3g delay=1ms",
            "link=3g delay=30ms:20ms",
            "link=lan delay=1ms",
            "link=lan delay=30ms:20ms",
        ];
        assert_eq!(labels, expected);
        let named = LinkName::link("3g".parse().unwrap());
        let expected = Link { delay: ms(1), jitter: ms(0), ..named };
        assert_eq!(points[0].link.as_ref(), Some(&expected));
        assert_eq!(points[2].link_name, Some("lan".parse().unwrap()));
    }

    #[test]
    fn cross_traffic_is_an_axis_whose_zero_is_a_link_without_any() {
        let text = "[link]\nscope = \"shared\"\ndown = \"1Mbit/s\"\nload_down = [0, 2]";
        let points = points(text);
        let labels: Vec<&str> = points.iter().map(|point| point.label.as_str()).collect();
        assert_eq!(labels, ["load-down=0", "load-down=2"]);
        let loads = points.iter().map(|point| point.link.as_ref().unwrap().load_down);
        assert_eq!(loads.collect::<Vec<_>>(), [0, 2]);
        let columns = |axis: Axis| [axis.field(&points[1]), axis.field(&Point::numbered(1))];
        assert_eq!(columns(Axis::LoadDown), ["2", ""]);
        assert_eq!(columns(Axis::LoadUp), ["0", ""]);
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key() {
        for (text, part) in [
            ("delay = \"11s\"", "link.delay: 11s is too long"),
            ("delay = [\"1ms\", \"11s\"]", "link.delay: 11s is too long"),
            ("delay = []", "link.delay: the list is empty"),
            ("down = \"1bit/s\"", "link.down: 1bit/s is not within"),
            ("loss = \"100%\"", "link.loss"),
            ("name = \"5g\"", "no link is called `5g`"),
            ("delay = [\"1ms\", \"10ms\"]\njitter = \"5ms\"", "link.jitter: 5ms"),
            ("down = \"1Mbit/s\"\nload_down = [0, 2]", "link.load_down: it takes a line that all"),
            ("scope = \"shared\"\nload_down = []", "link.load_down: the list is empty"),
            ("latency = \"1ms\"", "unknown field `latency`"),
        ] {
            let error = Scenario::parse(&format!("[link]\n{text}")).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
