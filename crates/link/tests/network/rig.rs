//! A link with processes at both ends.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use std::{fs, thread};

use pushbench_core::link::Link;
use pushbench_link::network::{Namespaces, NetworkPlan, addressing};
use pushbench_link::process::{RouterNews, RouterPlan};
use pushbench_link::router::Side;
use pushbench_metrics::observe::device::{Backend, RouterMeasured};

use crate::role::{NETWORK, ROLE, say};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A user who is nobody.
pub(crate) const NOBODY: u32 = 65_534;

/// Another process of this program. Dropping it ends it.
pub(crate) struct Process {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts `role`, in a network if one is given, as `user` if one is given.
    pub(crate) fn start(role: &str, network: Option<&Path>, user: Option<u32>) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(ROLE, role).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(network) = network {
            command.env(NETWORK, network);
        }
        if let Some(user) = user {
            command.uid(user).gid(user).current_dir("/");
        }
        let mut child = command.spawn()?;
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().expect("it was piped"));
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|l| sender.send(l))
        });
        Ok(Self { child, lines })
    }

    /// The next line that it says.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a process says what it is asked for")
    }

    /// Ends its input.
    pub(crate) fn stop(&mut self) {
        self.child.stdin = None;
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to kill, and nothing is.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Settings of a [`Rig`].
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) backend: Option<Backend>,
    pub(crate) link: Link,
    pub(crate) queue: u32,
    pub(crate) user: Option<u32>,
}

impl Default for Setting {
    fn default() -> Self {
        let queue = NetworkPlan::QUEUE;
        Self { backend: None, link: Link::default(), queue, user: None }
    }
}

/// A router, and where the networks are.
pub(crate) struct Rig {
    pub(crate) router: Process,
    pub(crate) namespaces: Namespaces,
    setting: Setting,
}

/// How many clients have an address.
pub(crate) const CLIENTS: u32 = 100_000;

impl Rig {
    /// `Err` with the reason where this system does not give this user such networks.
    pub(crate) fn start(setting: &Setting) -> Result<Self, String> {
        let plan = RouterPlan {
            link: setting.link.clone(),
            clients: CLIENTS,
            seed: 1,
            backend: setting.backend,
            queue: setting.queue,
        };
        let router =
            Process::start("router", None, setting.user).map_err(|error| error.to_string())?;
        let plan = serde_json::to_string(&plan).expect("a plan has JSON");
        writeln!(router.child.stdin.as_ref().expect("it was piped"), "{plan}").expect("it reads");
        match serde_json::from_str(&router.line()).expect("it says news") {
            RouterNews::Ready { namespaces, backend } => {
                assert!(setting.backend.is_none_or(|wanted| wanted == backend), "{backend:?}");
                Ok(Self { router, namespaces, setting: setting.clone() })
            }
            RouterNews::Refused(reason) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    /// The same, with a line that says why where it is skipped.
    pub(crate) fn start_or_skip(setting: &Setting) -> Option<Self> {
        let what = setting.backend.map_or("auto", Backend::name);
        Self::start(setting).map_err(|reason| eprintln!("skipped ({what}): {reason}")).ok()
    }

    /// Starts a process that plays `role` at a side.
    pub(crate) fn play(&self, side: Side, role: &str) -> Process {
        let network = Some(self.namespaces.of(side));
        Process::start(role, network, self.setting.user).expect("the program is there")
    }

    /// An address of the server's.
    pub(crate) fn server(&self, port: u16) -> SocketAddr {
        let addressing =
            addressing(self.setting.link.ip_version, CLIENTS).expect("there are enough");
        SocketAddr::new(addressing.server, port)
    }

    /// The address of a client.
    pub(crate) fn client(&self, number: u32) -> IpAddr {
        let addressing =
            addressing(self.setting.link.ip_version, CLIENTS).expect("there are enough");
        addressing.prefix.address(number).expect("there are enough")
    }

    /// Stops the router; what it counted.
    pub(crate) fn stop(mut self) -> RouterMeasured {
        self.router.stop();
        match serde_json::from_str(&self.router.line()).expect("it says news") {
            RouterNews::Ended(measured) => *measured,
            other => panic!("{other:?}"),
        }
    }
}

/// A process that starts a link with somebody at both ends, says who they are, and then waits to be
/// killed.
pub(crate) fn parent() -> io::Result<()> {
    let rig = match Rig::start(&Setting::default()) {
        Ok(rig) => rig,
        Err(reason) => return say(format!("skipped: {reason}")),
    };
    let address = rig.server(9);
    let server = rig.play(Side::Server, &format!("idle {address}"));
    let client = rig.play(Side::Clients, &format!("idle {}:9", rig.client(7)));
    assert_eq!([server.line(), client.line()], ["listens", "listens"]);
    let pids = [&rig.router, &server, &client].map(|process| process.child.id().to_string());
    let networks = [Side::Server, Side::Clients]
        .map(|side| fs::metadata(rig.namespaces.of(side)).map_or(0, |meta| meta.ino()).to_string());
    say(pids.into_iter().chain(networks).collect::<Vec<_>>().join(" "))?;
    thread::sleep(PATIENCE);
    Ok(())
}

/// The numbers of the networks that processes of this machine are in.
pub(crate) fn networks() -> Vec<u64> {
    let processes = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let network = |folder: PathBuf| Some(fs::metadata(folder.join("ns/net")).ok()?.ino());
    processes.filter_map(|process| network(process.path())).collect()
}
