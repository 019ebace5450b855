//! `load` against servers that send too early, too late, something else or nothing: no such trial
//! passes for a measurement.
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pushbench_os::time::clock;
use serde_json::{Value, json};

use crate::common::outcome;

/// Messages a second of every feed here, as its description says.
const RATE: u64 = 50;

/// A server whose every connection gets an event stream: when message *n* is due, counted from the
/// server's start and at `rate` a second, what `script` makes of *n*; nothing more after `None`.
struct Server {
    address: SocketAddr,
    /// When message 1 was due.
    origin: u64,
}

impl Server {
    fn start(rate: u64, script: impl Fn(u64) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::counting(rate, move |n, _| script(n))
    }

    /// The same of a script that also gets how many messages came before on the connection.
    fn counting(
        rate: u64,
        script: impl Fn(u64, u64) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, origin) = (listener.local_addr().unwrap(), clock::now());
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, stream) = (script.clone(), stream.unwrap());
                // An end of the connection is the client's good right.
                thread::spawn(move || drop(play(stream, rate, origin.0, &*script)));
            }
        });
        Self { address, origin: origin.0 }
    }

    /// Measures it with three clients, for a second unless `more` says otherwise, by a description whose origin is `late_ms`
    /// after the true one.
    fn measure(&self, late_ms: u64, more: &[&str]) -> Measured {
        let folder = tempfile::tempdir().unwrap();
        let feed = json!({
            "format": "pushbench-feed/1", "id": "unfit", "seed": 1, "oldest": 0, "newest": 0,
            "origin": self.origin + late_ms * 1_000_000, "boot_id": clock::boot_id(),
            "schedule": {"kind": "constant", "rate": format!("{RATE}/s")},
            "payload": {"content": "text", "mean_bytes": 64.0},
        });
        fs::write(folder.path().join("feed.json"), feed.to_string()).unwrap();
        let target = format!("http://{}", self.address);
        let mut args = vec!["load", "--target", &target, "--feed", "feed.json", "--path", "/x"];
        args.extend(["-t", "sse", "-c", "3", "-w", "300ms", "--json"]);
        args.extend(more);
        if !more.contains(&"-d") {
            args.extend(["-d", "1s"]);
        }
        let (status, stdout, stderr) = outcome(folder.path(), &args);
        let record: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
        let trial = record["trials"].as_array().unwrap().last().unwrap().clone();
        Measured { status, trial, stderr }
    }
}

fn play(
    mut stream: TcpStream,
    rate: u64,
    origin: u64,
    script: &dyn Fn(u64, u64) -> Option<Vec<u8>>,
) -> std::io::Result<()> {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head)?;
    stream.set_nodelay(true)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")?;
    let first = (clock::now().0 - origin) * rate / 1_000_000_000 + 2;
    for n in first.. {
        clock::sleep_until(pushbench_core::MonoInstant(origin + (n - 1) * 1_000_000_000 / rate));
        let Some(bytes) = script(n, n - first) else {
            // The client goes first.
            let _ = stream.read(&mut head)?;
            return Ok(());
        };
        stream.write_all(&bytes)?;
    }
    Ok(())
}

/// An event with message `n`.
fn event(n: u64) -> Vec<u8> {
    format!("data: {n:010}{}\n\n", "x".repeat(54)).into_bytes()
}

/// The outcome of a run: its status, its last trial, and the words beside it.
#[derive(Debug)]
struct Measured {
    status: i32,
    trial: Value,
    stderr: String,
}

impl Measured {
    fn count(&self, what: &str) -> u64 {
        self.trial["measured"]["audit"][what].as_u64().unwrap()
    }

    /// The reason or warning of a kind.
    fn told(&self, whence: &str, kind: &str) -> Option<&Value> {
        let told = self.trial[whence].as_array().unwrap();
        told.iter().find(|told| told["kind"] == kind)
    }

    /// The reason of a kind for which the trial is invalid.
    fn invalid(&self, kind: &str) -> &Value {
        assert_eq!(self.status, 3, "{self:?}");
        self.told("invalid", kind).unwrap_or_else(|| panic!("not {kind}: {self:?}"))
    }

    /// That nothing is wrong with what arrived; a machine that stalls may still spoil the trial.
    fn assert_fit(&self) {
        for kind in ["before-due", "not-this-feed", "nothing-arrived", "lost-to-errors"] {
            assert!(self.told("invalid", kind).is_none(), "{self:?}");
        }
        let sum = ["delivered", "lost", "late", "superseded"].map(|what| self.count(what));
        assert_eq!(sum.iter().sum::<u64>(), self.count("expected"), "{self:?}");
    }
}

#[test]
fn messages_before_their_time_are_no_measurement() {
    let server = Server::start(RATE, |n| Some(event(n)));
    let fits = server.measure(0, &[]);
    fits.assert_fit();
    assert_eq!((fits.count("delivered"), fits.count("expected")), (150, 150), "{fits:?}");
    let early = server.measure(100, &[]);
    let reason = early.invalid("before-due");
    assert_eq!(reason["likely"], "origin", "{reason}");
    let by = &reason["early"];
    // At most a message's way late, and never more than the true 100 ms early.
    assert!((50_000_000..=100_000_000).contains(&by["nanos"].as_u64().unwrap()), "{reason}");
    assert!(early.told("invalid", "not-this-feed").is_none(), "{early:?}");
}

