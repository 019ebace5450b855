//! The least that a long poller can do: send the load generator's own request, find the end of
//! the answer and the cursor in it, and send the next.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Mutex;

use anyhow::{Context as _, bail, ensure};
use pushbench_load::session::{Output, Sessions};
use pushbench_metrics::control::{LoadPlan, TrialTiming};
use rustix::io::Errno;

use super::sockets::{self, Sockets};

/// What stands before the cursor in a request.
const BEFORE_CURSOR: &[u8] = b"after=";

/// Reads after which an answer that does not come to its end is given up.
const MOST_READS: u32 = 1_000_000;

/// Polls until the window is over.
pub(super) fn play() -> anyhow::Result<()> {
    let first = Mutex::new(None);
    sockets::play(
        |plan, sessions, client| subscribe(plan, sessions, client, &first),
        |_: &LoadPlan, _: &TrialTiming, _: &mut Sockets| {
            let first = first.lock().expect("nobody panics with it").take();
            Request::of(first.as_deref().context("nobody has polled")?)
        },
        Request::poll,
        |_, requests, measured| measured.counters.requests = requests,
    )
}

/// A request around its cursor.
struct Request {
    bytes: Vec<u8>,
    before: usize,
    behind: Vec<u8>,
}

impl Request {
    /// Takes a request of the load generator apart.
    fn of(request: &[u8]) -> anyhow::Result<Self> {
        let found = memchr::memmem::find(request, BEFORE_CURSOR).context("it has no cursor")?;
        let before = found + BEFORE_CURSOR.len();
        let digits = request[before..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let behind = request[before + digits..].to_vec();
        Ok(Self { bytes: request[..before].to_vec(), before, behind })
    }

    /// Takes an answer and polls again: one request sent, or none where nothing had come.
    fn poll(&mut self, sockets: &mut Sockets, index: usize) -> anyhow::Result<u64> {
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
        bail!("an answer does not come to its end")
    }
}

fn send(stream: &TcpStream, bytes: &[u8]) -> anyhow::Result<()> {
    let written = match rustix::io::write(stream, bytes) {
        Err(Errno::AGAIN) => 0,
        written => written.context("cannot write")?,
    };
    ensure!(written == bytes.len(), "a socket did not take a request");
    Ok(())
}

/// Where in an answer its cursor stands; `None` where the answer is to go on.
fn complete(answer: &[u8]) -> anyhow::Result<Option<Range<usize>>> {
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
                ensure!(answer.len() <= end, "more came than was asked for");
                return Ok(if answer.len() == end { cursor } else { None });
            }
            Some(b'c' | b'C') => {
                if let Some(value) = value("content-length:") {
                    body = value.iter().fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
                }
            }
            Some(b'e' | b'E') if value("etag:").is_some() => {
                let quote = |from| memchr::memchr(b'"', &answer[from..]).map(|at| from + at);
                let start = quote(line).context("a tag has no quote")? + 1;
                cursor = Some(start..quote(start).context("a tag has no end")?);
            }
            _ => {}
        }
        line += feed + 1;
    }
    Ok(None)
}

/// Opens a connection and lets a session of the load generator get its first cursor; the request
/// that waits then is sent, and kept in `first`.
fn subscribe(
    plan: &LoadPlan,
    sessions: &Sessions,
    client: u32,
    first: &Mutex<Option<Vec<u8>>>,
) -> anyhow::Result<TcpStream> {
    let (mut out, mut session) = (Output::default(), sessions.session(client));
    session.opened(&mut out);
    let mut stream = sockets::dial(plan)?;
    stream.write_all(out.send.bytes())?;
    let mut piece = [0; 4096];
    loop {
        let length = stream.read(&mut piece).context("cannot read an answer")?;
        ensure!(length > 0, "the server closed the connection");
        out.clear();
        session.receive(&piece[..length], &mut out)?;
        if !out.send.is_empty() {
            break;
        }
    }
    stream.write_all(out.send.bytes())?;
    *first.lock().expect("nobody panics with it") = Some(out.send.bytes().to_vec());
    Ok(stream)
}
