//! The parent's side of a child process: this very program with a role to play.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::role::Role;

/// A running child. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Child {
    role: Role,
    process: Process,
    orders: ChildStdin,
    lines: Receiver<String>,
}

impl Child {
    /// Starts a child and hands it its plan.
    pub(crate) fn start(role: Role, plan: &impl Serialize) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut process = Command::new(program)
            .args(["--role", role.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the {}", role.name()))?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (orders, output) = pipes.context("a child has no pipes")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The trial may be over: then nobody listens.
                let _ = sender.send(line);
            }
        });
        let mut child = Self { role, process, orders, lines };
        child.order(plan)?;
        Ok(child)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Gives an order.
    pub(crate) fn order(&mut self, order: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        let written = self.orders.write_all(&line);
        written.with_context(|| format!("the {} takes no orders any more", self.role.name()))
    }

    /// What it says next.
    pub(crate) fn hear<T: DeserializeOwned>(&self, limit: Duration) -> anyhow::Result<T> {
        let role = self.role.name();
        let line = self.lines.recv_timeout(limit);
        let line = line.map_err(|_| anyhow!("the {role} said nothing for {limit:?}, or died"))?;
        serde_json::from_str(&line).with_context(|| format!("the {role} said `{line}`"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has ended already, or is to end now: either way there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
