//! Child processes of a run: orders go down their standard input, news come up their standard
//! output, one JSON object a line (`pushbench_metrics::record::control`).

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use pushbench_metrics::record::control::Place;
use pushbench_os::machine::affinity;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A child process that cannot be started or told anything.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// The running program has no file.
    #[error("cannot find this binary")]
    Program(#[source] io::Error),
    /// The system starts no process with these arguments.
    #[error("cannot start the child process `{0}`")]
    Start(String, #[source] io::Error),
    /// The system does not let the process with these arguments be kept on its core, which is the
    /// kernel's number.
    #[error("cannot keep `{0}` on core {1}; pass `--no-pin`")]
    Core(String, u32, #[source] io::Error),
    /// The system gave it no pipes.
    #[error("a child process has no pipes")]
    Pipes,
    /// A plan or an order that has no JSON.
    #[error("cannot encode an order")]
    Encode(#[source] serde_json::Error),
    /// A process that has ended, or closed its standard input.
    #[error("a child process takes no orders any more")]
    Order(#[source] io::Error),
}

/// A line of a child's output.
#[derive(Debug)]
pub enum Output<N> {
    /// A message.
    News(N),
    /// Nothing more: it has ended, or said something that is no message.
    Ended(String),
}

/// A running child. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    orders: ChildStdin,
}

impl Process {
    /// Starts this program with `arguments` at `place`, hands it `plan`, and passes what it says to
    /// `listener` from a thread of its own.
    ///
    /// # Errors
    ///
    /// A process that cannot be started, kept on its core, or handed its plan.
    pub fn start<P: Serialize, N: DeserializeOwned>(
        arguments: &[String],
        place: &Place,
        plan: &P,
        listener: impl Fn(Output<N>) + Send + 'static,
    ) -> Result<Self, ProcessError> {
        let command = || arguments.join(" ");
        let binary = std::env::current_exe().map_err(ProcessError::Program)?;
        let mut child = Command::new(binary)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own, so that Ctrl-C reaches the parent alone, which ends it in order.
            .process_group(0)
            .spawn()
            .map_err(|error| ProcessError::Start(command(), error))?;
        if let Some(core) = place.core {
            // Before it has read its plan it has but one thread, which all others come from.
            affinity::pin(child.id(), core)
                .map_err(|error| ProcessError::Core(command(), core, error))?;
        }
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (orders, news) = pipes.ok_or(ProcessError::Pipes)?;
        thread::spawn(move || listen(news, &listener));
        let mut process = Self { child, orders };
        process.order(plan)?;
        Ok(process)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it by force, and waits for that.
    pub(crate) fn kill(&mut self) {
        // One that has ended already is where it was to be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Gives an order. One that ended already says so through its listener.
    pub(crate) fn order<O: Serialize>(&mut self, order: &O) -> Result<(), ProcessError> {
        let mut line = serde_json::to_vec(order).map_err(ProcessError::Encode)?;
        line.push(b'\n');
        self.orders.write_all(&line).map_err(ProcessError::Order)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listen<N: DeserializeOwned>(news: ChildStdout, listener: &impl Fn(Output<N>)) {
    for line in BufReader::new(news).lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(message) => listener(Output::News(message)),
            Err(error) => return listener(Output::Ended(format!("it said `{line}`: {error}"))),
        }
    }
    listener(Output::Ended("the process ended".to_owned()));
}
