//! HTTP/1.1 between a subscription and the bytes of a connection of its own (RFC 9112): requests
//! become text, input becomes heads, pieces of bodies and their ends.

use std::time::Duration;

use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::http::{
    BodyLength, Piece, ResponseError, ResponseHead, ResponseReader, is_event_stream,
};

use super::Session;
use super::decoding::Decoder;
use super::error::ProtocolError;
use super::output::{Demand, Ending, Note, Output, Wake};
use super::subscription::{Answer, Last, Next, Subscription};
use super::words::Words;

/// How long the words of a refusal may take: whoever explains itself does so at once, and a body that
/// goes on for longer may be one without an end.
const WORDS_TIME: Duration = Duration::from_secs(2);

/// How long the words of a refusal may be, in bytes. A page for people is shorter.
const WORDS_SIZE: usize = 256 << 10;

/// The reason why an event stream is no answer to a poll.
const ENDS: &str =
    "a poll waits for the end of its answer, which an event stream has not; try -t sse";

/// The time of a refusal's words is over, among what sessions put off.
const WORDS_OVER: usize = usize::MAX;

/// A client whose subscription has each connection for itself, with one request outstanding at
/// most.
#[derive(Debug)]
pub(super) struct Http1<S> {
    subscription: S,
    /// Reads the answers; `None` once the connection speaks another protocol.
    answers: Option<Box<Answers>>,
    /// Of the answer that has begun, or began last.
    status: u16,
    /// The server closes the connection behind that answer.
    closes: bool,
    open: bool,
    /// There has been an answer on this connection.
    served: bool,
    /// A request awaits its answer's end, or the connection that it is to be sent on.
    outstanding: bool,
}

/// The answers that come on a connection.
#[derive(Debug)]
struct Answers {
    reader: ResponseReader,
    /// The body of a refusal.
    words: Words,
    /// How long that body is so far, in bytes.
    said: usize,
    /// How many answers have begun, of all connections: the number of the last one.
    begun: u32,
    /// The answer that is being read is a refusal, and its time is limited.
    limited: bool,
    /// Of the answer that has begun, where it brings the feed coded.
    decoder: Option<Decoder>,
}

impl Answers {
    fn new(field: Option<&'static str>) -> Self {
        let reader = field.map_or_else(ResponseReader::default, ResponseReader::keeping);
        Self { reader, words: Words::default(), said: 0, begun: 0, limited: false, decoder: None }
    }

    /// Another answer begins.
    fn begin(&mut self, head: &ResponseHead) {
        self.words.begin(head.coding.as_deref());
        (self.said, self.limited) = (0, false);
        self.begun = self.begun.wrapping_add(1);
    }

    /// In place of the words of an answer that is not waited for: what it is.
    fn say_type(&mut self) {
        let media_type = self.reader.kept();
        self.words.begin(None);
        self.words.extend(b"it is of type ");
        self.words.extend(media_type);
        if is_event_stream(media_type) {
            self.words.extend(b"; try -t sse");
        }
    }
}

impl<S: Subscription> Http1<S> {
    /// The answer that brings the feed switches to another protocol.
    const SWITCHES: bool = S::FEED == 101;

    pub(super) fn new(subscription: S) -> Self {
        Self {
            subscription,
            answers: None,
            status: 0,
            closes: false,
            open: false,
            served: false,
            outstanding: false,
        }
    }

    fn send(&mut self, out: &mut Output) {
        let request = self.subscription.request();
        let field = request.field.as_ref().map(|(name, value)| (*name, &**value));
        out.send.push(Layer::Http, |bytes| request.target.render(bytes, field));
        out.note(Note::Request);
        self.outstanding = true;
    }

    fn go_on(&mut self, next: Next, out: &mut Output) {
        match next {
            Next::Rest | Next::Served => {}
            Next::Request => self.send(out),
            Next::Pause => out.demand = Demand::AskAgain,
            Next::Skip => out.note(Note::SkippedPoll),
            Next::Connect => {
                self.outstanding = true;
                out.demand = Demand::Connect;
            }
            Next::Leave => out.demand = Demand::Close,
        }
    }

