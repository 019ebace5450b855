//! The floor of every latency over TCP: how long a small message takes there and back between two
//! threads that do nothing else.
//!
//! The threads are blocking ones over loopback, without an event loop, a protocol or an encoding.
//! No transport can be faster here than half of this.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use pushbench_metrics::observe::histogram::LatencyHistogram;

use crate::time::clock;

/// Bytes of the message.
const MESSAGE: usize = 64;

/// How long the other thread may take to answer: a machine that needs longer has stopped.
const PATIENCE: Duration = Duration::from_secs(10);

/// Round trips of which the first are not counted: they warm caches up.
const WARM_UP: u32 = 100;

/// A pair of threads with a connection between them.
#[derive(Debug)]
pub struct PingPong {
    near: TcpStream,
}

impl PingPong {
    /// Opens the connection and starts the thread that answers; it ends with the connection.
    ///
    /// # Errors
    ///
    /// The system's error where it has no port, no socket or no thread left.
    pub fn new() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let near = TcpStream::connect(listener.local_addr()?)?;
        let (mut far, _) = listener.accept()?;
        for side in [&near, &far] {
            side.set_nodelay(true)?;
        }
        near.set_read_timeout(Some(PATIENCE))?;
        thread::Builder::new().name("pong".to_owned()).spawn(move || {
            let mut message = [0; MESSAGE];
            while far.read_exact(&mut message).and_then(|()| far.write_all(&message)).is_ok() {}
        })?;
        let mut pair = Self { near };
        for _ in 0..WARM_UP {
            pair.once()?;
        }
        Ok(pair)
    }

    /// Goes there and back until `length` is over, at least once.
    ///
    /// # Errors
    ///
    /// The error of the connection.
    pub fn play(&mut self, length: Duration) -> io::Result<LatencyHistogram> {
        let mut trips = LatencyHistogram::default();
        let end = clock::now() + length;
        loop {
            trips.record(self.once()?);
            if clock::now() >= end {
                return Ok(trips);
            }
        }
    }

    fn once(&mut self) -> io::Result<Duration> {
        let mut message = [7; MESSAGE];
        let start = clock::now();
        self.near.write_all(&message)?;
        self.near.read_exact(&mut message)?;
        Ok(clock::now().saturating_since(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trips_fit_into_the_time_they_were_given() {
        let mut pair = PingPong::new().unwrap();
        let start = clock::now();
        let trips = pair.play(Duration::from_millis(20)).unwrap();
        let elapsed = clock::now().saturating_since(start);
        assert!(elapsed >= Duration::from_millis(20));
        assert!(trips.count() >= 1);
        let sum_us = trips.mean_us().unwrap() * trips.count() as f64;
        assert!(sum_us <= elapsed.as_secs_f64() * 1e6 * 1.001, "{sum_us} in {elapsed:?}");
        assert_eq!(pair.play(Duration::ZERO).unwrap().count(), 1);
    }
}
