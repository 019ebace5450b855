//! From an address to a running server, and from an order to stop to what was measured.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use pushbench_core::feed::schedule::Schedule;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{ServerMeasured, ServerOrder};
use pushbench_os::time::clock;
use pushbench_os::time::timer::Timer;
use rustix::net::sockopt;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, LocalSet};

use crate::accept;
use crate::channel::ChannelKind;
use crate::config::ServerConfig;
use crate::publisher;
use crate::rooms::hearing::Hearing;
use crate::rounds;
use crate::serving::task;
use crate::shared::Shared;
use crate::window_bytes;

/// Connections that may wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Tasks that run before sockets and the publisher's timer are looked at again. Below tokio's
/// own 61, since a message that is due waits for as many.
const EVENT_INTERVAL: u32 = 16;

/// How often a stopping server looks whether its peers are gone.
const STOP_TICK: Duration = Duration::from_millis(5);

/// A server that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Somebody else listens there.
    #[error(
        "cannot listen on {address}: it is in use; \
         stop what listens there, or choose another port (0 lets the system pick one)"
    )]
    AddressInUse {
        /// Where.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The system refuses to listen there.
    #[error(
        "cannot listen on {address}: {source}; \
         choose an address of this machine and a port that you may use"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The system gives no epoll instance or timer.
    #[error(
        "cannot set up the event loop of the server on {address}: {source}; \
         check the limit of open files (`ulimit -n`)"
    )]
    EventLoop {
        /// Where it was to listen.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
}

/// A server that listens. Connections wait in the kernel until [`Server::run`] takes them.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    address: SocketAddr,
    orders: UnboundedSender<ServerOrder>,
    inbox: UnboundedReceiver<ServerOrder>,
    /// Last, since they belong to the runtime.
    resources: Resources,
}

/// The resources of the system, all of them had before anybody is told that the server listens.
#[derive(Debug)]
struct Resources {
    listener: TcpListener,
    timer: AsyncFd<Timer>,
    runtime: Runtime,
}

/// Tells a server what to do, from any thread. A server that has stopped hears nothing.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    orders: UnboundedSender<ServerOrder>,
}

impl ServerHandle {
    /// Publishes by the schedule, counted from `origin`. A second start is ignored, and so is
    /// one of a feed that is published by hand.
    pub fn start(&self, origin: MonoInstant) {
        self.order(ServerOrder::Start { origin });
    }

    /// Measures the publisher over the messages of `window`, which forgets an earlier window.
    pub fn measure(&self, window: Window) {
        self.order(ServerOrder::Measure { window });
    }

    /// Ends every connection properly, and then the server.
    pub fn stop(&self) {
        self.order(ServerOrder::Stop);
    }

    /// Gives an order that came from elsewhere.
    pub fn order(&self, order: ServerOrder) {
        // Nobody listens: the server has stopped.
        let _ = self.orders.send(order);
    }
}

impl Server {
    /// Listens on `address`; port 0 lets the system pick one.
    ///
    /// Everything that can fail does so here.
    ///
    /// # Errors
    ///
    /// Where the address is in use or not to be had, or the system gives no event loop.
    pub fn bind(address: SocketAddr, config: ServerConfig) -> Result<Self, ServerError> {
        let listener = listen(address, &config).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ServerError::AddressInUse { address, source },
            _ => ServerError::Listen { address, source },
        })?;
        let own =
            listener.local_addr().map_err(|source| ServerError::Listen { address, source })?;
        let resources = Resources::new(listener)
            .map_err(|source| ServerError::EventLoop { address, source })?;
        let (orders, inbox) = unbounded_channel();
        let is_secured = !matches!(config.channel, ChannelKind::Clear);
        let access = config.access.listening_on(own, is_secured);
        let config = ServerConfig { access, ..config };
        Ok(Self { config, address: own, orders, inbox, resources })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A handle that tells the server what to do.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { orders: self.orders.clone() }
    }

    /// Serves on this thread until [`ServerHandle::stop`], and says what was measured.
    ///
    /// Nothing is published by schedule before [`ServerHandle::start`].
    #[must_use]
    pub fn run(self) -> ServerMeasured {
        let Self { config, address, orders, inbox, resources } = self;
        let Resources { listener, timer, runtime } = resources;
        // The last handle may go without an order: then there is nobody to stop the server.
        let _orders = orders;
        let shared = Rc::new(Shared::new(config, address));
        let local = LocalSet::new();
        let measured = local.block_on(&runtime, serve(shared, listener, timer, inbox));
        // Before the runtime, which its sockets belong to.
        drop(local);
        measured
    }
}

impl Resources {
    fn new(listener: StdListener) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(EVENT_INTERVAL)
            .build()?;
        let entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let timer = watched(Timer::new()?)?;
        drop(entered);
        Ok(Self { listener, timer, runtime })
    }
}

/// A timer that the event loop watches.
#[expect(deprecated, reason = "sound: a Timer owns its descriptor, and gives no other")]
pub(crate) fn watched(timer: Timer) -> io::Result<AsyncFd<Timer>> {
    AsyncFd::with_interest(timer, Interest::READABLE)
}