    fn begun(&mut self, head: &ResponseHead, out: &mut Output) -> Result<(), ProtocolError> {
        let Some(answers) = &mut self.answers else { return Ok(()) };
        answers.begin(head);
        out.notes.extend(head.retry_after.as_deref().copied().map(Note::RetryAfter));
        (self.status, self.closes) = (head.status, head.close);
        let brings_feed = head.status == S::FEED;
        if !brings_feed && !S::EMPTY.contains(&head.status) && may_not_end(head) {
            if head.kept {
                answers.say_type();
            }
            return Err(self.refusal(head.status));
        }
        if brings_feed && !S::STREAMS && !Self::SWITCHES && head.events && may_not_end(head) {
            let found = "text/event-stream".to_owned();
            let request = self.subscription.target().describe();
            return Err(ProtocolError::ContentType { request, found, takes: ENDS });
        }
        answers.decoder = if brings_feed && !Self::SWITCHES {
            self.subscription.target().decoder(head, S::STREAMS)?
        } else {
            None
        };
        if brings_feed || S::EMPTY.contains(&head.status) {
            let field = head.kept.then(|| answers.reader.kept());
            self.subscription.begun(head, field, out)?;
        }
        if brings_feed && Self::SWITCHES {
            (self.answers, self.outstanding) = (None, false);
        }
        Ok(())
    }

    /// The answer that has begun is complete.
    fn answered(&mut self, out: &mut Output) -> Result<Next, ProtocolError> {
        (self.outstanding, self.served) = (false, true);
        if let Some(answers) = &mut self.answers {
            answers.limited = false;
        }
        if let Some(decoder) = self.answers.as_mut().and_then(|answers| answers.decoder.take()) {
            decoder.finish().map_err(|fault| fault.of(self.subscription.target()))?;
        }
        let answer = match self.status {
            status if status == S::FEED => Answer::Feed,
            status if S::EMPTY.contains(&status) => Answer::Empty,
            status => Answer::Refused(self.refusal(status)),
        };
        self.subscription.answered(answer, out)
    }

    fn refusal(&mut self, status: u16) -> ProtocolError {
        let said = self.answers.as_mut().map(|answers| answers.words.take()).unwrap_or_default();
        let target = self.subscription.target();
        if status == 410 && !target.is_foreign() {
            return self.subscription.gone(&said);
        }
        let (request, expected) = (target.describe(), self.subscription.expected());
        ProtocolError::Status { status, request, expected, said }
    }

    /// Input that is no HTTP.
    #[cold]
    fn unreadable(&self, error: ResponseError) -> ProtocolError {
        let request = self.subscription.target().describe();
        match error {
            ResponseError::Head(source) => ProtocolError::Head { request, source },
            ResponseError::Chunk(source) => ProtocolError::Body { request, source },
        }
    }

