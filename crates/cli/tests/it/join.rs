//! A link by hand: two programs joined by `pushbench link`, whose distance shows, whose packets are
//! counted, and of which nothing is left. Where the system gives this user no networks, each test says
//! so.
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::{outcome, pushbench};

/// The longest that a test waits for something that is to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether there can be a link here; says why not.
fn can_be(folder: &Path) -> bool {
    let (status, _, errors) = outcome(folder, &["link", "--", "true"]);
    let is_refused = status == 2 && errors.contains("namespace");
    if is_refused {
        eprintln!("skipped: {errors}");
    } else {
        assert_eq!(status, 0, "{errors}");
    }
    !is_refused
}

/// This program as a shell starts it at the server's address.
fn serve() -> String {
    format!("'{}' serve --host 10.0.0.1 --port 8080 --rate 50/s", env!("CARGO_BIN_EXE_pushbench"))
}

/// The arguments of a measurement against it.
const LOAD: [&str; 13] = [
    env!("CARGO_BIN_EXE_pushbench"),
    "load",
    "--target",
    "http://10.0.0.1:8080",
    "-t",
    "websocket",
    "-w",
    "200ms",
    "-d",
    "1s",
    "--runs",
    "1",
    "--json",
];

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The processes that descend from `pid`.
fn descendants(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = text.split_whitespace().map(|pid| pid.parse().unwrap());
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

fn runs(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.contains(" Z "))
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// The median of the latency in a record, in milliseconds.
fn latency_ms(folder: &Path) -> f64 {
    let mut reader = csv::Reader::from_path(folder.join("results/latest/summary.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|name| name == "latency_p50_us").unwrap();
    let line = reader.records().next().unwrap().unwrap();
    line[place].parse::<f64>().unwrap() / 1e3
}

#[test]
fn a_measurement_over_a_link_by_hand_has_its_distance_and_its_counts() {
    let folder = tempfile::tempdir().unwrap();
    if !can_be(folder.path()) {
        return;
    }
    let server = serve();
    let link = ["link", "--delay", "30ms", "--loss", "5%", "--server", &server, "--"];
    let (status, record, told) = outcome(folder.path(), &[&link[..], &LOAD, &["-c", "5"]].concat());
    assert_eq!(status, 0, "{told}");
    let record: Value = serde_json::from_str(&record).expect("a record, and nothing else");
    assert_eq!(record["trials"].as_array().unwrap().len(), 1);
    assert!(latency_ms(folder.path()) >= 30.0);
    for way in ["down (to the clients): ", "up (to the server): "] {
        let line = told.lines().find(|line| line.starts_with(way)).expect(&told);
        assert!(line.contains(" loss;") && line.contains("late by p50"), "{line}");
        assert!(!line.contains(": 0 packets"), "{line}");
        // Up there go acknowledgements, which nobody sends again.
        assert!(way.starts_with("up") || !line.contains(" 0 segments sent again"), "{line}");
    }
    assert!(!told.contains("for nobody"), "{told}");
}

#[test]
fn each_client_of_a_measurement_has_an_address_and_the_link_has_as_many_as_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    if !can_be(folder.path()) {
        return;
    }
    let server = serve();
    let link = ["link", "--clients", "2", "--server", &server, "--"];
    let (status, _, told) = outcome(folder.path(), &[&link[..], &LOAD, &["-c", "3"]].concat());
    assert_eq!(status, 3, "one of three does not connect: {told}");
    assert!(told.contains("such as from 10.128.0.3 to 10.0.0.1"), "{told}");
}

#[test]
fn by_hand_programs_are_entered_and_ctrl_c_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    if !can_be(folder.path()) {
        return;
    }
    let mut link = pushbench(folder.path(), &["link", "--delay", "20ms"]);
    let mut link = link.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(link.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<String> = lines.take(3).collect();
    assert_eq!(lines[0], "address: 10.0.0.1");
    let network = |line: &str, side: &str| {
        let rest = line.strip_prefix(side).unwrap().strip_suffix(" COMMAND").unwrap();
        rest.split_once(" enter ").unwrap().1.to_owned()
    };
    let [server, load] = [network(&lines[1], "server: "), network(&lines[2], "clients: ")];
    let program = env!("CARGO_BIN_EXE_pushbench");
    let serve = ["enter", &server, program, "serve", "--host", "10.0.0.1", "--port", "8080"];
    let mut serve = pushbench(folder.path(), &serve);
    let mut serve = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut url).unwrap();
    assert_eq!(url, "http://10.0.0.1:8080\n");
    let enter = [&["enter", &load][..], &LOAD, &["-c", "2"]].concat();
    let (status, _, told) = outcome(folder.path(), &enter);
    assert_eq!(status, 0, "{told}");
    assert!(latency_ms(folder.path()) >= 20.0);
    let router = descendants(link.id());
    assert_eq!(router.len(), 1);
    signal(&link, Signal::INT);
    assert_eq!(link.wait().unwrap().code(), Some(0));
    let mut told = String::new();
    link.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("down (to the clients): ") && told.contains("0 dropped"), "{told}");
    assert!(!runs(router[0]) && !Path::new(&load).exists());
    signal(&serve, Signal::INT);
    serve.wait().unwrap();
    let (status, _, told) = outcome(folder.path(), &["enter", &load, "true"]);
    assert!(status == 2 && told.contains("does the process that made it still run?"), "{told}");
}

