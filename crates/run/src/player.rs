//! Players: who plays the two sides of a trial, as processes of this program or as a server that
//! runs already.

pub mod browser;
pub mod child;
pub(crate) mod clients;
pub(crate) mod cpu;
pub(crate) mod cross;
pub(crate) mod inbox;
pub mod link;
pub(crate) mod own;
pub mod process;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod subject;
pub mod target;

use pushbench_core::Contender;
use pushbench_core::feed::payload::Payload;
use pushbench_metrics::record::control::{LoadPlayer, ServerPlayer};

use self::target::Target;

/// Who plays the sides of a trial.
#[derive(Debug, Clone)]
pub struct Players {
    /// The server's side.
    pub server: Server,
    /// The clients' side.
    pub load: LoadPlayer,
    /// The browser whose tabs are clients at some points, where it is another than the system's.
    pub chromium: Option<String>,
}

/// The player of the server's side.
#[derive(Debug, Clone)]
pub enum Server {
    /// Child processes, fresh for each trial.
    Children(ServerPlayer),
    /// A server that runs already; its process ids, where its cost can be read.
    Running(Box<Target>, Vec<u32>),
}

impl Players {
    /// Server and load generator of pushbench.
    #[must_use]
    pub const fn real() -> Self {
        let server = Server::Children(ServerPlayer::Real);
        Self { server, load: LoadPlayer::Real, chromium: None }
    }

    /// The same with another browser than the system's.
    #[must_use]
    pub fn with_browser(self, chromium: Option<String>) -> Self {
        Self { chromium, ..self }
    }

    /// The load generator of pushbench against a server that runs already.
    #[must_use]
    pub fn against(target: Target, pids: Vec<u32>) -> Self {
        let server = Server::Running(Box::new(target), pids);
        Self { server, load: LoadPlayer::Real, chromium: None }
    }

    /// Bare loops, for messages of this payload: the floor.
    #[must_use]
    pub const fn bare(payload: Payload) -> Self {
        let server = Server::Children(ServerPlayer::Bare);
        Self { server, load: LoadPlayer::Bare(payload), chromium: None }
    }

    /// `text` without the secrets of who is measured.
    #[must_use]
    pub fn hide(&self, text: String) -> String {
        match &self.server {
            Server::Running(target, _) => target.subject.hide(text),
            Server::Children(_) => text,
        }
    }

    /// The name of who plays a trial of `contender`, for a person who watches.
    pub(crate) fn name(&self, contender: Contender) -> &'static str {
        match self.load {
            LoadPlayer::Real | LoadPlayer::Browser(_) => contender.name(),
            LoadPlayer::Bare(_) => "floor",
        }
    }
}

/// The arguments with which the running program plays a side of a trial: it then takes a plan and
/// orders on its standard input, as [`child`] does.
#[derive(Debug, Clone)]
pub struct Commands {
    /// Of a server process.
    pub server: Vec<String>,
    /// Of a load process.
    pub load: Vec<String>,
    /// Of the router of a link.
    pub link: Vec<String>,
    /// Of a process that fills the line beside the feed.
    pub cross: Vec<String>,
    /// Of the guardian of a program that is somebody else's.
    pub program: Vec<String>,
    /// Of a program that is to end with its parent: behind them stand the parent's process id, the
    /// program and its arguments.
    pub tied: Vec<String>,
}
