//! The least that a server of clients that talk can do: receive a frame, unmask it, and send it to whoever
//! is to hear it.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::talk::Pattern;
use pushbench_os::time::clock;
use pushbench_protocol::frame::{Opcode, push_unmasked};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::write;

/// Bytes received at a time.
const BUFFER: usize = 64 << 10;

/// Events taken from the kernel at a time.
const EVENTS: usize = 256;

/// How long after the window's end clients may still talk.
const DRAIN: Duration = Duration::from_secs(5);

/// The head of a short frame from a client: two bytes and the mask (RFC 6455 §5.2).
const HEAD: usize = 6;

/// Plays until all clients have gone, or long after the window's `end`. Of what they say each message is
/// short, and in one frame.
pub(super) fn play(pattern: Pattern, sockets: Vec<TcpStream>, end: MonoInstant) -> io::Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut talkers = Vec::with_capacity(sockets.len());
    for (number, socket) in (0..).zip(sockets) {
        let data = epoll::EventData::new_u64(number);
        epoll::add(&epoll, &socket, data, epoll::EventFlags::IN)?;
        talkers.push(Some(Talker { socket, unread: Vec::new() }));
    }
    let mut room = Room { pattern, talkers, input: vec![0; BUFFER], output: Vec::new() };
    room.play(&epoll, end + DRAIN)
}

/// A client, and what it has said the beginning of.
#[derive(Debug)]
struct Talker {
    socket: TcpStream,
    unread: Vec<u8>,
}

/// All clients: whoever left is nobody.
#[derive(Debug)]
struct Room {
    pattern: Pattern,
    talkers: Vec<Option<Talker>>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Room {
    fn play(&mut self, epoll: &OwnedFd, end: MonoInstant) -> io::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut here = self.talkers.len();
        while here > 0 && clock::now() < end {
            events.clear();
            let limit = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            match epoll::wait(epoll, spare_capacity(&mut events), Some(&limit)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                let number = event.data.u64() as usize;
                if !self.heard(number)? {
                    self.talkers[number] = None;
                    here -= 1;
                }
            }
        }
        Ok(())
    }

    /// Takes what a client says, and passes it on; `false` where the client has left.
    fn heard(&mut self, number: usize) -> io::Result<bool> {
        let Some(talker) = &mut self.talkers[number] else { return Ok(true) };
        let length = match recv(&talker.socket, &mut self.input[..], RecvFlags::DONTWAIT) {
            Ok((0, _)) | Err(Errno::CONNRESET) => return Ok(false),
            Ok((length, _)) => length,
            Err(Errno::AGAIN) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        self.output.clear();
        let said = &mut self.input[..length];
        let goes_on = if talker.unread.is_empty() {
            let used = unmask_all(said, &mut self.output)?;
            talker.unread.extend_from_slice(used.map_or(&[][..], |used| &said[used..]));
            used.is_some()
        } else {
            talker.unread.extend_from_slice(said);
            let used = unmask_all(&mut talker.unread, &mut self.output)?;
            talker.unread.drain(..used.unwrap_or(0));
            used.is_some()
        };
        if !self.output.is_empty() {
            self.pass_on(number)?;
        }
        Ok(goes_on)
    }

    fn pass_on(&self, number: usize) -> io::Result<()> {
        let hearers = match self.pattern {
            Pattern::Echo => &self.talkers[number..=number],
            Pattern::Chat => &self.talkers[..],
            Pattern::Upload => &[],
        };
        hearers.iter().flatten().try_for_each(|talker| write(&talker.socket, &self.output))
    }
}

/// Appends each whole frame of `input` as a server sends it; how many bytes they were, `None` where the
/// client says good-bye.
fn unmask_all(input: &mut [u8], output: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let mut used = 0;
    while let [first, second, _, _, _, _, ..] = input[used..] {
        if first == 0x80 | Opcode::Close as u8 {
            return Ok(None);
        }
        let length = usize::from(second & 0x7f);
        if length > 125 || first != 0x80 | Opcode::Text as u8 {
            return Err(io::Error::other("a client says something else than short texts"));
        }
        let Some((head, payload)) =
            input[used..].get_mut(..HEAD + length).map(|frame| frame.split_at_mut(HEAD))
        else {
            break;
        };
        for (byte, key) in payload.iter_mut().zip(head[2..].iter().cycle()) {
            *byte ^= key;
        }
        push_unmasked(output, Opcode::Text, false, payload);
        used += HEAD + length;
    }
    Ok(Some(used))
}

#[cfg(test)]
mod tests {
    use pushbench_protocol::frame::{push_control, push_message};

    use super::*;

    #[test]
    fn what_is_said_is_passed_on_unmasked_whatever_pieces_it_comes_in() {
        let (mut input, mut output) = (Vec::new(), Vec::new());
        push_message(&mut input, Opcode::Text, b"one", [1, 2, 3, 4]);
        push_message(&mut input, Opcode::Text, b"two and more", [9, 8, 7, 6]);
        let whole = input.len();
        let mut cut = input[..whole - 3].to_vec();
        assert_eq!(unmask_all(&mut cut, &mut output).unwrap(), Some(9));
        assert_eq!(output, b"\x81\x03one");
        output.clear();
        assert_eq!(unmask_all(&mut input, &mut output).unwrap(), Some(whole));
        assert_eq!(output, b"\x81\x03one\x81\x0ctwo and more");
        let mut close = Vec::new();
        push_control(&mut close, Opcode::Close, &[], [0; 4]);
        assert_eq!(unmask_all(&mut close, &mut output).unwrap(), None);
    }
}
