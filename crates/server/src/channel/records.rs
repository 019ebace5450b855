//! Records with a header of five bytes and no secret: what TLS does to the flow of bytes, and
//! nothing of what it does to their meaning.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use super::read_socket;

/// Application data of TLS 1.2 (RFC 5246 §6.2.1).
const HEADER: [u8; 3] = [0x17, 0x03, 0x03];

/// The header, with the length.
const HEADER_LEN: usize = HEADER.len() + 2;

/// The most plaintext in a record (RFC 5246 §6.2.1).
const MAX_RECORD: usize = 16 << 10;

/// Bytes of a socket that travel in records.
#[derive(Debug)]
pub(crate) struct Records {
    socket: TcpStream,
    /// Read from the socket: a record's beginning, perhaps behind one that is open.
    arrived: Vec<u8>,
    /// Plaintext at the start of `arrived`, of the record that is open.
    open: usize,
    /// Records that the socket has not taken.
    sealed: Vec<u8>,
}

impl Records {
    pub(super) const fn new(socket: TcpStream) -> Self {
        Self { socket, arrived: Vec::new(), open: 0, sealed: Vec::new() }
    }

    pub(super) const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        while self.open == 0 {
            if let Some(length) = record(&self.arrived)? {
                self.arrived.drain(..HEADER_LEN);
                self.open = length;
                continue;
            }
            let mut piece = [0; HEADER_LEN + MAX_RECORD];
            let mut piece = ReadBuf::new(&mut piece);
            match ready!(read_socket(&mut self.socket, cx, &mut piece))? {
                0 if self.arrived.is_empty() => return Poll::Ready(Ok(0)),
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                _ => self.arrived.extend_from_slice(piece.filled()),
            }
        }
        let count = self.open.min(buffer.remaining());
        buffer.put_slice(&self.arrived[..count]);
        self.arrived.drain(..count);
        self.open -= count;
        Poll::Ready(Ok(count))
    }

    /// Takes one record's plaintext, once none waits to be sealed from before.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush()?;
        self.sealed.extend_from_slice(&HEADER);
        self.sealed.extend_from_slice(&[0; 2]);
        for slice in slices {
            let room = HEADER_LEN + MAX_RECORD - self.sealed.len();
            self.sealed.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        let taken = self.sealed.len() - HEADER_LEN;
        let length = u16::try_from(taken).expect("a record is shorter");
        self.sealed[HEADER.len()..HEADER_LEN].copy_from_slice(&length.to_be_bytes());
        match self.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Ok(()) | Err(_) => Ok(taken),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.sealed.is_empty() {
            let moved = self.socket.try_write(&self.sealed)?;
            self.sealed.drain(..moved);
        }
        Ok(())
    }
}

/// The length of the plaintext of the record that `bytes` begin with, once it is whole.
fn record(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER_LEN) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if !header.starts_with(&HEADER) || length > MAX_RECORD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no record"));
    }
    Ok((rest.len() >= length).then_some(length))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::{Read as _, Write as _};

    use super::*;

    /// Records on one side, and the bare socket on the other.
    fn with_peer(test: impl AsyncFnOnce(Records, std::net::TcpStream)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let own = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            own.set_nonblocking(true).unwrap();
            let (peer, _) = listener.accept().unwrap();
            test(Records::new(TcpStream::from_std(own).unwrap()), peer).await;
        });
    }

    async fn read(records: &mut Records, room: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; room];
        let count = poll_fn(|cx| records.poll_read(cx, &mut ReadBuf::new(&mut buffer))).await?;
        buffer.truncate(count);
        Ok(buffer)
    }

    #[test]
    fn a_record_opens_when_it_is_whole_and_may_be_read_in_parts() {
        with_peer(async |mut records, mut peer| {
            for piece in [&b"\x17\x03"[..], b"\x03\x00", b"\x04ab", b"c"] {
                peer.write_all(piece).unwrap();
                let early = poll_fn(|cx| {
                    Poll::Ready(records.poll_read(cx, &mut ReadBuf::new(&mut [0; 9])))
                });
                assert!(early.await.is_pending(), "after {piece:?}");
            }
            peer.write_all(b"d\x17\x03\x03\x00\x00\x17\x03\x03\x00\x01e").unwrap();
            assert_eq!(read(&mut records, 3).await.unwrap(), b"abc");
            assert_eq!(read(&mut records, 3).await.unwrap(), b"d");
            assert_eq!(read(&mut records, 3).await.unwrap(), b"e", "behind an empty one");
            drop(peer);
            assert_eq!(read(&mut records, 3).await.unwrap(), b"");
        });
    }

    #[test]
    fn neither_a_record_too_long_nor_one_cut_short_is_opened() {
        for (bytes, kind) in [
            (&b"\x17\x03\x03\x40\x01"[..], io::ErrorKind::InvalidData),
            (b"GET / HTTP/1.1\r\n", io::ErrorKind::InvalidData),
            (b"\x17\x03\x03\x00\x02a", io::ErrorKind::UnexpectedEof),
        ] {
            with_peer(async |mut records, mut peer| {
                peer.write_all(bytes).unwrap();
                drop(peer);
                assert_eq!(read(&mut records, 9).await.unwrap_err().kind(), kind, "{bytes:?}");
            });
        }
    }

    #[test]
    fn a_full_socket_keeps_bytes_that_were_taken_and_no_more_are() {
        with_peer(async |mut records, mut peer| {
            let text = vec![b'x'; MAX_RECORD + 1];
            let mut taken = 0;
            loop {
                match records.write(&[IoSlice::new(&text[..1]), IoSlice::new(&text)]) {
                    Ok(count) => taken += count,
                    Err(error) => break assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                }
            }
            assert_eq!(taken % MAX_RECORD, 0, "a record is filled from all slices");
            assert!(!records.sealed.is_empty() && records.flush().is_err());
            let mut arrived = vec![0; taken + taken / MAX_RECORD * HEADER_LEN];
            let reading = std::thread::spawn(move || peer.read_exact(&mut arrived));
            while records.flush().is_err() {
                poll_fn(|cx| records.socket.poll_write_ready(cx)).await.unwrap();
            }
            reading.join().unwrap().unwrap();
        });
    }
}
