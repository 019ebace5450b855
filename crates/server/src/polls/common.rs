//! Parts that all polls have in common: replies made once, who waits, the next deadline, how they end.

use std::rc::Rc;

use pushbench_core::MonoInstant;
use pushbench_protocol::headers::HeaderProfile;
use tokio::sync::Notify;

use super::receipt::Receipts;
use super::reply::{Replies, always_closes};
use super::request::Persistence;
use super::waiting::Waiting;

/// Parts that all polls have in common.
#[derive(Debug, Default)]
pub(crate) struct PollsCommon {
    pub(super) replies: Replies,
    /// Answers to those who have said something.
    pub(super) receipts: Receipts,
    pub(super) waiting: Waiting,
    /// No long poll's time is over before this.
    pub(super) next_deadline: Option<MonoInstant>,
    /// Says that `next_deadline` has come nearer.
    pub(super) alarm: Rc<Notify>,
    /// Every response of the profile says that it is the last.
    pub(super) always_closes: bool,
    pub(super) stopping: bool,
}

impl PollsCommon {
    pub(super) fn new(profile: &HeaderProfile) -> Self {
        Self { always_closes: always_closes(profile), ..Self::default() }
    }

    /// Whether a connection outlives a response that is made now.
    pub(crate) const fn persistence(&self, asked: Persistence) -> Persistence {
        if self.stopping || self.always_closes { Persistence::Closes } else { asked }
    }

    /// Has the deadlines looked at no later than at this one.
    pub(super) fn wait_until(&mut self, deadline: MonoInstant) {
        if self.next_deadline.is_none_or(|next| deadline < next) {
            self.next_deadline = Some(deadline);
            self.alarm.notify_one();
        }
    }
}
