//! Starting the binary as a user does.

#![allow(dead_code, reason = "each test file uses its own part of this")]

pub(crate) mod schema;
pub(crate) mod stopping;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A port of 127.0.0.1 that nobody listens on, for a program of somebody else's that cannot be told to take any.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}

/// The binary with arguments, in `folder`.
pub(crate) fn pushbench(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pushbench"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    // What the other tests do meanwhile must not decide whether this one passes.
    command.env("PUSHBENCH_ALLOW_BUSY", "1");
    command
}

/// Runs it to its end. What it leaves is held against the schema of records.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    let output = pushbench(folder, args).output().expect("the binary starts");
    let measures = args.first().is_some_and(|command| ["run", "load"].contains(command));
    let is_done = output.status.code().is_some_and(|code| [0, 3, 99].contains(&code));
    // What is under another folder, or of an earlier run, a test may have changed.
    let is_here = !args.iter().any(|arg| ["--out", "-o", "--dry-run"].contains(arg));
    if measures && is_done && is_here {
        schema::check(&folder.join("results/latest"));
    }
    output
}

/// Its exit status, standard output and standard error.
pub(crate) fn outcome(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = run(folder, args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A column of the run's `summary.csv`, line by line.
pub(crate) fn column(folder: &Path, name: &str) -> Vec<String> {
    let summary = folder.join("results/latest/summary.csv");
    let mut reader = csv::Reader::from_path(summary).expect("the run has a summary");
    let headers = reader.headers().expect("a summary has a head");
    let place = headers.iter().position(|header| header == name).expect("there is such a column");
    let field = |line: Result<csv::StringRecord, _>| line.expect("a line")[place].to_owned();
    reader.records().map(field).collect()
}

/// The same as numbers.
pub(crate) fn numbers(folder: &Path, name: &str) -> Vec<f64> {
    column(folder, name).iter().map(|field| field.parse().expect("a number")).collect()
}

/// A server of its own, ended when dropped.
pub(crate) struct Serving {
    child: Child,
    /// `http://HOST:PORT`.
    pub(crate) url: String,
}

impl Serving {
    /// Starts `pushbench serve --port 0` with more arguments.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let all = [&["serve", "--port", "0"], args].concat();
        let mut child = pushbench(folder, &all)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let output = child.stdout.take().expect("its output is piped");
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url).expect("it prints its address");
        Self { child, url: url.trim().to_owned() }
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("an http address")
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
