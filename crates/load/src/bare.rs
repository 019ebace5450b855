//! The least that clients can do: N connections, one epoll, one buffer, no measuring.
//!
//! A bare client takes the orders of a load process, so that a trial can be played with it and its
//! cost be read in the same way. What a message costs it is the floor of all that read each message
//! for itself.

mod receiver;

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadNews, LoadOrder, LoadPlan, TrialTiming,
};
use pushbench_os::net::source::connect_from;
use pushbench_os::time::clock;
use pushbench_os::time::timer::Timer;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

pub use self::receiver::Receiver;
use crate::runner::LINGER;
use crate::session::{Output, Sessions};

/// The read buffer that all connections share.
const BUFFER: usize = 64 * 1024;

/// Events taken from the kernel at a time, as many as the load generator takes.
const EVENTS: usize = 1024;

/// The event that says that the window begins, or ends.
const EDGE: u64 = u64::MAX;

/// How long the other side may take over a handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// A part that bare clients play.
pub trait Part {
    /// Opens a client's connection and subscribes; to a stream, unless it is told otherwise.
    fn connect(
        &mut self,
        plan: &LoadPlan,
        sessions: &Sessions,
        client: u32,
    ) -> io::Result<TcpStream> {
        subscribe(plan, sessions, client)
    }

    /// Learns when the window is; all connections stand.
    ///
    /// # Errors
    ///
    /// A fault that keeps it from going on.
    fn begin(&mut self, plan: &LoadPlan, timing: &TrialTiming) -> io::Result<()>;

    /// Handles the socket of client `index`, which can be read, and says how much it counts for.
    ///
    /// # Errors
    ///
    /// A server that closes the connection or breaks the protocol.
    fn ready(&mut self, sockets: &mut Sockets, index: usize) -> io::Result<u64>;

    /// Puts what was counted within the window into the figures.
    fn end(&self, counted: u64, measured: &mut Measured);
}

/// Plays `part` for the clients of `plan` through a trial. `hear` waits for the next order.
///
/// # Errors
///
/// Those of the part, and an order out of turn.
pub fn play(
    part: &mut impl Part,
    plan: &LoadPlan,
    mut hear: impl FnMut() -> io::Result<LoadOrder>,
    mut say: impl FnMut(LoadNews),
) -> io::Result<()> {
    say(LoadNews::Ready);
    let LoadOrder::Connect = hear()? else { return Err(out_of_turn("connect")) };
    let sessions = Sessions::new(plan);
    let streams = (0..plan.clients).map(|client| part.connect(plan, &sessions, client));
    let mut sockets = Sockets::new(streams.collect::<Result<_, _>>()?)?;
    say(LoadNews::Connected { clients: plan.clients, error: None, attempts: Attempts::default() });
    let LoadOrder::Run(timing) = hear()? else { return Err(out_of_turn("run")) };
    part.begin(plan, &timing)?;
    let counted = sockets.watch(&timing.window, |sockets, index| part.ready(sockets, index))?;
    // Whoever reads this process's clock at the window's end may be late.
    clock::sleep_until(timing.window.end + LINGER);
    drop(sockets);
    let mut load = LoadMeasured { connected_at_start: plan.clients, ..LoadMeasured::default() };
    part.end(counted, &mut load.measured);
    say(LoadNews::Finished(Box::new(load)));
    Ok(())
}

fn out_of_turn(expected: &str) -> io::Error {
    io::Error::other(format!("expected the order to {expected}"))
}

/// Opens a connection in clear, and subscribes.
fn subscribe(plan: &LoadPlan, sessions: &Sessions, client: u32) -> io::Result<TcpStream> {
    let mut stream = dial(plan, client)?;
    ask(&mut stream, sessions, client)?;
    Ok(stream)
}

/// Sends what a session of the load generator sends first, and reads the head of the answer.
fn ask(stream: &mut (impl Read + Write), sessions: &Sessions, client: u32) -> io::Result<()> {
    let mut out = Output::default();
    sessions.session(client).opened(&mut out);
    stream.write_all(out.send.bytes())?;
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        head.extend_from_slice(&piece[..length]);
    }
    if !head.starts_with(b"HTTP/1.1 101") && !head.starts_with(b"HTTP/1.1 200") {
        return Err(io::Error::other("the server refuses the stream"));
    }
    Ok(())
}

/// Opens a connection with the load generator's socket options, from its source addresses.
///
/// # Errors
///
/// A server that cannot be reached, or want of descriptors or ports.
pub fn dial(plan: &LoadPlan, client: u32) -> io::Result<TcpStream> {
    let number = (plan.first_client + client) as usize;
    let stream = match plan.place.sources.get(number % plan.place.sources.len().max(1)) {
        Some(&source) => connect_from(source, plan.target)?,
        None => TcpStream::connect::<SocketAddr>(plan.target)?,
    };
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Connections whose subscription stands.
#[derive(Debug)]
pub struct Sockets {
    /// One for each client.
    pub streams: Vec<TcpStream>,
    /// The bytes that were read last.
    pub buffer: Box<[u8]>,
    epoll: OwnedFd,
}

impl Sockets {
    fn new(streams: Vec<TcpStream>) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        for (index, stream) in (0..).zip(&streams) {
            stream.set_nonblocking(true)?;
            epoll::add(&epoll, stream, EventData::new_u64(index), EventFlags::IN | EventFlags::ET)?;
        }
        Ok(Self { streams, buffer: vec![0; BUFFER].into(), epoll })
    }

    /// Calls `ready` for sockets that can be read until the window is over; the sum of what it
    /// returned in the window. The clock is not asked: a timer stands among the sockets.
    fn watch(
        &mut self,
        window: &Window,
        mut ready: impl FnMut(&mut Self, usize) -> io::Result<u64>,
    ) -> io::Result<u64> {
        let timer = Timer::new()?;
        timer.arm(window.start)?;
        epoll::add(&self.epoll, &timer, EventData::new_u64(EDGE), EventFlags::IN)?;
        let (mut counted, mut at_start) = (0, None);
        let mut events = [const { MaybeUninit::uninit() }; EVENTS];
        loop {
            let (events, _) = match epoll::wait(&self.epoll, &mut events, None) {
                Err(Errno::INTR) => continue,
                events => events?,
            };
            for event in events {
                let data = event.data.u64();
                if data != EDGE {
                    // A client's index.
                    counted += ready(self, data as usize)?;
                    continue;
                }
                if let Some(before) = at_start {
                    return Ok(counted - before);
                }
                timer.acknowledge()?;
                timer.arm(window.end)?;
                at_start = Some(counted);
            }
        }
    }

    /// Reads what the socket of client `index` holds into the buffer, from `offset` on; 0 where
    /// there is nothing.
    ///
    /// # Errors
    ///
    /// A connection that is closed or broken.
    #[inline]
    pub fn read(&mut self, index: usize, offset: usize) -> io::Result<usize> {
        match rustix::io::read(&self.streams[index], &mut self.buffer[offset..]) {
            Ok(0) => Err(io::ErrorKind::ConnectionReset.into()),
            Ok(length) => Ok(length),
            Err(Errno::AGAIN) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}
