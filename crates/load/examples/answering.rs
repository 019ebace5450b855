//! The load generator's WebSocket client, set on Autobahn's fuzzing server: it plays each of the
//! server's cases, on a connection of its own, and says back what it is told. `scripts/autobahn` starts
//! both.
//!
//! Usage: answering ADDRESS AGENT

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use pushbench_core::Contender;
use pushbench_load::channel::{Channel, Moved};
use pushbench_load::session::{Answer, Note, Output, Sending, Session, answering};
use pushbench_metrics::observe::ledger::Tally;
use pushbench_metrics::record::control::{LoadPlan, Subject};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The longest that nothing may happen: a case ends itself within a minute and a half.
const SILENCE: Duration = Duration::from_secs(120);

/// How long the server may take to close a connection that both sides have said they close, as in a
/// trial.
const HANG_UP: Duration = Duration::from_secs(2);

/// Groups of cases that are about compressed messages.
const COMPRESSED: [&str; 2] = ["12.", "13."];

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(server), Some(agent)) = (arguments.next(), arguments.next()) else {
        return Err("usage: answering ADDRESS AGENT".into());
    };
    let server: SocketAddr = server.parse()?;
    let count: u32 = told(server, "/getCaseCount")?.parse()?;
    for case in 1..=count {
        let about = told(server, &format!("/getCaseInfo?case={case}"))?;
        let contender =
            if is_compressed(&about) { "websocket+deflate-takeover" } else { "websocket" };
        let path = format!("/runCase?case={case}&agent={agent}");
        let echo = Box::new(|message: &[u8]| Some(message.to_vec()));
        // How the connection ended is for the suite to judge.
        Client::new(server, &path, contender.parse()?, echo)?.play()?;
    }
    Client::new(server, &format!("/updateReports?agent={agent}"), Contender::WEBSOCKET, mute())?
        .play()
}

/// Whether a case is about compression, by what the server says of it: `{"id": "12.1.1", …`.
fn is_compressed(about: &str) -> bool {
    let (_, id) = about.split_once("\"id\": \"").unwrap_or_default();
    COMPRESSED.iter().any(|group| id.starts_with(group))
}

fn mute() -> Answer {
    Box::new(|_| None)
}

/// The message that the server says at a path.
fn told(server: SocketAddr, path: &str) -> Outcome<String> {
    let said = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&said);
    let keep = Box::new(move |message: &[u8]| {
        *heard.lock().ok()? = String::from_utf8_lossy(message).into_owned();
        None
    });
    Client::new(server, path, Contender::WEBSOCKET, keep)?.play()?;
    let said = said.lock().map_err(|_| "a thread panicked")?;
    if said.is_empty() {
        Err(format!("{server} says nothing at {path}").into())
    } else {
        Ok(said.clone())
    }
}

/// One connection and its session.
struct Client {
    poll: Poll,
    channel: Channel,
    session: Box<dyn Session>,
    out: Output,
    /// Bytes that the channel did not take yet.
    unsent: Sending,
    moved: Moved,
    /// When nothing more is waited for, and whether the connection has served its purpose by then.
    limit: (Instant, bool),
}

impl Client {
    fn new(
        server: SocketAddr,
        path: &str,
        contender: Contender,
        answer: Answer,
    ) -> io::Result<Self> {
        let subject = Subject { path: Some(path.to_owned()), ..Subject::default() };
        let plan = LoadPlan { subject, ..LoadPlan::new(server, contender, 1) };
        let poll = Poll::new()?;
        let channel = Channel::connect(None, server, None, poll.registry(), Token(0))?;
        Ok(Self {
            poll,
            channel,
            session: answering(&plan, answer),
            out: Output::default(),
            unsent: Sending::default(),
            moved: Moved::default(),
            limit: (Instant::now() + SILENCE, false),
        })
    }

    /// Plays the session to its end.
    fn play(mut self) -> Outcome<()> {
        let (mut events, mut input) = (Events::with_capacity(8), vec![0; 256 << 10]);
        loop {
            let wait = self.limit.0.saturating_duration_since(Instant::now());
            self.poll.poll(&mut events, Some(wait))?;
            if events.is_empty() && Instant::now() >= self.limit.0 {
                return if self.limit.1 { Ok(()) } else { Err("the server fell silent".into()) };
            }
            for event in &events {
                if !self.channel.is_open() {
                    if !self.channel.advance(event, &mut self.moved)? {
                        continue;
                    }
                    self.session.opened(&mut self.out);
                }
                if self.write().is_err() || !self.read(&mut input) {
                    return Ok(());
                }
            }
        }
    }

    /// Reads what has come; whether the connection goes on.
    fn read(&mut self, input: &mut [u8]) -> bool {
        loop {
            match self.channel.read(input, &mut self.moved) {
                Ok(Some(received)) => {
                    let taken = self.session.receive(&input[..received.plaintext], &mut self.out);
                    if self.write().is_err() || taken.is_err() {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(None) | Err(_) => return false,
            }
        }
    }

    /// Writes what the session has given out, as far as the channel takes it.
    fn write(&mut self) -> io::Result<()> {
        self.unsent.append(&mut self.out.send);
        if self.out.notes.iter().any(|note| matches!(note, Note::Closing)) {
            self.limit = (Instant::now() + HANG_UP, true);
        } else if !self.limit.1 {
            self.limit.0 = Instant::now() + SILENCE;
        }
        self.out.clear();
        while !self.unsent.is_empty() {
            match self.channel.write(self.unsent.bytes(), &mut self.moved) {
                Ok(written) => self.unsent.sent(written.taken, &mut Tally::default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
