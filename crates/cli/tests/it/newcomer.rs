//! `load` and a subject file by somebody who knows an application and has read the docs: a greeting before the
//! messages takes one flag, and what goes wrong is told once, with what to type.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::common::{outcome, pushbench};

/// From one message of the application to the next.
const GAP: Duration = Duration::from_millis(20);

/// An application: a greeting to each client, then `{"type":"price","data":{"n":…,"at":…}}`, as server-sent
/// events. It ends so long after its first client has come, if it does, and then nothing listens there.
fn application(ends_after: Option<Duration>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        let mut end = None;
        while end.is_none_or(|end| Instant::now() < end) {
            let Ok((stream, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(2));
                continue;
            };
            end = end.or_else(|| ends_after.map(|after| Instant::now() + after));
            let over = over.clone();
            thread::spawn(move || drop(converse(&stream, &over)));
        }
        over.store(true, Ordering::Relaxed);
    });
    address
}

fn converse(mut stream: &TcpStream, over: &AtomicBool) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")?;
    stream.write_all(b"data: {\"type\":\"hello\",\"server\":\"mine\"}\n\n")?;
    let start = Instant::now();
    for number in 1_u32.. {
        thread::sleep((GAP * number).saturating_sub(start.elapsed()));
        if over.load(Ordering::Relaxed) {
            break;
        }
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let data = format!(r#"{{"n":{number},"at":{at}}}"#);
        write!(stream, "data: {{\"type\":\"price\",\"data\":{data}}}\n\n")?;
    }
    Ok(())
}

/// The status, record, standard output and errors of a `load` of an application.
fn load(folder: &Path, application: SocketAddr, args: &[&str]) -> (i32, Value, String, String) {
    let target = format!("http://{application}");
    let all = ["load", "--target", &target, "-t", "sse", "--path", "/events", "-w", "200ms"];
    let (status, stdout, stderr) = outcome(folder, &[&all, args].concat());
    assert!(status == 0 || status == 3, "{stderr}");
    let record = fs::read_to_string(folder.join("results/latest/run.json")).unwrap();
    (status, serde_json::from_str(&record).unwrap(), stdout, stderr)
}

const SHORT: [&str; 4] = ["-c", "1", "-d", "500ms"];

#[test]
fn a_greeting_is_named_with_one_flag() {
    let folder = tempfile::tempdir().unwrap();
    let application = application(None);
    let rules = ["--seq", "/data/n", "--stamp", "/data/at:ms"];
    let ignored = ["--ignore", r#""type":"hello""#];
    for (more, is_told) in [(&ignored[..], false), (&[], true)] {
        let args = [&SHORT[..], &rules, more].concat();
        let (_, record, _, stderr) = load(folder.path(), application, &args);
        let trial = &record["trials"][0];
        assert!(trial["measured"]["audit"]["delivered"].as_u64().unwrap() > 10, "{stderr}");
        let warnings = trial["warnings"].to_string();
        assert_eq!(warnings.contains("unreadable"), is_told, "{warnings}");
    }
}

/// A greeting comes first, and says nothing of why the rules take nothing of what follows it.
#[test]
fn of_what_no_rule_takes_the_first_and_another_are_shown_and_all_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let application = application(None);
    for rules in [&["--message", "prize.*", "--seq", "/data/n"][..], &["--seq", "/data/number"]] {
        let args = [&SHORT[..], rules].concat();
        let (status, record, stdout, stderr) = load(folder.path(), application, &args);
        assert_eq!((status, record["trials"].as_array().unwrap().len()), (3, 1), "{stderr}");
        let told = stderr.lines().find(|line| line.starts_with("invalid: ")).unwrap();
        assert!(told.contains(r#"{"type":"hello","server":"mine"}"#), "{told}");
        assert!(told.contains(r#", and later "#) && told.contains(r#"{"type":"price""#), "{told}");
        assert!(told.contains("--ignore"), "{told}");
        // Once: there is no table of dashes, and no second time with the answer.
        let both = format!("{stdout}{stderr}");
        assert_eq!(both.matches("and later").count(), 1, "{both}");
        assert!(!stdout.contains("delivered"), "{stdout}");
    }
}

#[test]
fn a_wrong_unit_is_named_with_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let application = application(None);
    for unit in ["s", "us", "ns"] {
        let stamp = format!("/data/at:{unit}");
        let rules = ["--seq", "/data/n", "--stamp", &stamp, "--ignore", "hello"];
        let args = [&SHORT[..], &rules].concat();
        let (status, record, _, stderr) = load(folder.path(), application, &args);
        assert_eq!((status, record["trials"].as_array().unwrap().len()), (3, 1), "{stderr}");
        assert!(stderr.contains("which with :ms it would be"), "{stderr}");
    }
}

#[test]
fn an_application_that_ends_in_mid_run_is_said_to_have_been_there() {
    let folder = tempfile::tempdir().unwrap();
    let application = application(Some(Duration::from_millis(900)));
    let rules = ["-c", "1", "-d", "2s", "--seq", "/data/n", "--ignore", "hello"];
    let (status, record, stdout, stderr) = load(folder.path(), application, &rules);
    assert_eq!(status, 3, "{stdout}{stderr}");
    assert_eq!(record["trials"].as_array().unwrap().len(), 1, "a repeat would be of nothing");
    assert!(stderr.contains("the server was there and went away"), "{stderr}");
    assert!(stderr.contains("closed the connection"), "{stderr}");
    assert_eq!(format!("{stdout}{stderr}").matches("no attempt left").count(), 1, "{stdout}");
    // One that never was there is not tried again either.
    let (status, record, _, stderr) = load(folder.path(), application, &rules);
    assert_eq!((status, record["trials"].as_array().unwrap().len()), (3, 1), "{stderr}");
    assert!(stderr.contains("connection refused") && stderr.contains("--target"), "{stderr}");
}

/// A program that takes no `{port}` meets the one that runs already. Its traceback quotes the line that would say
/// that it is ready.
#[test]
fn a_program_whose_port_is_taken_is_told_by_its_last_words_alone() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = format!(
        "import socket\ndef deep(n):\n    if n: return deep(n - 1)\n    \
         socket.create_server(('127.0.0.1', {port})); print('listening')\ndeep(9)\n"
    );
    fs::write(folder.path().join("server.py"), server).unwrap();
    let file = folder.path().join("server.py").display().to_string();
    let subject = format!(
        "name = \"mine\"\nabout = \"a server that has one port\"\n\
         publish = {{ post = {{ path = \"/publish\" }} }}\n[transports.sse]\npath = \"/events\"\n\
         [program]\ncommand = [\"python3\", \"{file}\"]\nready = {{ line = \"listening\" }}\n"
    );
    fs::write(folder.path().join("mine.toml"), subject).unwrap();
    let args =
        ["run", "--subject", "./mine.toml", "--trust", "-t", "sse", "-c", "1", "--runs", "1"];
    let output = pushbench(folder.path(), &args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(!stderr.contains("child process") && !stderr.contains("error:"), "{stderr}");
    let told = stderr.lines().find(|line| line.starts_with("invalid: ")).unwrap();
    let (cause, traceback) = told.split_once("(before that: ").unwrap();
    assert!(cause.contains("ddress already in use") && cause.contains("{port}"), "{told}");
    assert!(traceback.contains("deep"), "{told}");
}