/// A link with programs at both sides, and all that runs of it.
fn joined(folder: &Path) -> (Child, Vec<u32>) {
    // Two commands, so that the shell stays.
    let server = format!("{}; true", serve());
    let args = ["link", "--server", &server, "--", "sleep", "600"];
    let link = pushbench(folder, &args).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the command starts", || descendants(link.id()).into_iter().any(is_sleep));
    let all = descendants(link.id());
    // Router, leader, shell, server, and the command.
    assert_eq!(all.len(), 5, "{:?}", all.iter().map(|pid| name(*pid)).collect::<Vec<_>>());
    (link, all)
}

fn is_sleep(pid: u32) -> bool {
    name(pid) == "sleep"
}

#[test]
fn programs_end_with_their_link_however_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    if !can_be(folder.path()) {
        return;
    }
    for (by, status) in [(Signal::INT, Some(130)), (Signal::KILL, None)] {
        let (mut link, all) = joined(folder.path());
        signal(&link, by);
        assert_eq!(link.wait().unwrap().code(), status, "{by:?}");
        wait_until("all of it ends", || !all.iter().any(|pid| runs(*pid)));
    }
}

#[test]
fn a_link_ends_with_a_program_and_says_how() {
    let folder = tempfile::tempdir().unwrap();
    if !can_be(folder.path()) {
        return;
    }
    for (args, status, part) in [
        (&["--", "sh", "-c", "exit 7"][..], 7, "down (to the clients): 0 packets"),
        (&["--", "sh", "-c", "kill -9 $$"], 137, "0 dropped"),
        (&["--", "no-such-program"], 2, "cannot start `no-such-program`"),
        (&["--server", "exit 5"], 5, "0 dropped"),
        (&["--server", "exit 5", "--", "true"], 1, "the server ended before its clients did"),
    ] {
        let (code, _, told) = outcome(folder.path(), &[&["link"], args].concat());
        assert!(code == status && told.contains(part), "{args:?}: {code}, {told}");
    }
}

#[test]
fn a_link_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (args, part) in [
        (&["link", "--delay", "11s"][..], "link.delay: 11s is too long"),
        (&["link", "--delay", "1ms,2ms"], "each setting has one value"),
        (&["link", "--loss", "100%"], "link.loss"),
        (&["link", "-c", "9M"], "cannot give 9000000 clients an address each"),
        (&["link", "-c", "0"], "--clients"),
        (&["enter", "/proc/self/fd/999", "true"], "cannot enter the network namespace"),
        (&["enter", "/proc/self/fd/1"], "COMMAND"),
    ] {
        let (status, stdout, errors) = outcome(folder.path(), args);
        assert!(status == 2 && errors.contains(part), "{args:?}: {status}, {errors}");
        assert!(stdout.is_empty(), "{stdout}");
    }
}
