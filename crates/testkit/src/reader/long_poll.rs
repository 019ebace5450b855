//! A client that waits for an answer, and asks again at once.

use std::collections::VecDeque;

use http::StatusCode;
use http::header::CONNECTION;
use pushbench_core::{Contender, Seq};

use super::{End, Later, Message, Reader, Refused, Subscription, gone, messages};
use crate::http::{Answer, HttpClient};

pub(super) struct LongPoll {
    subscription: Subscription,
    client: HttpClient,
    cursor: Seq,
    waiting: VecDeque<Message>,
}

impl LongPoll {
    /// Asks once without waiting, so that a client without a cursor begins now and one that is
    /// refused knows it.
    pub(super) async fn open(
        subscription: Subscription,
        contender: Contender,
    ) -> Result<Self, Refused> {
        let mut client = HttpClient::on(subscription.target, contender.stack);
        let path = subscription.path(Contender::LONG_POLL, subscription.after);
        let path = format!("{path}&timeout=0s");
        let answer = client.get(&path).await?;
        if !answer.status.is_success() {
            return Err(Refused::by(&answer));
        }
        let cursor = subscription.after.or(answer.etag()).unwrap_or(Seq::NONE);
        let mut poll = Self { subscription, client, cursor, waiting: VecDeque::new() };
        poll.take(&answer).map_err(|end| Refused { status: 0, body: format!("{end:?}") })?;
        Ok(poll)
    }

    fn take(&mut self, answer: &Answer) -> Result<(), End> {
        match answer.status {
            StatusCode::OK => {
                let messages = messages(answer, self.subscription.delivery)?;
                if let Some(old) = messages.iter().find(|message| message.seq <= self.cursor) {
                    return Err(End::Broken(format!("{} came after {}", old.seq, self.cursor)));
                }
                self.cursor = messages.last().map_or(self.cursor, |message| message.seq);
                self.waiting.extend(messages);
                Ok(())
            }
            StatusCode::NO_CONTENT if answer.etag() == Some(self.cursor) => Ok(()),
            StatusCode::NO_CONTENT => {
                let tag = answer.etag();
                Err(End::Broken(format!("204 names {tag:?} where {} was asked", self.cursor)))
            }
            StatusCode::GONE => Err(gone(answer)),
            status => Err(End::Broken(format!("{status}: {}", answer.text()))),
        }
    }
}

/// Whether the server says that it answers nothing more on this connection.
fn says_close(answer: &Answer) -> bool {
    answer
        .headers
        .get(CONNECTION)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

impl Reader for LongPoll {
    fn receive(&mut self) -> Later<'_, Result<Message, End>> {
        Box::pin(async {
            loop {
                if let Some(message) = self.waiting.pop_front() {
                    return Ok(message);
                }
                let path = self.subscription.path(Contender::LONG_POLL, Some(self.cursor));
                let answer = self.client.get(&path).await?;
                if answer.status == StatusCode::NO_CONTENT && says_close(&answer) {
                    return Err(End::Stopped("204 with connection: close".to_owned()));
                }
                self.take(&answer)?;
            }
        })
    }
}
