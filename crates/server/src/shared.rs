//! The state of one server, shared by everything on its thread.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use pushbench_core::feed::message::Content;
use pushbench_core::feed::schedule::Checkpoint;
use pushbench_core::{IpVersion, MonoInstant, Seq};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::observer::Window;
use pushbench_os::time::clock;
use slab::Slab;
use tokio::sync::Semaphore;

use crate::byte_count::ByteCount;
use crate::checkpoints::Checkpoints;
use crate::config::ServerConfig;
use crate::connection::Connection;
use crate::counters::{Counters, Gauge};
use crate::feed_id::FeedId;
use crate::hub::Hub;
use crate::ring::{Entry, Ring};
use crate::rooms::Rooms;
use crate::rooms::hearing::Hearing;
use crate::rooms::key::RoomKey;
use crate::rooms::room::Room;
use crate::stamps::StampLog;
use crate::view::View;
use crate::wire::Codings;

/// The state of one server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) address: SocketAddr,
    pub(crate) boot_id: String,
    /// The schedule's zero, once it has begun.
    pub(crate) origin: Cell<Option<MonoInstant>>,
    /// The room in which the publisher alone speaks.
    pub(crate) feed: Rc<Room>,
    pub(crate) rooms: Rooms,
    pub(crate) hub: RefCell<Hub>,
    pub(crate) stopping: Cell<bool>,
    pub(crate) counters: Counters,
    /// How late messages were, all of them and those of the window.
    pub(crate) lag: RefCell<Lag>,
    /// The checkpoints that the publisher has come by.
    pub(crate) checkpoints: RefCell<Checkpoints>,
    /// The way of sampled messages.
    pub(crate) stamps: Rc<StampLog>,
    /// The connections that only their tasks have: those being opened, and those in hyper's hands.
    pub(crate) in_tasks: RefCell<Slab<Rc<RefCell<Connection>>>>,
    /// The account of connections' bytes, where somebody asked for it.
    pub(crate) byte_count: Option<Rc<ByteCount>>,
    /// The permission to take one handshake on by one step, which costs up to a millisecond.
    pub(crate) handshakes: Semaphore,
    /// The time as of the last look: good enough for timeouts.
    pub(crate) clock: Cell<MonoInstant>,
    /// Bodies that are being received.
    pub(crate) uploads: Gauge,
}

/// How long after its intended instant a message was handed to the hub.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    window: Option<Window>,
    /// Of every message of the schedule.
    pub(crate) all: LatencyHistogram,
    /// Of those due in the window.
    pub(crate) in_window: LatencyHistogram,
    /// Messages due in the window that another server published, and this one took up from it.
    taken_up: u64,
}

impl Lag {
    /// Measures this window from now on.
    pub(crate) fn measure(&mut self, window: Window) {
        self.window = Some(window);
        self.in_window = LatencyHistogram::default();
        self.taken_up = 0;
    }

    /// A message is taken up that another server published, or would have.
    pub(crate) fn take_up(&mut self, seq: Seq) {
        self.taken_up += u64::from(self.window.is_some_and(|window| window.contains(seq)));
    }

    /// Messages due in the window that are published.
    pub(crate) fn published(&self) -> u64 {
        self.in_window.count() + self.taken_up
    }

    pub(crate) fn record(&mut self, seq: Seq, due: MonoInstant, at: MonoInstant) {
        let lag = at.saturating_since(due);
        self.all.record(lag);
        if self.window.is_some_and(|window| window.contains(seq)) {
            self.in_window.record(lag);
        }
    }
}

impl Shared {
    pub(crate) fn new(config: ServerConfig, address: SocketAddr) -> Self {
        let (now, codings) = (clock::now(), Codings::new(config.compression));
        let stamps = Rc::new(StampLog::new(config.stamps, config.stamps_requests));
        let feed = (
            config.feed_id.map_or_else(|| FeedId::new(now), FeedId),
            config.ring,
            Rc::clone(&stamps),
        );
        let byte_count = config.counts_bytes.then(|| ByteCount::new(IpVersion::of(address.ip())));
        let hearing = config.uploads.map(|talkers| Hearing::new(talkers, config.feed.seed));
        let rooms = Rooms::new((config.rooms, hearing), feed, codings, now);
        Self {
            feed: rooms.get(RoomKey::FEED),
            rooms,
            hub: RefCell::new(Hub::new(&config.headers)),
            stamps,
            config,
            address,
            boot_id: clock::boot_id(),
            origin: Cell::new(None),
            stopping: Cell::new(false),
            counters: Counters::default(),
            lag: RefCell::default(),
            checkpoints: RefCell::default(),
            in_tasks: RefCell::default(),
            byte_count,
            handshakes: Semaphore::new(1),
            clock: Cell::new(now),
            uploads: Gauge::default(),
        }
    }

    /// Has `look` look at each connection that is open, whoever has it.
    pub(crate) fn each_connection(&self, mut look: impl FnMut(&Connection)) {
        for (_, connection) in &*self.in_tasks.borrow() {
            look(&connection.borrow());
        }
        for (_, poller) in &self.hub.borrow().polls.pollers {
            look(poller.connection());
        }
        for room in self.rooms.all() {
            room.streams.borrow().iter().for_each(|(_, stream)| look(stream.connection()));
        }
    }

    /// The checkpoint from which the schedule is walked on by whoever joins now.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let Some(origin) = self.origin.get() else { return Checkpoint::START };
        self.checkpoints.borrow().before(clock::now().saturating_since(origin))
    }

    /// A room, which the feed is too, and the books as of now.
    #[inline]
    pub(crate) fn view<'a>(&'a self, room: &'a Room, ring: &'a Ring) -> View<'a> {
        let (counters, config, now) = (&self.counters, &self.config, self.clock.get());
        View { ring, counters, config, stamps: &room.stamps, now }
    }

    /// Has `act` look at the feed.
    pub(crate) fn with_feed<T>(&self, act: impl FnOnce(View<'_>) -> T) -> T {
        act(self.view(&self.feed, &self.feed.ring.borrow()))
    }

    /// Adds a message to the feed. Whoever waits gets it with the next [`deliver`](Self::deliver).
    pub(crate) fn push(&self, entry: Entry) {
        self.feed.ring.borrow_mut().push(entry);
    }

    /// Gives what was added to the feed to everybody who waits for it.
    pub(crate) fn deliver(&self, now: MonoInstant) {
        self.clock.set(now);
        self.deliver_in(&self.feed);
    }

    /// Gives what is new in a room to everybody who waits for it.
    pub(crate) fn deliver_in(&self, room: &Room) {
        let ring = room.ring.borrow();
        let view = self.view(room, &ring);
        room.fan_out(view);
        self.hub.borrow_mut().polls.fan_out(view);
    }

    /// Publishes a message by hand: `body` behind its number.
    pub(crate) fn publish(&self, body: &[u8]) -> Seq {
        let seq = self.feed.ring.borrow().newest().next();
        let payload = [&seq.digits(), body].concat();
        self.push(Entry::new(seq, Content::of(&payload), &payload));
        self.deliver(clock::now());
        seq
    }
}
