//! A client that asks again and again.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use http::StatusCode;
use http::header::IF_NONE_MATCH;
use pushbench_core::{Contender, Delivery, Seq};
use tokio::time::sleep;

use super::{End, Later, Message, Reader, Refused, Subscription, gone, messages};
use crate::http::{Answer, BoxError, HttpClient, get_with};

/// From an answer without news to the next question: short, since a test waits meanwhile.
const PERIOD: Duration = Duration::from_millis(3);

/// Under `every` it asks by cursor. Under `latest` it asks for the newest value, whichever that
/// is, and passes over one that it has.
pub(super) struct ShortPoll {
    subscription: Subscription,
    contender: Contender,
    client: HttpClient,
    cursor: Option<Seq>,
    waiting: VecDeque<Message>,
}

impl ShortPoll {
    /// Asks once, so that a client without a cursor begins now and one that is refused knows it.
    pub(super) async fn open(
        subscription: Subscription,
        contender: Contender,
    ) -> Result<Self, Refused> {
        let client = HttpClient::on(subscription.target, contender.stack);
        let cursor = subscription.after;
        let waiting = VecDeque::new();
        let mut poll = Self { subscription, contender, client, cursor, waiting };
        let answer = poll.ask().await?;
        if !answer.status.is_success() && answer.status != StatusCode::NOT_MODIFIED {
            return Err(Refused::by(&answer));
        }
        poll.take(&answer).map_err(|end| Refused { status: 0, body: format!("{end:?}") })?;
        if subscription.after.is_none() {
            poll.waiting.clear();
        }
        Ok(poll)
    }

    async fn ask(&mut self) -> Result<Answer, BoxError> {
        let after = self.cursor.filter(|_| self.subscription.delivery == Delivery::Every);
        let path = self.subscription.path(self.contender, after);
        match self.cursor.filter(|_| self.contender.stack.conditional) {
            Some(cursor) => {
                let tag = format!("\"{cursor}\"");
                self.client.send(get_with(&path, IF_NONE_MATCH, &tag)?).await
            }
            None => self.client.get(&path).await,
        }
    }

    /// Takes an answer into account; an error where it is none that this client should get.
    fn take(&mut self, answer: &Answer) -> Result<(), End> {
        let conditional = self.contender.stack.conditional;
        match answer.status {
            StatusCode::OK => {
                let cursor = self.cursor.unwrap_or(Seq::NONE);
                let messages = messages(answer, self.subscription.delivery)?;
                if conditional && messages.iter().any(|message| message.seq <= cursor) {
                    return Err(End::Broken(format!("200 with what {cursor} has already")));
                }
                self.cursor = messages.last().map(|message| message.seq).max(self.cursor);
                // A plain poll for the newest value gets the old one again.
                self.waiting.extend(messages.into_iter().filter(|message| message.seq > cursor));
                Ok(())
            }
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => {
                let not_modified = answer.status == StatusCode::NOT_MODIFIED;
                // Without a tag of its own a conditional poll has asked for nothing special yet.
                if not_modified != (conditional && self.cursor.is_some()) {
                    return Err(End::Broken(format!("an empty answer is a {}", answer.status)));
                }
                self.cursor = self.cursor.max(answer.etag());
                Ok(())
            }
            StatusCode::GONE => Err(gone(answer)),
            status => Err(End::Broken(format!("{status}: {}", answer.text()))),
        }
    }
}

/// A poll that nobody waits for cannot be told that the server stops; it finds nobody there.
fn unanswered(error: BoxError) -> End {
    match error.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            End::Stopped("connection refused".to_owned())
        }
        _ => error.into(),
    }
}

impl Reader for ShortPoll {
    fn receive(&mut self) -> Later<'_, Result<Message, End>> {
        Box::pin(async {
            loop {
                if let Some(message) = self.waiting.pop_front() {
                    return Ok(message);
                }
                let answer = self.ask().await.map_err(unanswered)?;
                self.take(&answer)?;
                if self.waiting.is_empty() {
                    sleep(PERIOD).await;
                }
            }
        })
    }
}
