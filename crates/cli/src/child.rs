//! Child processes of a run: orders go down their standard input, news come up their standard
//! output, one JSON object a line (`pushbench_metrics::record::control`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::marker::PhantomData;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use anyhow::Context as _;
use pushbench_os::machine::affinity;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What comes from a child.
#[derive(Debug)]
pub(crate) enum Said<N> {
    /// A message.
    News(N),
    /// Nothing more: it has ended, or said something that is no message.
    Ended(String),
}

/// A running child that takes orders `O`. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Worker<O> {
    child: Child,
    orders: ChildStdin,
    takes: PhantomData<fn(O)>,
}

impl<O: Serialize> Worker<O> {
    /// Starts this binary with the hidden `subcommand`, keeps it on `core` if there is one, hands it
    /// `plan`, and passes what it says to `listener` from a thread of its own.
    pub(crate) fn spawn<P: Serialize, N: DeserializeOwned>(
        subcommand: &str,
        core: Option<u32>,
        plan: &P,
        listener: impl Fn(Said<N>) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let binary = std::env::current_exe().context("cannot find this binary")?;
        let mut child = Command::new(binary)
            .arg(subcommand)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own, so that Ctrl-C reaches the parent alone, which ends it in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start the child process `{subcommand}`"))?;
        if let Some(core) = core {
            // Before it has read its plan it has but one thread, which all others come from.
            let pinned = affinity::pin(child.id(), core);
            pinned.with_context(|| {
                format!("cannot keep `{subcommand}` on core {core}; pass `--no-pin`")
            })?;
        }
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (orders, news) = pipes.context("a child process has no pipes")?;
        thread::spawn(move || listen(news, &listener));
        let mut worker = Self { child, orders, takes: PhantomData };
        worker.write(plan)?;
        Ok(worker)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives an order. One that ended already says so through its listener.
    pub(crate) fn order(&mut self, order: &O) -> anyhow::Result<()> {
        self.write(order)
    }

    fn write<T: Serialize>(&mut self, message: &T) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(message).context("cannot encode an order")?;
        line.push(b'\n');
        self.orders.write_all(&line).context("a child process takes no orders any more")
    }
}

impl<O> Drop for Worker<O> {
    fn drop(&mut self) {
        // It has ended already, or is to end now: either way there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen<N: DeserializeOwned>(news: ChildStdout, listener: &impl Fn(Said<N>)) {
    for line in BufReader::new(news).lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(message) => listener(Said::News(message)),
            Err(error) => return listener(Said::Ended(format!("it said `{line}`: {error}"))),
        }
    }
    listener(Said::Ended("the process ended".to_owned()));
}
