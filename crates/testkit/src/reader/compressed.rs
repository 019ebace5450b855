//! A WebSocket client that reads compressed messages (RFC 7692), by flate2: frame by frame, as the
//! standards have them.

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress};
use pushbench_core::Contender;
use pushbench_core::contender::Coding;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::websocket::{closed, refusal};
use super::{End, Later, Message, Reader, Refused, Subscription, numbered};

/// The key and its answer in RFC 6455 §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The bits of a frame's first byte, and its operation codes (RFC 6455 §5.2, RFC 7692 §6).
const FIN: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const CLOSE: u8 = 8;
const PING: u8 = 9;

pub(super) struct Compressed {
    socket: TcpStream,
    received: Vec<u8>,
    inflater: Decompress,
    takeover: bool,
    /// The server has said close, and has been answered.
    closed: bool,
}

impl Compressed {
    pub(super) async fn open(it: Subscription, contender: Contender) -> Result<Self, Refused> {
        let takeover = contender.stack.coding == Coding::DeflateTakeover;
        let path = it.path(contender, it.after);
        let parameter = if takeover { "" } else { "; server_no_context_takeover" };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\
             Sec-WebSocket-Extensions: permessage-deflate{parameter}\r\n\r\n",
            it.target.addr
        );
        let mut socket = it.target.connect().await?;
        socket.write_all(request.as_bytes()).await?;
        let (mut received, mut end) = (Vec::new(), None);
        while end.is_none() {
            if socket.read_buf(&mut received).await? == 0 {
                return Err(Refused { status: 0, body: "no answer".to_owned() });
            }
            end = received.windows(4).position(|four| four == b"\r\n\r\n");
        }
        let rest = received.split_off(end.unwrap_or(0) + 4);
        let head = String::from_utf8_lossy(&received).into_owned();
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(refusal(it, &path).await);
        }
        let agreed = head.contains(ACCEPT)
            && head.contains("permessage-deflate")
            && head.contains("server_no_context_takeover") != takeover;
        if !agreed {
            return Err(Refused { status: 101, body: head });
        }
        let inflater = Decompress::new(false);
        Ok(Self { socket, received: rest, inflater, takeover, closed: false })
    }

    /// The next frame: its first byte, and its payload.
    async fn frame(&mut self) -> Result<(u8, Vec<u8>), End> {
        loop {
            if let Some((first, header, length)) = parse(&self.received)
                && self.received.len() >= header + length
            {
                let payload = self.received[header..header + length].to_vec();
                self.received.drain(..header + length);
                return Ok((first, payload));
            }
            if self.socket.read_buf(&mut self.received).await.map_err(End::broken)? == 0 {
                return Err(End::Broken("the stream is over already".to_owned()));
            }
        }
    }

    /// RFC 7692 §7.2.2.
    fn inflate(&mut self, mut payload: Vec<u8>) -> Result<Bytes, End> {
        payload.extend_from_slice(&[0x00, 0x00, 0xff, 0xff]);
        if !self.takeover {
            self.inflater.reset(false);
        }
        let (begin, mut message) = (self.inflater.total_in(), Vec::new());
        loop {
            let read = usize::try_from(self.inflater.total_in() - begin).map_err(End::broken)?;
            message.reserve(64 << 10);
            let before = message.len();
            self.inflater
                .decompress_vec(&payload[read..], &mut message, FlushDecompress::Sync)
                .map_err(End::broken)?;
            // It may keep bytes back although there is room.
            if message.len() == before {
                return Ok(message.into());
            }
        }
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<(), End> {
        let length = u8::try_from(payload.len()).map_err(End::broken)?;
        // A mask of zeros masks nothing.
        let frame = [&[FIN | opcode, 0x80 | length, 0, 0, 0, 0], payload].concat();
        self.socket.write_all(&frame).await.map_err(End::broken)
    }
}

/// The first byte of a frame, and the lengths of its header and of its payload; `None` where the
/// header is not there yet.
fn parse(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [first, length, rest @ ..] = bytes else { return None };
    let (header, length) = match length {
        126 => (4, u16::from_be_bytes(*rest.first_chunk()?).into()),
        127 => (10, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
        length => (2, usize::from(*length)),
    };
    Some((*first, header, length))
}

/// The code and the reason of a close frame.
fn close_frame(payload: &[u8]) -> Option<CloseFrame> {
    let (code, reason) = payload.split_first_chunk()?;
    let reason = String::from_utf8_lossy(reason).into_owned().into();
    Some(CloseFrame { code: u16::from_be_bytes(*code).into(), reason })
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self { status: 0, body: error.to_string() }
    }
}

impl Reader for Compressed {
    fn receive(&mut self) -> Later<'_, Result<Message, End>> {
        Box::pin(async {
            loop {
                let (first, payload) = self.frame().await?;
                match first & 0x0f {
                    CLOSE => {
                        self.closed = true;
                        // It may have gone already.
                        let _ = self.send(CLOSE, payload.get(..2).unwrap_or(&[])).await;
                        return Err(closed(close_frame(&payload)));
                    }
                    PING => self.send(PING + 1, &payload).await?,
                    1 | 2 if first & COMPRESSED == 0 => {
                        return Err(End::Broken("a message came uncompressed".to_owned()));
                    }
                    1 | 2 => {
                        let payload = self.inflate(payload)?;
                        return numbered(payload);
                    }
                    _ => {}
                }
            }
        })
    }

    /// Says close with 1000 and waits for the server to say it too.
    fn close(mut self: Box<Self>) -> Later<'static, Result<(), End>> {
        Box::pin(async move {
            if self.closed {
                return Ok(());
            }
            self.send(CLOSE, &1000_u16.to_be_bytes()).await?;
            loop {
                let (first, payload) = self.frame().await?;
                if first & 0x0f == CLOSE {
                    return match close_frame(&payload) {
                        Some(CloseFrame { code: CloseCode::Normal, .. }) => Ok(()),
                        frame => Err(End::Broken(format!("close is answered with {frame:?}"))),
                    };
                }
            }
        })
    }
}
