//! The work between two waits: a bounded number of packets, from either side in turn.

use std::io;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_os::time::clock;

use crate::network::Network;
use crate::router::{Router, Side};

/// Packets that are taken from each side, and for each of them as many that are sent, before orders are
/// looked after again, and whether the other side has any: a millisecond at most.
const TURN: u32 = 16;

/// The sides in the order in which they have their turns.
const SIDES: [Side; 2] = [Side::Server, Side::Clients];

/// Where packets come from and go to.
pub(super) trait Ends {
    /// Hands the next packet of a side to `take`. Whether there was one.
    fn receive(&mut self, side: Side, take: impl FnOnce(&[u8])) -> io::Result<bool>;
    /// Gives a packet to a side. Whether it took all of it.
    fn send(&mut self, side: Side, packet: &[u8]) -> bool;
}

impl Ends for Network {
    #[inline]
    fn receive(&mut self, side: Side, take: impl FnOnce(&[u8])) -> io::Result<bool> {
        self.port(side).receive(take)
    }

    #[inline]
    fn send(&mut self, side: Side, packet: &[u8]) -> bool {
        self.port(side).send(packet)
    }
}

/// Work that is to be done, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Whether the sides may have packets, in the order of [`SIDES`].
    ready: [bool; 2],
    forwarded: u64,
}

impl Work {
    /// Takes note of sides, the server's first, that may have packets.
    pub(super) const fn note(&mut self, [server, clients]: [bool; 2]) {
        self.ready = [self.ready[0] | server, self.ready[1] | clients];
    }

    /// Packets that a side has taken.
    pub(super) const fn forwarded(&self) -> u64 {
        self.forwarded
    }

    /// How long nothing is to be done unless a packet comes; `None` for ever.
    pub(super) fn time_to_wait(&self, router: &Router) -> Option<Duration> {
        if self.ready.contains(&true) {
            return Some(Duration::ZERO);
        }
        router.next_due().map(|due| due.saturating_since(clock::now()))
    }

    /// Takes a packet from each side in turn, and sends what is due in between. A failure is that of
    /// a side to be asked for packets.
    pub(super) fn turn(
        &mut self,
        ends: &mut impl Ends,
        router: &mut Router,
    ) -> Result<(), (Side, io::Error)> {
        for _ in 0..TURN {
            let mut now = clock::now();
            for (ready, side) in self.ready.iter_mut().zip(SIDES) {
                if *ready {
                    let take = |packet: &[u8]| router.packet(clock::now(), side, packet);
                    *ready = ends.receive(side, take).map_err(|error| (side, error))?;
                    now = clock::now();
                }
            }
            self.send_due(now, ends, router);
            if self.ready == [false; 2] {
                break;
            }
        }
        Ok(())
    }

    fn send_due(&mut self, mut now: MonoInstant, ends: &mut impl Ends, router: &mut Router) {
        for _ in 0..TURN {
            let Some(due) = router.take_due(now) else { return };
            now = clock::now();
            let whole = ends.send(due.to, router.bytes(&due));
            self.forwarded += u64::from(whole);
            router.sent(due, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::link::{Link, Ways};
    use pushbench_core::units::Span;

    use super::*;
    use crate::testing::{CLIENT, SERVER, addressing, plain, segment};

    /// Two sides, each with so many packets, which take those of the other.
    struct Crowd {
        waiting: [u64; 2],
        came: Vec<Side>,
        takes: bool,
    }

    fn packet(from: Side) -> Vec<u8> {
        match from {
            Side::Server => segment(SERVER, CLIENT, |_| {}, 0),
            Side::Clients => segment(CLIENT, SERVER, |_| {}, 0),
        }
    }

    impl Ends for Crowd {
        fn receive(&mut self, side: Side, take: impl FnOnce(&[u8])) -> io::Result<bool> {
            let waiting = &mut self.waiting[usize::from(side == Side::Clients)];
            if *waiting == 0 {
                return Ok(false);
            }
            *waiting -= 1;
            take(&packet(side));
            Ok(true)
        }

        fn send(&mut self, side: Side, sent: &[u8]) -> bool {
            assert_eq!(sent, packet(side.other()), "as it came");
            self.came.push(side);
            self.takes
        }
    }

    fn router(delay: Duration) -> Router {
        let link = Link { delay: Ways::both(Span(delay)), ..plain() };
        Router::new(&link, addressing(1), 1)
    }

    #[test]
    fn who_sends_without_end_does_not_hold_the_other_way_up() {
        let mut crowd = Crowd { waiting: [1_000, 3], came: Vec::new(), takes: true };
        let (mut work, mut router) = (Work::default(), router(Duration::ZERO));
        work.note([true; 2]);
        work.turn(&mut crowd, &mut router).unwrap();
        assert_eq!(crowd.waiting, [1_000 - u64::from(TURN), 0]);
        let sent = |side| crowd.came.iter().filter(|&&came| came == side).count();
        assert_eq!((sent(Side::Server), sent(Side::Clients)), (3, TURN as usize));
        assert_eq!(work.forwarded(), u64::from(TURN) + 3);
        assert_eq!(work.time_to_wait(&router), Some(Duration::ZERO), "there may be more");
    }

    #[test]
    fn what_is_not_due_waits_and_says_for_how_long() {
        let mut crowd = Crowd { waiting: [1, 0], came: Vec::new(), takes: true };
        let (mut work, mut router) = (Work::default(), router(Duration::from_secs(9)));
        work.note([true, false]);
        work.turn(&mut crowd, &mut router).unwrap();
        assert_eq!((crowd.came.len(), router.waiting()), (0, 1));
        let wait = work.time_to_wait(&router).unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(9), "{wait:?}");
    }

    #[test]
    fn what_a_side_does_not_take_is_not_forwarded() {
        let mut crowd = Crowd { waiting: [2, 2], came: Vec::new(), takes: false };
        let (mut work, mut router) = (Work::default(), router(Duration::ZERO));
        work.note([true; 2]);
        work.turn(&mut crowd, &mut router).unwrap();
        assert_eq!((crowd.came.len(), work.forwarded()), (4, 0));
        assert_eq!(work.time_to_wait(&router), None, "nothing waits");
    }
}
