//! What bare clients have in common: N connections, one epoll, one buffer.

use std::io::{Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use pushbench_load::session::{Output, Sessions};
use pushbench_metrics::control::{LoadMeasured, LoadNews, LoadOrder, LoadPlan, TrialTiming};
use pushbench_metrics::observer::Window;
use pushbench_metrics::recorder::Measured;
use pushbench_probe::timer::Timer;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

use crate::orders::{hear, say};

/// The read buffer that all connections share.
const BUFFER: usize = 64 * 1024;

/// Events taken from the kernel at a time, as many as the load generator takes.
const EVENTS: usize = 1024;

/// The event that says that the window begins, or ends.
const EDGE: u64 = u64::MAX;

/// How long the other side may take over a handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections whose subscription stands.
pub(super) struct Sockets {
    pub(super) streams: Vec<TcpStream>,
    pub(super) buffer: Box<[u8]>,
    epoll: OwnedFd,
}

/// Goes through a trial: `connect` opens a client's connection, `prepare` is told the timing, and
/// `ready` handles a socket that can be read and says how much it counts for. Reports what was
/// counted in the window as `fill` puts it into the figures.
pub(super) fn play<S>(
    connect: impl Fn(&LoadPlan, &Sessions, u32) -> anyhow::Result<TcpStream>,
    prepare: impl FnOnce(&LoadPlan, &TrialTiming, &mut Sockets) -> anyhow::Result<S>,
    ready: impl Fn(&mut S, &mut Sockets, usize) -> anyhow::Result<u64>,
    fill: impl FnOnce(&S, u64, &mut Measured),
) -> anyhow::Result<()> {
    let plan: LoadPlan = hear()?;
    say(&LoadNews::Ready);
    let LoadOrder::Connect = hear()? else { bail!("expected the order to connect") };
    let sessions = Sessions::new(&plan);
    let streams = (0..plan.clients).map(|client| connect(&plan, &sessions, client));
    let mut sockets = Sockets::new(streams.collect::<Result<_, _>>()?)?;
    say(&LoadNews::Connected { clients: plan.clients, error: None });
    let LoadOrder::Run(timing) = hear()? else { bail!("expected the order to run") };
    let mut state = prepare(&plan, &timing, &mut sockets)?;
    let counted = sockets.watch(&timing.window, |sockets, index| ready(&mut state, sockets, index));
    let mut load = LoadMeasured::default();
    fill(&state, counted?, &mut load.measured);
    say(&LoadNews::Finished(Box::new(load)));
    Ok(())
}

/// Opens a connection, sends what a session of the load generator sends first, and reads the head
/// of the answer.
pub(super) fn subscribe(
    plan: &LoadPlan,
    sessions: &Sessions,
    client: u32,
) -> anyhow::Result<TcpStream> {
    let mut out = Output::default();
    sessions.session(client).opened(&mut out);
    let mut stream = dial(plan)?;
    stream.write_all(out.send.bytes()).context("cannot send a request")?;
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while memchr::memmem::find(&head, b"\r\n\r\n").is_none() {
        let length = stream.read(&mut piece).context("cannot read an answer")?;
        ensure!(length > 0, "the server closed the connection");
        head.extend_from_slice(&piece[..length]);
    }
    ensure!(head.starts_with(b"HTTP/1.1 101") || head.starts_with(b"HTTP/1.1 200"), "refused");
    Ok(stream)
}

/// Opens a connection with the load generator's socket options.
pub(super) fn dial(plan: &LoadPlan) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(plan.target).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

impl Sockets {
    fn new(streams: Vec<TcpStream>) -> anyhow::Result<Self> {
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
        mut ready: impl FnMut(&mut Self, usize) -> anyhow::Result<u64>,
    ) -> anyhow::Result<u64> {
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

    /// Reads what a socket holds into the buffer, from `offset` on; 0 where there is nothing.
    #[inline]
    pub(super) fn read(&mut self, index: usize, offset: usize) -> anyhow::Result<usize> {
        match rustix::io::read(&self.streams[index], &mut self.buffer[offset..]) {
            Ok(0) => bail!("the server closed a connection"),
            Ok(length) => Ok(length),
            Err(Errno::AGAIN) => Ok(0),
            Err(error) => Err(error).context("cannot read"),
        }
    }
}
