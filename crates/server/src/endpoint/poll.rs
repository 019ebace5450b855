//! Polls: messages on request, at once or after a wait (RFC 6202 §2).

use pushbench_core::{Contender, Delivery};
use pushbench_protocol::headers::HeaderProfile;

use super::row::{Answers, Endpoint, GET_OR_HEAD};

/// Short polls.
pub(super) const SHORT: Endpoint = Endpoint {
    path: "/feed/poll",
    methods: GET_OR_HEAD,
    is_for_people: false,
    answers: Answers::Poll { waits: false },
};

/// Long polls.
pub(super) const LONG: Endpoint = Endpoint {
    path: "/feed/long-poll",
    methods: &["GET"],
    is_for_people: false,
    answers: Answers::Poll { waits: true },
};

pub(super) const ROOM_SHORT: Endpoint = Endpoint { path: "/rooms/NAME/poll", ..SHORT };

pub(super) const ROOM_LONG: Endpoint = Endpoint { path: "/rooms/NAME/long-poll", ..LONG };

/// The delivery of a short poll whose path is the profile's own.
pub(super) fn implied_delivery(profile: &HeaderProfile) -> Delivery {
    profile.implied_delivery(Contender::SHORT_POLL)
}
