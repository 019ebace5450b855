//! The place where a session's bytes leave and come in: today a channel of its own.

use std::io;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::{Direction, Layer, Tally};

use super::tcpip::Reading;
use crate::channel::{Channel, Moved, Overhead};
use crate::session::Sending;

/// A client's connection, if it has one, and what is kept for it.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    channel: Option<Channel>,
    /// Bytes that a full channel did not take yet; empty where it took all, and sealed ones wait.
    backlog: Option<Box<Sending>>,
    /// When the connection was asked for, or the last one where there is none.
    pub(super) opened: MonoInstant,
    /// The kernel's count of the connection when it was last read.
    pub(super) reading: Option<Reading>,
}

impl Outlet {
    /// Goes through `channel` from now on, which is being opened.
    pub(super) fn set(&mut self, channel: Channel) {
        self.channel = Some(channel);
    }

    /// The channel, in whatever state.
    #[inline]
    pub(super) const fn channel(&self) -> Option<&Channel> {
        self.channel.as_ref()
    }

    /// The same, to be changed.
    #[inline]
    pub(super) const fn channel_mut(&mut self) -> Option<&mut Channel> {
        self.channel.as_mut()
    }

    /// The channel, where it is open.
    #[inline]
    pub(super) fn open_channel(&mut self) -> Option<&mut Channel> {
        self.channel.as_mut().filter(|channel| channel.is_open())
    }

    /// Whether there is a channel, and it is open.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.channel.as_ref().is_some_and(Channel::is_open)
    }

    /// Whether reads of it say when the kernel had what they give.
    #[inline]
    pub(super) fn is_stamped(&self) -> bool {
        self.channel.as_ref().is_some_and(Channel::is_stamped)
    }

    /// Whether something waits for the channel to be writable.
    #[inline]
    pub(super) const fn waits(&self) -> bool {
        self.backlog.is_some()
    }

    /// Sends all of `sending` as far as the channel takes it, and puts the rest behind what waits.
    /// Bytes that were taken go to `tally`.
    pub(super) fn send(
        &mut self,
        sending: &mut Sending,
        tally: &mut Tally,
        moved: &mut Moved,
    ) -> io::Result<()> {
        if let Some(backlog) = &mut self.backlog {
            backlog.append(sending);
            return Ok(());
        }
        let Some(channel) = self.open_channel() else { return Ok(()) };
        let outcome = write(channel, sending, tally, moved);
        if !sending.is_empty() || channel.waits() {
            self.backlog.insert(Box::default()).append(sending);
        }
        outcome
    }

    /// Sends what waits, as far as the channel takes it.
    pub(super) fn flush(&mut self, tally: &mut Tally, moved: &mut Moved) -> io::Result<()> {
        let Some(channel) = self.channel.as_mut().filter(|channel| channel.is_open()) else {
            return Ok(());
        };
        let Some(backlog) = &mut self.backlog else { return Ok(()) };
        if channel.flush(moved)? {
            return Ok(());
        }
        let outcome = write(channel, backlog, tally, moved);
        if backlog.is_empty() && !channel.waits() {
            self.backlog = None;
        }
        outcome
    }

    /// Lets go of the channel; `None` where there was none, else its bytes that were no
    /// plaintext and that nobody was told of.
    pub(super) fn close(&mut self, moved: &mut Moved) -> Option<Overhead> {
        (self.backlog, self.reading) = (None, None);
        self.channel.take().map(|channel| channel.close(moved))
    }
}

/// Writes as much of `sending` as the channel takes, and attributes that much to `tally`.
fn write(
    channel: &mut Channel,
    sending: &mut Sending,
    tally: &mut Tally,
    moved: &mut Moved,
) -> io::Result<()> {
    let mut some = false;
    while !sending.is_empty() {
        match channel.write(sending.bytes(), moved) {
            Ok(written) => {
                some = true;
                sending.sent(written.taken, tally);
                tally.add(Direction::Up, Layer::Tls, (written.sealed - written.taken) as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What went before counts; the next call, or the next read, says the same again.
            Err(_) if some => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
