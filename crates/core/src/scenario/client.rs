//! The rules of a scenario whose clients a browser plays.

use super::check::check_list;
use super::{DEFAULT_HEADERS, Scenario, ScenarioError, Values, setting};
use crate::client::{ClientKind, MOST_TABS};
use crate::contender::{Contender, Stack};
use crate::delivery::Delivery;
use crate::life::Reconnect;
use crate::proxy::Via;
use crate::subject::SubjectName;
use crate::units::Count;

impl Scenario {
    /// That a browser is asked for no more than it can be.
    pub(super) fn check_client(&self) -> Result<(), ScenarioError> {
        check_list("client", &self.client, |_| Ok(()))?;
        let kinds = self.client.as_slice();
        if let Some(kind) =
            (1..kinds.len()).find_map(|at| kinds[..at].contains(&kinds[at]).then_some(kinds[at]))
        {
            return Err(setting("client", format!("`{kind}` is named twice")));
        }
        if kinds.iter().all(ClientKind::is_native) {
            return Ok(());
        }
        self.check_browser().map_err(|problem| setting("client", format!("a browser {problem}")))
    }

    /// Settings that a browser decides for itself, or is not measured with.
    fn check_browser(&self) -> Result<(), String> {
        let is_plain = |contender: &&Contender| contender.stack != Stack::PLAIN;
        if let Some(contender) = self.contenders.iter().find(is_plain) {
            return Err(format!(
                "cannot play `{contender}`: it decides for itself when a connection is kept, and is \
                 measured in clear and uncompressed alone; name short-poll, long-poll, sse or \
                 websocket with -t"
            ));
        }
        if let Some(clients) = self.clients.as_slice().iter().find(|it| it.0 > MOST_TABS) {
            return Err(format!("of {clients} tabs is too much; at most {MOST_TABS}: lower -c"));
        }
        let refused = [
            (self.delivery != Delivery::Every, "is promised every message; leave `delivery` out"),
            (self.headers != DEFAULT_HEADERS, "has header fields of its own; leave `headers` out"),
            (self.cookie_bytes != Values::One(Count(0)), "is given no cookies; leave them out"),
            (self.talk.pattern.is_some(), "only listens; leave `[talk]` out"),
            (!self.link.is_empty(), "is on loopback; leave `[link]` out"),
            (self.via != Values::One(Via::Direct), "reaches the server itself; leave `via` out"),
            (
                !self.subject.as_slice().iter().all(SubjectName::is_own),
                "loads its page from pushbench's own server; leave `subject` out",
            ),
            (
                self.restart.how.is_some() || self.churn.rate.is_some(),
                "keeps its connections; leave `[restart]` and `[churn]` out",
            ),
            (
                self.reconnect != Values::One(Reconnect::default()),
                "pauses as it does; leave `reconnect` out",
            ),
        ];
        match refused.into_iter().find(|(is_asked, _)| *is_asked) {
            Some((_, problem)) => Err(problem.to_owned()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_asked_for_what_it_can_do_alone() {
        let refused = |text: &str| {
            let text = format!("client = [\"native\", \"chromium\"]\n{text}");
            Scenario::parse(&text).unwrap_err().to_string()
        };
        let plain = "transports = [\"sse\"]\nclients = 8\n";
        for (text, part) in [
            ("transports = [\"websocket+tls\"]", "cannot play `websocket+tls`"),
            ("transports = [\"short-poll-close\"]", "cannot play `short-poll-close`"),
            ("transports = [\"sse\"]\nclients = 201", "of 201 tabs is too much"),
            (&format!("{plain}delivery = \"latest\""), "leave `delivery` out"),
            (&format!("{plain}headers = \"curl\""), "leave `headers` out"),
            (&format!("{plain}cookie_bytes = 9"), "given no cookies"),
            (&format!("{plain}via = \"nginx\""), "leave `via` out"),
            (&format!("{plain}subject = \"nchan\""), "leave `subject` out"),
            (&format!("{plain}[link]\ndelay = \"9ms\""), "leave `[link]` out"),
            (&format!("{plain}[churn]\nrate = 1"), "leave `[restart]` and `[churn]` out"),
            (&format!("{plain}reconnect = \"browser\""), "leave `reconnect` out"),
        ] {
            let error = refused(text);
            assert!(error.starts_with("client: a browser ") && error.contains(part), "{error}");
        }
        let twice = Scenario::parse("client = [\"chromium\", \"chromium\"]").unwrap_err();
        assert_eq!(twice.to_string(), "client: `chromium` is named twice");
        let both = format!("client = [\"native\", \"chromium\"]\n{plain}");
        let labels = |text| -> Vec<String> {
            let points = Scenario::parse(text).unwrap().points(None);
            points.into_iter().map(|point| point.label).collect()
        };
        assert_eq!(labels(&both), ["client=native", "client=chromium"]);
    }
}
