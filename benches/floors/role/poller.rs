//! The least that a long poller can do: send the load generator's own request, find the end of
//! the answer and the cursor in it, and send the next.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Range;

use pushbench_load::bare::{Part, Sockets, dial};
use pushbench_load::session::{Output, Sessions};
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::record::control::{LoadPlan, TrialTiming};
use rustix::io::Errno;

/// The query's name that stands before the cursor in a request.
const BEFORE_CURSOR: &[u8] = b"after=";

/// Reads after which an answer that does not come to its end is given up.
const MOST_READS: u32 = 1_000_000;

/// Polls as the load generator does, with the bytes of its first request.
#[derive(Debug, Default)]
pub(super) struct Poller(Option<Request>);

impl Part for Poller {
    /// Lets a session of the load generator get its first cursor; the request that waits then is
    /// sent, and kept.
    fn connect(
        &mut self,
        plan: &LoadPlan,
        sessions: &Sessions,
        client: u32,
    ) -> io::Result<TcpStream> {
        let (mut out, mut session) = (Output::default(), sessions.session(client));
        session.opened(&mut out);
        let mut stream = dial(plan, client)?;
        stream.write_all(out.send.bytes())?;
        let mut piece = [0; 4096];
        loop {
            let length = stream.read(&mut piece)?;
            ensure(length > 0, "the server closed the connection")?;
            out.clear();
            session.receive(&piece[..length], &mut out).map_err(io::Error::other)?;
            if !out.send.is_empty() {
                break;
            }
        }
        stream.write_all(out.send.bytes())?;
        self.0 = Some(Request::of(out.send.bytes())?);
        Ok(stream)
    }

    fn begin(&mut self, _: &LoadPlan, _: &TrialTiming) -> io::Result<()> {
        ensure(self.0.is_some(), "nobody has polled")
    }

    fn ready(&mut self, sockets: &mut Sockets, index: usize) -> io::Result<u64> {
        self.0.as_mut().map_or(Ok(0), |request| request.poll(sockets, index))
    }

    fn end(&self, counted: u64, measured: &mut Measured) {
        measured.counters.requests = counted;
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(otherwise)) }
}

/// A request around its cursor.
#[derive(Debug)]
struct Request {
    bytes: Vec<u8>,
    before: usize,
    behind: Vec<u8>,
}

impl Request {
    /// Takes a request of the load generator apart.
    fn of(request: &[u8]) -> io::Result<Self> {
        let found = memchr::memmem::find(request, BEFORE_CURSOR);
        let before =
            found.ok_or_else(|| io::Error::other("a request has no cursor"))? + BEFORE_CURSOR.len();
        let digits = request[before..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let behind = request[before + digits..].to_vec();
        Ok(Self { bytes: request[..before].to_vec(), before, behind })
    }

    /// Takes an answer and polls again: one request sent, or none where nothing had come.
    fn poll(&mut self, sockets: &mut Sockets, index: usize) -> io::Result<u64> {
        let mut length = sockets.read(index, 0)?;
        if length == 0 {
            return Ok(0);
        }
        for _ in 0..MOST_READS {
            if let Some(cursor) = complete(&sockets.buffer[..length])? {
                self.bytes.truncate(self.before);
                self.bytes.extend_from_slice(&sockets.buffer[cursor]);
                self.bytes.extend_from_slice(&self.behind);
                return send(&sockets.streams[index], &self.bytes).map(|()| 1);
            }
            length += sockets.read(index, length)?;
        }
        Err(io::Error::other("an answer does not come to its end"))
    }
}

fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let written = match rustix::io::write(stream, bytes) {
        Err(Errno::AGAIN) => 0,
        written => written?,
    };
    ensure(written == bytes.len(), "a socket did not take a request")
}

/// Where in an answer its cursor stands; `None` where the answer is to go on.
fn complete(answer: &[u8]) -> io::Result<Option<Range<usize>>> {
    let malformed = || io::Error::other("an entity tag is malformed");
    let (mut body, mut cursor, mut line) = (0, None, 0);
    while let Some(feed) = memchr::memchr(b'\n', &answer[line..]) {
        let field = &answer[line..line + feed];
        let value = |name: &str| {
            let named = field.len() > name.len()
                && field[..name.len()].eq_ignore_ascii_case(name.as_bytes());
            named.then(|| field[name.len()..].trim_ascii())
        };
        match field.first() {
            Some(b'\r') => {
                let end = line + feed + 1 + body;
                ensure(answer.len() <= end, "more came than was asked for")?;
                return Ok(if answer.len() == end { cursor } else { None });
            }
            Some(b'c' | b'C') => {
                if let Some(value) = value("content-length:") {
                    body = value.iter().fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
                }
            }
            Some(b'e' | b'E') if value("etag:").is_some() => {
                let quote = |from| memchr::memchr(b'"', &answer[from..]).map(|at| from + at);
                let start = quote(line).ok_or_else(malformed)? + 1;
                cursor = Some(start..quote(start).ok_or_else(malformed)?);
            }
            _ => {}
        }
        line += feed + 1;
    }
    Ok(None)
}
