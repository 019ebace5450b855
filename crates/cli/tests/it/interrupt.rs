//! Ctrl-C at any moment: answered within a second, over within three, with nothing left behind.
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Serving, pushbench};
use rustix::process::{Pid, Signal, kill_process};

/// The time that the program may take to end, with that which a busy machine may add: it gives itself three
/// seconds, where it does not go on for ever.
const END: Duration = Duration::from_secs(30);

/// The status of an end that the user wanted.
const INTERRUPTED: Option<i32> = Some(130);

/// The longest that a test waits for something that is to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that this test started, ended when dropped.
struct Started(Child);

impl Started {
    fn new(mut command: Command) -> Self {
        Self(command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(pid(self.0.id()), signal).unwrap();
    }

    /// The processes that it started.
    fn children(&self) -> Vec<u32> {
        let path = format!("/proc/{0}/task/{0}/children", self.0.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Whether it holds a socket.
    fn has_socket(&self) -> bool {
        let open = fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap();
        open.flatten().any(|entry| {
            fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
        })
    }

    /// Its status, once it has ended, which it does within [`END`].
    fn end(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < END, "it goes on");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.try_into().unwrap()).unwrap()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// That none of them runs any more.
fn assert_gone(children: &[u32]) {
    let runs = |child: &u32| {
        let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.contains(" Z "))
    };
    wait_until("its children end", || !children.iter().any(runs));
}

#[test]
fn a_trial_is_left_at_once_with_its_processes() {
    let work = tempfile::tempdir().unwrap();
    let args = ["run", "quick", "-t", "sse", "-d", "10m", "-w", "0s", "-c", "2"];
    let mut run = Started::new(pushbench(work.path(), &args));
    wait_until("server and load process start", || run.children().len() == 2);
    let children = run.children();
    run.signal(Signal::INT);
    assert_eq!(run.end().code(), INTERRUPTED);
    assert_gone(&children);
}

/// A feed of one message a second that began with the machine.
fn describe_feed(work: &Path) {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let feed = format!(
        r#"{{"format":"pushbench-feed/1","id":"x","seed":1,"origin":0,"boot_id":"{}","oldest":0,
            "newest":0,"schedule":{{"kind":"constant","rate":"1/s"}},
            "payload":{{"content":"text","mean_bytes":64.0}}}}"#,
        boot_id.trim()
    );
    fs::write(work.join("feed.json"), feed).unwrap();
}

#[test]
fn a_server_that_does_not_answer_keeps_nobody() {
    let work = tempfile::tempdir().unwrap();
    describe_feed(work.path());
    // Connections are made by the kernel, and nobody takes them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", silent.local_addr().unwrap());
    let with_file = ["--feed", "feed.json", "--path", "/x", "-t", "sse", "-c", "2"];
    let args = [&["load", "--target", &target][..], &with_file].concat();
    let mut load = Started::new(pushbench(work.path(), &args));
    wait_until("the load process starts", || load.children().len() == 1);
    let children = load.children();
    load.signal(Signal::INT);
    assert_eq!(load.end().code(), INTERRUPTED);
    assert_gone(&children);
    let mut load = Started::new(pushbench(work.path(), &["load", "--target", &target]));
    wait_until("it asks for the feed", || load.has_socket());
    // Not SIGINT, which a program that a shell started in the background is told to ignore.
    load.signal(Signal::TERM);
    let status = load.end();
    assert!(status.signal() == Some(15) || status.code() == INTERRUPTED, "{status}");
}

/// A figure that a server says of itself.
fn metric(server: &Serving, name: &str) -> u64 {
    let answer = ureq::get(format!("{}/metrics", server.url)).call().unwrap();
    let text = answer.into_body().read_to_string().unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    value.trim().parse().unwrap()
}

/// After its trial `load` asks whether the feed is still the same one.
#[test]
fn a_server_that_stands_still_after_a_trial_keeps_nobody() {
    let work = tempfile::tempdir().unwrap();
    let server = Serving::start(work.path(), &["--rate", "50/s"]);
    let args = ["load", "--target", &server.url, "-t", "sse", "-c", "2", "-d", "1s", "-w", "0s"];
    let mut load = Started::new(pushbench(work.path(), &args));
    let open = || metric(&server, "pushbench_connections_open{kind=\"sse\"}");
    wait_until("its clients connect", || open() == 2);
    let published = || metric(&server, "pushbench_messages_published_total");
    let before = published();
    wait_until("they are served", || published() > before + 4);
    kill_process(pid(server.pid()), Signal::STOP).unwrap();
    wait_until("it asks for the feed again", || load.has_socket());
    load.signal(Signal::INT);
    assert_eq!(load.end().code(), INTERRUPTED);
}

/// A run whose record nobody reads: its standard output is full, so that it cannot end by itself.
fn unread(work: &Path) -> (Started, UnixStream) {
    let (output, reader) = full();
    (Started(recording(work).stdout(output).stderr(Stdio::piped()).spawn().unwrap()), reader)
}

/// A run that prints its record.
fn recording(work: &Path) -> Command {
    let args = ["run", "quick", "-t", "sse", "-d", "200ms", "-w", "0s", "-c", "1", "-r", "1000"];
    pushbench(work, &[&args[..], &["--json"]].concat())
}

/// The end of a pipe that takes nothing more, and its other end.
fn full() -> (OwnedFd, UnixStream) {
    let (mut output, reader) = UnixStream::pair().unwrap();
    output.set_nonblocking(true).unwrap();
    loop {
        match output.write(&[b' '; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    output.set_nonblocking(false).unwrap();
    (output.into(), reader)
}

fn has_record(work: &Path) -> bool {
    work.join("results/latest/run.json").is_file()
}

#[test]
fn what_cannot_end_by_itself_is_ended_with_what_is_complete() {
    let work = tempfile::tempdir().unwrap();
    let (mut run, _reader) = unread(work.path());
    wait_until("a trial is over", || has_record(work.path()));
    run.signal(Signal::INT);
    assert_eq!(run.end().code(), INTERRUPTED);
    let record = fs::read_to_string(work.path().join("results/latest/run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["partial"], true);
    assert!(!record["trials"].as_array().unwrap().is_empty());
}

/// As behind `2>&1 |`: the words of the end find no place either.
#[test]
fn it_ends_also_where_nobody_reads_what_it_says() {
    let work = tempfile::tempdir().unwrap();
    let (output, _reader) = full();
    let mut command = recording(work.path());
    command.stdout(output.try_clone().unwrap()).stderr(output);
    let mut run = Started(command.spawn().unwrap());
    drop(command);
    wait_until("a trial is over", || has_record(work.path()));
    run.signal(Signal::INT);
    assert_eq!(run.end().code(), INTERRUPTED);
}

#[test]
fn a_first_signal_is_answered_and_a_second_one_ends_it() {
    let work = tempfile::tempdir().unwrap();
    let (mut run, _reader) = unread(work.path());
    wait_until("a trial is over", || has_record(work.path()));
    let told = BufReader::new(run.0.stderr.take().unwrap());
    run.signal(Signal::INT);
    let answer = told.lines().map(Result::unwrap).find(|line| line.starts_with("interrupted"));
    assert!(answer.unwrap().contains("Ctrl-C again ends at once"));
    let began = Instant::now();
    run.signal(Signal::INT);
    assert_eq!(run.end().code(), INTERRUPTED);
    // By itself it would be ended two seconds later than that.
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
}