#[test]
fn numbers_that_run_ahead_are_of_another_feed() {
    let faster = Server::start(2 * RATE, |n| Some(event(n))).measure(0, &[]);
    let sign = &faster.invalid("not-this-feed")["sign"];
    let pace = sign["faster"]["pace"].as_f64().unwrap_or_else(|| panic!("{faster:?}"));
    assert!((1.8..2.2).contains(&pace), "{sign}");
    assert!(faster.invalid("before-due")["likely"]["rate"].is_object(), "{faster:?}");

    // Of these not one is due in the trial, and not one is dropped without a word.
    let far = Server::start(RATE, |n| Some(event(n + 1_000_000))).measure(0, &[]);
    let sign = &far.invalid("not-this-feed")["sign"]["ahead"];
    assert!(sign["messages"].as_u64().unwrap() >= 100, "{sign}");
    assert!(sign["first"].as_u64().unwrap() > 1_000_000, "{sign}");
    let cause = far.invalid("nothing-arrived")["cause"].as_str().unwrap();
    assert!(cause.contains("not due yet"), "{cause}");
}

/// Latency then grows with the length of the window, and is not the server's.
#[test]
fn a_feed_that_is_slower_than_described_is_told() {
    let [slow, even] = thread::scope(|scope| {
        let both = [RATE - 5, RATE].map(|rate| {
            scope.spawn(move || Server::start(rate, |n| Some(event(n))).measure(0, &["-d", "3s"]))
        });
        both.map(|measured| measured.join().unwrap())
    });
    let told = slow.told("warnings", "falls-behind").unwrap_or_else(|| panic!("{slow:?}"));
    let [from, to] = ["from_us", "to_us"].map(|end| told[end].as_f64().unwrap());
    // Two seconds lie between the middles of the first and the last, each a tenth too long.
    assert!((150_000.0..250_000.0).contains(&(to - from)), "{told}");
    assert!(even.told("warnings", "falls-behind").is_none(), "{even:?}");
}

#[test]
fn numbers_that_nobody_has_are_of_another_feed() {
    let odd = Server::start(RATE, |n| Some(if n.is_multiple_of(2) { vec![] } else { event(n) }));
    let odd = odd.measure(0, &[]);
    let sign = &odd.invalid("not-this-feed")["sign"]["gaps"];
    assert_eq!(sign["clients"], 3, "{odd:?}");
    assert!(sign["messages"].as_u64().unwrap() >= 24, "{odd:?}");
}

#[test]
fn where_nothing_arrives_the_first_cause_is_named() {
    let named = Server::start(RATE, |n| Some([b"event: price\n".as_slice(), &event(n)].concat()));
    let cases: [(Server, &str); 4] = [
        (named, "of type `price`"),
        (Server::start(RATE, |_| None), "no byte came"),
        (Server::start(RATE, |_| Some(b": still here\n\n".to_vec())), "none of them a message's"),
        (Server::counting(RATE, |n, sent| (sent < 3).then(|| event(n))), "the server fell silent"),
    ];
    thread::scope(|scope| {
        for (server, cause) in cases {
            scope.spawn(move || {
                let measured = server.measure(0, &[]);
                assert_eq!(measured.count("delivered"), 0);
                let told = measured.invalid("nothing-arrived")["cause"].as_str().unwrap();
                assert!(told.contains(cause), "{told}");
            });
        }
    });
    let measured = Server::start(RATE, |_| Some(b"data: hello\n\n".to_vec())).measure(0, &[]);
    let told = measured.invalid("nothing-arrived")["cause"].as_str().unwrap();
    assert!(measured.status == 3 && told.contains("carries no number"), "{told}");
}

#[test]
fn broken_protocols_are_named_and_what_is_lost_to_them_is_no_measurement() {
    // Every fifth event carries no number; the next one may.
    let broken = |n: u64| if n.is_multiple_of(5) { b"data: hello\n\n".to_vec() } else { event(n) };
    let some = Server::start(RATE, move |n| Some(broken(n))).measure(0, &["-q"]);
    assert!(some.count("delivered") > 0, "{some:?}");
    let told = some.told("warnings", "protocol-errors").unwrap_or_else(|| panic!("{some:?}"));
    assert!(told["count"].as_u64().unwrap() >= 3, "{told}");
    assert!(some.stderr.contains("protocol errors in 1 trial,"), "{}", some.stderr);
    assert!(some.stderr.contains("carries no number"), "{}", some.stderr);

    let broken = |n: u64| if n % 50 < 45 { b"data: hello\n\n".to_vec() } else { event(n) };
    let most = Server::start(RATE, move |n| Some(broken(n))).measure(0, &[]);
    let reason = most.invalid("lost-to-errors");
    assert!(reason["first"].as_str().unwrap().contains("carries no number"), "{reason}");
}

#[test]
fn a_silent_server_loses_and_a_slow_path_is_late() {
    // The window holds the fortieth message after the subscription in its middle.
    let silent = Server::counting(RATE, |n, sent| (sent < 40).then(|| event(n)));
    let silent = silent.measure(0, &[]);
    silent.assert_fit();
    assert!(silent.count("lost") > 0 && silent.count("late") == 0, "{silent:?}");
    let told = silent.told("warnings", "fell-silent").unwrap_or_else(|| panic!("{silent:?}"));
    assert_eq!((&told["clients"], &told["newest"]), (&3.into(), &silent.count("newest").into()));
    let at = Duration::from_nanos(told["at"]["nanos"].as_u64().unwrap());
    assert!(told["at"]["secs"] == 0 && at > Duration::from_millis(100), "{told}");

    // Each message takes six periods, so that at the end most are still to come.
    let slow = Server::start(RATE, |n| {
        thread::sleep(Duration::from_millis(120));
        Some(event(n))
    });
    let slow = slow.measure(0, &[]);
    slow.assert_fit();
    assert!(slow.count("late") > 0 && slow.count("lost") == 0, "{slow:?}");
    assert!(slow.told("warnings", "late").is_some(), "{slow:?}");
    assert!(slow.told("warnings", "fell-silent").is_none(), "{slow:?}");
}
