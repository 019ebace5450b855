//! The ways in which a message is given to a server: what is sent for one, and what its answers mean.

use std::io::{self, Read, Write};

use pushbench_core::subject::{Envelope, Publish};
use pushbench_core::{Seq, random};
use pushbench_metrics::record::control::Outlet;
use pushbench_protocol::frame::{self, FrameReader, Opcode};
use pushbench_protocol::http::{Piece, ResponseReader};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::OutletError;

/// The stream of random numbers that masks are drawn from.
const MASK_STREAM: u64 = 41;

/// The connection behind what was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// It goes on.
    Goes,
    /// It has ended with nothing under way, and is opened anew.
    Reopen,
}

/// A way, and how far it is.
#[derive(Debug)]
pub(super) enum Way {
    Post(Post),
    Websocket(Socket),
    Tcp(Signs),
    Lines,
}

/// Requests one behind the other, on one connection.
#[derive(Debug)]
pub(super) struct Post {
    host: String,
    path: String,
    answers: ResponseReader,
    /// Requests that are not answered.
    unanswered: u64,
    /// The server closes the connection behind the answer that it gives.
    closes: bool,
}

/// Messages in the signs of a server's own protocol.
#[derive(Debug)]
pub(super) struct Signs {
    envelope: Envelope,
    /// The beginning of a line of the server's.
    line: Vec<u8>,
}

/// The longest line of a server's that is read as one.
const MOST_LINE: usize = 4096;

/// Messages on a WebSocket.
#[derive(Debug)]
pub(super) struct Socket {
    host: String,
    path: String,
    seed: u64,
    frames: FrameReader,
}

impl Way {
    pub(super) fn of(outlet: &Outlet, seed: u64) -> Self {
        let host = outlet.address.to_string();
        match &outlet.publish {
            Publish::Post(inlet) => Self::Post(Post {
                host,
                path: inlet.path.clone(),
                answers: ResponseReader::default(),
                unanswered: 0,
                closes: false,
            }),
            Publish::Websocket(inlet) => Self::Websocket(Socket {
                host,
                path: inlet.path.clone(),
                seed,
                frames: FrameReader::default(),
            }),
            Publish::Tcp(envelope) => {
                Self::Tcp(Signs { envelope: envelope.clone(), line: Vec::new() })
            }
            Publish::Stdin => Self::Lines,
        }
    }

    /// Makes a connection ready for messages.
    pub(super) fn open(&mut self, socket: &mut (impl Read + Write)) -> Result<(), OutletError> {
        match self {
            Self::Websocket(way) => way.shake_hands(socket),
            Self::Tcp(signs) => {
                socket.write_all(signs.envelope.hello.as_bytes()).map_err(OutletError::Connect)
            }
            Self::Post(_) | Self::Lines => Ok(()),
        }
    }

    /// A message, as it is sent.
    pub(super) fn encode(&mut self, seq: Seq, payload: &[u8]) -> Result<Vec<u8>, OutletError> {
        match self {
            Self::Post(way) => Ok(way.request(payload)),
            Self::Websocket(way) => Ok(way.frame(seq, payload)),
            Self::Tcp(signs) => Ok(enveloped(&signs.envelope, payload)),
            Self::Lines if payload.contains(&b'\n') => Err(OutletError::NoLine(seq)),
            Self::Lines => Ok([payload, b"\n"].concat()),
        }
    }

    /// A message was sent.
    pub(super) const fn sent(&mut self) {
        if let Self::Post(way) = self {
            way.unanswered += 1;
        }
    }

    /// The end of a connection that takes no more.
    pub(super) fn cut(&self, error: io::Error) -> OutletError {
        match self {
            Self::Post(Post { unanswered, .. }) if *unanswered == 0 => OutletError::Io(error),
            Self::Post(way) => {
                OutletError::Closed { request: way.name(), unanswered: way.unanswered }
            }
            Self::Websocket(_) | Self::Tcp(_) | Self::Lines => OutletError::Io(error),
        }
    }

    /// Takes what the server says, nothing where it has ended the connection: what follows of that,
    /// and what it is to be answered.
    pub(super) fn heard(&mut self, input: &[u8]) -> Result<(After, Vec<u8>), OutletError> {
        match self {
            Self::Post(way) if input.is_empty() => way.ended().map(|after| (after, Vec::new())),
            Self::Post(way) => way.heard(input).map(|after| (after, Vec::new())),
            Self::Websocket(way) => way.heard(input).map(|reply| (After::Goes, reply)),
            // Whoever ends it takes no more messages.
            Self::Tcp(_) if input.is_empty() => {
                Err(OutletError::Io(io::ErrorKind::UnexpectedEof.into()))
            }
            Self::Tcp(signs) => Ok((After::Goes, signs.heard(input))),
            Self::Lines => Ok((After::Goes, Vec::new())),
        }
    }
}

/// A message in what a protocol puts around it.
fn enveloped(Envelope { before, after, .. }: &Envelope, payload: &[u8]) -> Vec<u8> {
    let before = before.replace("{length}", &payload.len().to_string());
    [before.as_bytes(), payload, after.as_bytes()].concat()
}