/// A listening socket. The standard library sets `SO_REUSEADDR`; what else is set here, accepted
/// sockets inherit, which spares a system call for each.
fn listen(address: SocketAddr, config: &ServerConfig) -> io::Result<StdListener> {
    let listener = StdListener::bind(address)?;
    sockopt::set_tcp_nodelay(&listener, true)?;
    if let Some(bytes) = config.send_buffer {
        sockopt::set_socket_send_buffer_size(&listener, bytes)?;
    }
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(
    shared: Rc<Shared>,
    listener: TcpListener,
    timer: AsyncFd<Timer>,
    mut orders: UnboundedReceiver<ServerOrder>,
) -> ServerMeasured {
    let mut timer = Some(timer);
    let mut publishing: Pin<Box<dyn Future<Output = Infallible>>> =
        Box::pin(std::future::pending());
    if let Some(begun) = shared.config.begun {
        shared.lag.borrow_mut().measure(begun.window);
        // Before anybody is let in who may know more of the feed than this server does.
        let taken_up = publisher::take_up(&shared, begun.origin);
        if let Some(timer) = timer.take() {
            publishing = Box::pin(begin(&shared, timer, begun.origin, taken_up));
        }
    }
    let accepting = tokio::task::spawn_local(accept::accept(Rc::clone(&shared), listener));
    let time_keeping = tokio::task::spawn_local(task::keep_time(Rc::clone(&shared)));
    let housekeeping = tokio::task::spawn_local(keep_house(Rc::clone(&shared)));
    let delivering = tokio::task::spawn_local(rounds::deliver(Rc::clone(&shared)));
    let telling = tokio::task::spawn_local(rounds::tell_presence(Rc::clone(&shared)));
    // Of one window, like all that is measured.
    let mut counting: Option<JoinHandle<()>> = None;
    let mut talk_since = MonoInstant::default();
    loop {
        // The publisher is part of this future and no task of its own: this future has its turn
        // after at most 61 tasks, where a task waits behind all that are ready. When thousands of
        // clients have polled at once, a message is not to wait for their answers.
        let order = tokio::select! {
            biased;
            never = &mut publishing => match never {},
            order = orders.recv() => order,
        };
        match order {
            Some(ServerOrder::Start { origin })
                if shared.config.feed.schedule != Schedule::Manual =>
            {
                if let Some(timer) = timer.take() {
                    publishing = Box::pin(begin(&shared, timer, origin, Seq::NONE));
                }
            }
            // Of a feed that is published by hand; clients that talk have begun.
            Some(ServerOrder::Start { origin }) => talk_since = origin,
            Some(ServerOrder::Measure { window }) => {
                shared.lag.borrow_mut().measure(window);
                shared.stamps.measure(window);
                let count = window_bytes::measure(Rc::clone(&shared), window);
                if let Some(earlier) = counting.replace(tokio::task::spawn_local(count)) {
                    earlier.abort();
                }
                if let Some(hearing) = &shared.rooms.hearing {
                    hearing.measure(talk_since, window);
                }
            }
            Some(ServerOrder::Stop) | None => break,
        }
    }
    drop(publishing);
    window_bytes::end(&shared);
    accepting.abort();
    if let Some(counting) = counting {
        counting.abort();
    }
    stop(&shared).await;
    time_keeping.abort();
    housekeeping.abort();
    delivering.abort();
    telling.abort();
    measured(&shared)
}

/// Publishes from `origin` on, but for what was taken up.
fn begin(
    shared: &Rc<Shared>,
    timer: AsyncFd<Timer>,
    origin: MonoInstant,
    taken_up: Seq,
) -> impl Future<Output = Infallible> + use<> {
    shared.origin.set(Some(origin));
    publisher::publish(Rc::clone(shared), timer, origin, taken_up)
}

/// Looks at deadlines from time to time.
async fn keep_house(shared: Rc<Shared>) {
    let mut ticks = tokio::time::interval(shared.config.tick());
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = clock::now();
        shared.clock.set(now);
        for (_, connection) in &*shared.in_tasks.borrow() {
            connection.borrow_mut().give_up_overdue(&shared.config, now);
        }
        for room in shared.rooms.all() {
            room.tick(shared.view(&room, &room.ring.borrow()));
        }
        shared.with_feed(|view| shared.hub.borrow_mut().polls.tick(view));
        for room in shared.rooms.tidy(now) {
            shared.hub.borrow_mut().polls.forget(room);
        }
    }
}

/// Answers what waits, says goodbye to every stream, and gives the peers their time to leave.
async fn stop(shared: &Rc<Shared>) {
    shared.stopping.set(true);
    let now = clock::now();
    shared.clock.set(now);
    for room in shared.rooms.all() {
        room.stop(shared.view(&room, &room.ring.borrow()));
    }
    shared.with_feed(|books| shared.hub.borrow_mut().polls.stop(&shared.rooms, books));
    for (_, connection) in &*shared.in_tasks.borrow() {
        connection.borrow().wake();
    }
    let deadline = now + shared.config.close_timeout;
    while shared.counters.open() > 0 && clock::now() < deadline {
        tokio::time::sleep(STOP_TICK).await;
    }
}

fn measured(shared: &Shared) -> ServerMeasured {
    let published = shared.lag.borrow().published();
    let publish_lag = std::mem::take(&mut shared.lag.borrow_mut().in_window);
    let counters = &shared.counters;
    ServerMeasured {
        published,
        publish_lag,
        connections: counters.connections.get(),
        requests: counters.requests(),
        superseded: counters.superseded.get(),
        overrun: counters.overrun.get(),
        served: shared.byte_count.as_ref().and_then(|count| count.counted()),
        heard: shared.rooms.hearing.as_ref().and_then(Hearing::take),
        stamps: shared.stamps.take(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_sockets_inherit_what_the_listener_has() {
        let payload =
            pushbench_core::feed::payload::Payload::Recorded { payloads: ["x".into()].into() };
        let feed = pushbench_core::feed::FeedSpec { seed: 1, schedule: Schedule::Manual, payload };
        let config = ServerConfig { send_buffer: Some(32 << 10), ..ServerConfig::new(feed) };
        let listener = listen("127.0.0.1:0".parse().unwrap(), &config).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
        // The kernel doubles what it is asked for, to keep its own books.
        assert_eq!(sockopt::socket_send_buffer_size(&accepted).unwrap(), 64 << 10);
    }
}
