//! The connections of a side, each with a thread of its own that does nothing but read or write.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use pushbench_core::MonoInstant;
use pushbench_os::net::source::connect_from;
use pushbench_os::time::clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt;

use super::{CONGESTION, CrossCount, CrossPart, CrossPorts};

/// Bytes that are read or written at a time.
const CHUNK: usize = 1 << 16;

/// How long a connection may take to open: longer than any trial waits for anything.
const PATIENCE: Timespec = Timespec { tv_sec: 120, tv_nsec: 0 };

/// A side's connections, and what came over them.
pub(super) struct Flows {
    ends: Ends,
    book: Arc<Book>,
    /// Who counts what comes within the window.
    counter: Option<JoinHandle<u64>>,
}

/// The makings of the connections.
enum Ends {
    /// A listener for downloads and one for uploads.
    Server([TcpListener; 2]),
    /// The address to connect from, and how often to which port.
    Clients { source: IpAddr, ports: CrossPorts, down: u32, up: u32 },
}

/// The count of all connections.
#[derive(Debug, Default)]
struct Book {
    received: AtomicU64,
    error: Mutex<Option<String>>,
}

/// The work of a thread with its connection.
#[derive(Debug, Clone, Copy)]
enum Task {
    Send,
    Receive,
}

impl Flows {
    /// Opens the listeners of the server's side.
    pub(super) fn prepare(part: CrossPart) -> io::Result<Self> {
        let listen = |address| TcpListener::bind(SocketAddr::new(address, 0));
        let ends = match part {
            CrossPart::Server { address } => Ends::Server([listen(address)?, listen(address)?]),
            CrossPart::Clients { source, ports, down, up } => {
                Ends::Clients { source, ports, down, up }
            }
        };
        Ok(Self { ends, book: Arc::default(), counter: None })
    }

    /// Where it listens, if it does.
    pub(super) fn ports(&self) -> io::Result<Option<CrossPorts>> {
        let Ends::Server([down, up]) = &self.ends else { return Ok(None) };
        Ok(Some(CrossPorts { down: down.local_addr()?, up: up.local_addr()? }))
    }

    /// Has everything flow from `warmup` on, and be counted within `window`.
    pub(super) fn run(&mut self, warmup: MonoInstant, window: Range<MonoInstant>) {
        let book = Arc::clone(&self.book);
        self.counter = Some(thread::spawn(move || book.count_within(&window)));
        match &self.ends {
            Ends::Server([down, up]) => {
                for (listener, task) in [(down, Task::Send), (up, Task::Receive)] {
                    let book = Arc::clone(&self.book);
                    match listener.try_clone() {
                        Ok(listener) => drop(thread::spawn(move || accept(&listener, task, &book))),
                        Err(error) => self.book.failed(&error),
                    }
                }
            }
            &Ends::Clients { source, ports, down, up } => {
                let downloads = (0..down).map(|_| (ports.down, Task::Receive));
                for (port, task) in downloads.chain((0..up).map(|_| (ports.up, Task::Send))) {
                    let book = Arc::clone(&self.book);
                    thread::spawn(move || {
                        clock::sleep_until(warmup);
                        book.keep(open(source, port).and_then(|it| task.play(it, &book)));
                    });
                }
            }
        }
    }

    /// The bytes received within the window, once that is over.
    pub(super) fn count(&mut self) -> CrossCount {
        let received = self.counter.take().map_or(0, |counter| counter.join().unwrap_or(0));
        let error = self.book.error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        CrossCount { received, error }
    }
}

impl Book {
    fn count_within(&self, window: &Range<MonoInstant>) -> u64 {
        clock::sleep_until(window.start);
        let before = self.received.load(Ordering::Relaxed);
        clock::sleep_until(window.end);
        self.received.load(Ordering::Relaxed) - before
    }

    fn keep(&self, played: io::Result<()>) {
        if let Err(error) = played {
            self.failed(&error);
        }
    }

    /// Keeps the first failure.
    fn failed(&self, error: &io::Error) {
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| error.to_string());
    }
}

fn accept(listener: &TcpListener, task: Task, book: &Arc<Book>) {
    for stream in listener.incoming() {
        let book = Arc::clone(book);
        thread::spawn(move || book.keep(stream.and_then(|it| task.play(it, &book))));
    }
}

fn open(source: IpAddr, port: SocketAddr) -> io::Result<TcpStream> {
    let stream = connect_from(source, port)?;
    // Its retries are the kernel's, which waits longer each time (RFC 6298 §5.5).
    poll(&mut [PollFd::new(&stream, PollFlags::OUT)], Some(&PATIENCE))?;
    stream.take_error()?.map_or(Ok(()), Err)?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

impl Task {
    fn play(self, mut stream: TcpStream, book: &Book) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        match self {
            Self::Send => {
                sockopt::set_tcp_congestion(&stream, CONGESTION)?;
                loop {
                    stream.write_all(&chunk)?;
                }
            }
            Self::Receive => loop {
                match stream.read(&mut chunk)? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    length => book.received.fetch_add(length as u64, Ordering::Relaxed),
                };
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// A side of both, over loopback. Their threads end with the process.
    fn pair(down: u32, up: u32) -> [Flows; 2] {
        let server = Flows::prepare(CrossPart::Server { address: LOOPBACK }).unwrap();
        let ports = server.ports().unwrap().unwrap();
        let clients = CrossPart::Clients { source: LOOPBACK, ports, down, up };
        [server, Flows::prepare(clients).unwrap()]
    }

    fn run(mut flows: [Flows; 2], warmup: MonoInstant, window: Range<MonoInstant>) -> [u64; 2] {
        flows.iter_mut().for_each(|side| side.run(warmup, window.clone()));
        flows.map(|mut side| {
            let CrossCount { received, error } = side.count();
            assert_eq!(error, None);
            received
        })
    }

    #[test]
    fn each_side_counts_what_it_receives_within_the_window() {
        let begin = clock::now();
        let window = begin + Duration::from_millis(50)..begin + Duration::from_millis(150);
        let [up, down] = run(pair(2, 0), begin, window);
        assert!(up == 0 && down > 0, "{up}, {down}");
        let begin = clock::now();
        let window = begin + Duration::from_millis(50)..begin + Duration::from_millis(150);
        let [up, down] = run(pair(0, 1), begin, window);
        assert!(up > 0 && down == 0, "{up}, {down}");
    }

    #[test]
    fn before_warm_up_nothing_flows() {
        let begin = clock::now();
        let window = begin..begin + Duration::from_millis(100);
        assert_eq!(run(pair(1, 1), window.end + Duration::from_secs(60), window), [0, 0]);
    }
}