impl Signs {
    /// Takes what the server says; the answers to lines that want one.
    fn heard(&mut self, input: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        for piece in input.split_inclusive(|&byte| byte == b'\n') {
            let room = MOST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&self.line);
                let answer = self.envelope.replies.get(line.trim_end());
                answers.extend_from_slice(answer.map_or(&[], |answer| answer.as_bytes()));
                self.line.clear();
            }
        }
        answers
    }
}

impl Post {
    fn request(&self, payload: &[u8]) -> Vec<u8> {
        let (path, host, length) = (&self.path, &self.host, payload.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), payload].concat()
    }

    fn name(&self) -> String {
        format!("POST {}", self.path)
    }

    fn heard(&mut self, mut input: &[u8]) -> Result<After, OutletError> {
        let nonsense = |problem: String, request| OutletError::Nonsense { request, problem };
        loop {
            let piece = self.answers.next(&mut input);
            match piece.map_err(|error| nonsense(error.to_string(), self.name()))? {
                None => return Ok(After::Goes),
                Some(Piece::Head(..)) if self.unanswered == 0 => {
                    return Err(nonsense("an answer to nothing".to_owned(), self.name()));
                }
                Some(Piece::Head(head, _)) if !(200..300).contains(&head.status) => {
                    return Err(OutletError::Refused { request: self.name(), status: head.status });
                }
                Some(Piece::Head(head, _)) => self.closes |= head.close,
                Some(Piece::End) => {
                    self.unanswered -= 1;
                    if self.closes {
                        return self.ended();
                    }
                }
                Some(Piece::HeadPart(_) | Piece::Framing(_) | Piece::Data(_)) => {}
            }
        }
    }

    /// The connection has ended, or is to.
    fn ended(&mut self) -> Result<After, OutletError> {
        // The end is that of a body, too, where nothing else is.
        if self.answers.finish().is_ok_and(|is_answer| is_answer) {
            self.unanswered = self.unanswered.saturating_sub(1);
        }
        self.closes = false;
        match self.unanswered {
            0 => Ok(After::Reopen),
            unanswered => Err(OutletError::Closed { request: self.name(), unanswered }),
        }
    }
}

impl Socket {
    fn name(&self) -> String {
        format!("the WebSocket at {}", self.path)
    }

    fn nonsense(&self, problem: impl ToString) -> OutletError {
        OutletError::Nonsense { request: self.name(), problem: problem.to_string() }
    }

    /// Opens it (RFC 6455 §4.1). What the server says behind its answer is read here, too.
    fn shake_hands(&mut self, socket: &mut (impl Read + Write)) -> Result<(), OutletError> {
        let key = generate_key();
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n",
            self.path, self.host
        );
        socket.write_all(request.as_bytes()).map_err(OutletError::Connect)?;
        let (mut answer, mut room) = (ResponseReader::default(), [0; 4096]);
        loop {
            let length = socket.read(&mut room).map_err(OutletError::Connect)?;
            if length == 0 {
                return Err(OutletError::Connect(io::ErrorKind::UnexpectedEof.into()));
            }
            let mut input = &room[..length];
            while let Some(piece) = answer.next(&mut input).map_err(|error| self.nonsense(error))? {
                let Piece::Head(head, _) = piece else { continue };
                let Some(upgrade) = head.upgrade.filter(|_| head.status == 101) else {
                    let request = format!("GET {}", self.path);
                    return Err(OutletError::Refused { request, status: head.status });
                };
                let agreed = upgrade.check(&derive_accept_key(key.as_bytes()), None, &[]);
                agreed.map_err(|error| self.nonsense(error))?;
                let reply = self.heard_frames(input)?;
                return socket.write_all(&reply).map_err(OutletError::Io);
            }
        }
    }

    /// A message in one frame, masked (RFC 6455 §5.3).
    fn frame(&self, seq: Seq, payload: &[u8]) -> Vec<u8> {
        let [a, b, c, d, ..] = random::bits(self.seed, MASK_STREAM, seq.0).to_le_bytes();
        let mask = [a, b, c, d];
        let header = FrameHeader {
            opcode: OpCode::Data(Data::Text),
            mask: Some(mask),
            ..FrameHeader::default()
        };
        let length = payload.len() as u64;
        let mut frame = Vec::with_capacity(header.len(length) + payload.len());
        header.format(length, &mut frame).expect("memory takes it");
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    fn heard(&mut self, input: &[u8]) -> Result<Vec<u8>, OutletError> {
        if input.is_empty() {
            return Err(self.nonsense("the server has closed the connection"));
        }
        self.heard_frames(input)
    }

    /// Takes frames, of which messages say nothing here: the answers to questions whether it is there.
    fn heard_frames(&mut self, mut input: &[u8]) -> Result<Vec<u8>, OutletError> {
        let mut reply = Vec::new();
        while let Some(piece) = self.frames.next(&mut input).map_err(|error| {
            OutletError::Nonsense { request: self.name(), problem: error.to_string() }
        })? {
            match piece {
                frame::Piece::Control(Opcode::Ping) => {
                    let payload = self.frames.control();
                    frame::push_control(&mut reply, Opcode::Pong, payload, [0; 4]);
                }
                frame::Piece::Control(Opcode::Close) => {
                    return Err(self.nonsense("the server has closed it"));
                }
                frame::Piece::Control(_) | frame::Piece::Framing(_) | frame::Piece::Data(..) => {}
            }
        }
        Ok(reply)
    }
}
