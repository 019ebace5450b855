//! The description of the feed.

use http::StatusCode;
use pushbench_core::feed::{FEED_FORMAT, FeedDescription};

use super::row::{Answers, Endpoint, GET_OR_HEAD};
use crate::http::answer::{self, Answer};
use crate::shared::Shared;

/// The description of the feed.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/feed",
    methods: GET_OR_HEAD,
    is_for_people: false,
    answers: Answers::Page(describe),
};

/// `GET /feed`.
fn describe(shared: &Shared) -> Answer {
    let feed = &shared.config.feed;
    let ring = shared.feed.ring.borrow();
    let description = FeedDescription {
        format: FEED_FORMAT.to_owned(),
        id: ring.whose.feed.to_string(),
        seed: feed.seed,
        schedule: feed.schedule.clone(),
        payload: (&feed.payload).into(),
        origin: shared.origin.get(),
        boot_id: shared.boot_id.clone(),
        oldest: ring.oldest(),
        newest: ring.newest(),
        checkpoint: shared.checkpoint(),
    };
    match serde_json::to_vec(&description) {
        Ok(json) => answer::content(StatusCode::OK, answer::JSON, json),
        Err(error) => answer::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format_args!("cannot describe the feed: {error}"),
        ),
    }
}
