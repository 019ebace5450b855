//! Programs of somebody else's under their guardian: started, heard, and ended with all that descends
//! from them, however the run or the guardian ends.
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pushbench_core::program::{Program, Values};
use pushbench_metrics::record::control::Place;
use pushbench_run::program::{ProgramNews, ProgramPlan, ReadyProgram};
use rustix::process::{Pid, Signal, kill_process};

use crate::common::pushbench;

/// The longest that a test waits for something that is to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A guardian, as a run has one.
struct Guardian {
    child: Child,
    orders: Option<ChildStdin>,
    news: BufReader<ChildStdout>,
}

impl Guardian {
    fn of(program: &str) -> Self {
        let plan = ProgramPlan {
            program: Program::parse(program).unwrap(),
            values: Values::new(),
            credentials: None,
            place: Place::default(),
            is_written_to: false,
            tied: vec!["worker-tied".to_owned()],
        };
        let mut command = pushbench(Path::new("/"), &["worker-program"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut orders = child.stdin.take().unwrap();
        orders.write_all(&serde_json::to_vec(&plan).unwrap()).unwrap();
        orders.write_all(b"\n").unwrap();
        let news = BufReader::new(child.stdout.take().unwrap());
        Self { child, orders: Some(orders), news }
    }

    fn next(&mut self) -> ProgramNews {
        let mut line = String::new();
        self.news.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`{line}`: {error}"))
    }

    fn ready(&mut self) -> ReadyProgram {
        match self.next() {
            ProgramNews::Ready(ready) => ready,
            other => panic!("{other:?}"),
        }
    }

    fn failure(&mut self) -> String {
        match self.next() {
            ProgramNews::Failed(why) => why,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }
}

/// The processes that descend from `pid`.
fn descendants(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = text.split_whitespace().map(|pid| pid.parse().unwrap());
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn runs(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.contains(" Z "))
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// A program that has children, one of which has left its group and its parent behind; that of them
/// which asks for it does not end when it is asked to.
const FAMILY: &str = r#"
    command = ["sh", "-c", "sleep 600 & (setsid sh -c 'trap \"\" TERM; sleep 600 & wait; wait' &); pwd; echo now ready; wait"]
    ready = { line = "now (ready)" }
    stop_within = "100ms"
"#;

#[test]
fn nothing_is_left_of_a_program_whose_run_is_gone() {
    let mut guardian = Guardian::of(FAMILY);
    let ready = guardian.ready();
    let own = guardian.child.id();
    wait_until("its children start", || descendants(own).len() >= 4);
    let all = descendants(own);
    assert!(all.contains(&ready.pid));
    // As when the run is killed: nobody says anything.
    guardian.orders = None;
    assert_eq!(guardian.next(), ProgramNews::Ended);
    assert!(!all.iter().any(|pid| runs(*pid)), "{all:?}");
}

#[test]
fn a_program_is_asked_to_end_where_its_guardian_was_killed() {
    let mut guardian = Guardian::of(
        "command = [\"sh\", \"-c\", \"echo ready; exec sleep 600\"]\nready = { line = \"ready\" }",
    );
    let program = guardian.ready().pid;
    signal(guardian.child.id(), Signal::KILL);
    wait_until("the program ends", || !runs(program));
}

#[test]
fn a_program_has_its_files_its_variables_and_a_folder_that_goes_with_it() {
    let mut guardian = Guardian::of(
        r#"
        command = ["python3", "-u", "{dir}/server.py", "{host}", "{port}"]
        environment = { WHERE = "{dir}" }
        ready = { get = { path = "/there", status = 204 } }
        version = { command = ["python3", "--version"], regex = "Python ([0-9.]+)" }
        [files]
        "server.py" = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_there = os.environ['WHERE'] == os.getcwd() and self.path == '/there'
        self.send_response(204 if is_there else 404)
        self.end_headers()
http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""
        "#,
    );
    let ready = guardian.ready();
    assert!(ready.version.is_some_and(|version| version.starts_with("3.")));
    assert_ne!(ready.ports["port"], 0);
    let folder = fs::read_link(format!("/proc/{}/cwd", ready.pid)).unwrap();
    assert!(folder.join("server.py").is_file());
    guardian.orders = None;
    assert_eq!(guardian.next(), ProgramNews::Ended);
    guardian.child.wait().unwrap();
    assert!(!folder.exists());
}

#[test]
fn a_program_that_fails_says_why() {
    let sh = |script: &str, more: &str| {
        let script = script.replace('"', "\\\"");
        format!("command = [\"sh\", \"-c\", \"{script}\"]\n{more}")
    };
    for (program, parts) in [
        (sh("echo no such file >&2; exit 3", ""), &["exit status: 3", "no such file"][..]),
        (sh("kill -9 $$", ""), &["signal: 9", "it said nothing"]),
        (
            sh("echo waiting; exec sleep 600", "ready_within = \"200ms\""),
            &["is not ready within 200ms", "nothing takes connections at 127.0.0.1:", "waiting"],
        ),
        (
            sh("sleep 600", "ready_within = \"200ms\"\nready = { line = \"started$\" }"),
            &["is not ready within 200ms", "no line of it matches `started$`"],
        ),
        (
            "command = [\"python3\", \"-m\", \"http.server\", \"-b\", \"{host}\", \"{port}\"]
             ready_within = \"3s\"
             ready = { get = { path = \"/none\", status = 200 } }"
                .to_owned(),
            &["is not ready within 3s", "GET /none is answered 404, not 200"],
        ),
        ("command = [\"no-such-program\"]".to_owned(), &["`no-such-program` cannot be started"]),
        ("command = [\"sh\", \"{backend}\"]".to_owned(), &["`{backend}` has no value here"]),
    ] {
        let told = Guardian::of(&program).failure();
        assert!(parts.iter().all(|part| told.contains(part)), "{program}: {told}");
    }
}

#[test]
fn a_program_that_ends_in_mid_run_is_told_of() {
    let program = "command = [\"sh\", \"-c\", \"echo ready; sleep 0.1; echo bad luck; exit 7\"]
                   ready = { line = \"ready\" }";
    let mut guardian = Guardian::of(program);
    guardian.ready();
    let told = guardian.failure();
    assert!(told.contains("exit status: 7") && told.contains("bad luck"), "{told}");
}