    /// Reads answers, and another protocol behind the last of them. Apart from
    /// [`receive`](Session::receive), so that this protocol does not pay for what a head takes.
    #[inline(never)]
    fn read(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        while self.outstanding
            && let Some(answers) = &mut self.answers
        {
            match answers.reader.next(&mut input) {
                Ok(Some(Piece::Data(data))) if !Self::SWITCHES && self.status == S::FEED => {
                    let subscription = &mut self.subscription;
                    match &mut answers.decoder {
                        None => subscription.data(data, out)?,
                        Some(decoder) => decoder
                            .read(data, out, |data, out| subscription.data(data, out))
                            .map_err(|fault| fault.of(self.subscription.target()))?,
                    }
                }
                Ok(Some(Piece::Framing(bytes))) => out.count(Layer::Framing, bytes),
                Ok(Some(Piece::Data(data))) => {
                    out.count(Layer::Http, data.len());
                    answers.words.extend(data);
                    answers.said += data.len();
                    if answers.said > WORDS_SIZE {
                        return Err(self.refusal(self.status));
                    }
                }
                Ok(Some(Piece::HeadPart(bytes))) => out.count(Layer::Http, bytes),
                Ok(Some(Piece::Head(head, bytes))) => {
                    out.count(Layer::Http, bytes);
                    self.begun(&head, out)?;
                }
                Ok(Some(Piece::End)) => self.ended(out)?,
                Ok(None) => {
                    self.limit(out);
                    return Ok(());
                }
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        match () {
            () if input.is_empty() => Ok(()),
            () if self.answers.is_none() => self.receive(input, out),
            () => Err(ProtocolError::Unasked(self.subscription.target().describe())),
        }
    }

    /// Limits the time of a refusal that has begun and not ended.
    fn limit(&mut self, out: &mut Output) {
        let refuses = self.status != S::FEED && !S::EMPTY.contains(&self.status);
        let Some(answers) = self.answers.as_mut().filter(|_| refuses) else { return };
        if answers.reader.is_in_body() && !std::mem::replace(&mut answers.limited, true) {
            let wake = Wake { which: WORDS_OVER, connection: answers.begun };
            out.note(Note::Wake(WORDS_TIME, wake));
        }
    }

    /// The time of the words of the answer with this number is over; a refusal where they have not ended.
    fn words_over(&mut self, number: u32) -> Result<(), ProtocolError> {
        let is_it = |answers: &Answers| answers.limited && answers.begun == number;
        if self.open && self.answers.as_deref().is_some_and(is_it) {
            return Err(self.refusal(self.status));
        }
        Ok(())
    }

    /// An answer is complete, and the connection goes on.
    fn ended(&mut self, out: &mut Output) -> Result<(), ProtocolError> {
        let next = self.answered(out)?;
        // A client asks nothing more on a connection that the server closes (§9.6).
        if self.closes && next != Next::Served {
            out.demand = Demand::HangUp;
        } else {
            self.go_on(next, out);
        }
        Ok(())
    }

    /// The end of the connection may be that of an answer. How far the exchange had come else.
    fn last(&mut self, out: &mut Output) -> Last {
        let is_stream = S::STREAMS && self.status == S::FEED;
        let finished = self.answers.as_mut().map_or(Ok(false), |answers| answers.reader.finish());
        let error = match finished {
            Ok(true) if !is_stream => self.answered(out).err(),
            Err(_) if !S::STREAMS => {
                Some(ProtocolError::Truncated(self.subscription.target().describe()))
            }
            _ => None,
        };
        // An answer that cannot be read is none.
        let unanswered = self.outstanding || error.is_some();
        out.notes.extend(error.map(Note::Failed));
        match finished {
            _ if !self.open => Last::Unopened,
            Err(_) => Last::Cut,
            Ok(_) if unanswered => Last::Unanswered,
            Ok(_) => Last::Idle { served: self.served },
        }
    }
}

/// Whether an answer other than the wanted one is one that succeeds and whose end is not in sight: of an
/// event stream, where something else was asked for, it never comes.
fn may_not_end(head: &ResponseHead) -> bool {
    (200..300).contains(&head.status) && !matches!(head.body, BodyLength::Bytes(_))
}

impl<S: Subscription> Session for Http1<S> {
    fn opened(&mut self, out: &mut Output) {
        match &mut self.answers {
            Some(answers) => {
                answers.reader.restart();
                answers.limited = false;
            }
            None => self.answers = Some(Box::new(Answers::new(S::FIELD))),
        }
        (self.open, self.served, self.outstanding) = (true, false, false);
        let next = self.subscription.opened(out);
        self.go_on(next, out);
    }

    fn receive(&mut self, input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        match self.answers {
            None if Self::SWITCHES => self.subscription.data(input, out),
            _ => self.read(input, out),
        }
    }

    fn tick(&mut self, out: &mut Output) {
        let next = if self.outstanding { Next::Skip } else { self.subscription.due(self.open) };
        self.go_on(next, out);
    }

    fn ask_again(&mut self, out: &mut Output) {
        if !self.outstanding {
            self.send(out);
        }
    }

    fn say(&mut self, text: &[u8], out: &mut Output) -> bool {
        self.subscription.say(text, out)
    }

    fn woken(&mut self, wake: Wake, out: &mut Output) -> Result<(), ProtocolError> {
        if wake.which == WORDS_OVER {
            return self.words_over(wake.connection);
        }
        self.subscription.woken(wake, out);
        Ok(())
    }

    fn closed(&mut self, out: &mut Output) -> Ending {
        let last = self.last(out);
        (self.open, self.outstanding) = (false, false);
        self.subscription.closed(last, out)
    }

    fn under_way(&self) -> bool {
        self.subscription.under_way()
    }

    fn close(&mut self, out: &mut Output) {
        let next = self.subscription.close(out);
        self.go_on(next, out);
    }
}
