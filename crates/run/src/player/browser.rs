//! The browser of a trial whose clients are its tabs.

use std::thread;
use std::time::Duration;

use pushbench_core::client::ClientKind;
use pushbench_core::program::{Need, Program, Values};
use pushbench_metrics::record::control::{BrowserPlan, LoadPlayer, Place};
use pushbench_metrics::record::warning::Invalid;
use pushbench_os::process::process_tree::ProcessTree;
use pushbench_os::process::user;

use super::{Commands, Players};
use crate::error::TrialError;
use crate::program::{ProgramPlan, Running, lacks, missing};

/// The program, unless another is named.
const CHROMIUM: &str = "chromium";

/// How a browser is started: without a display, in a profile of its own, on no business but the run's.
/// No name leads anywhere, so that whatever else it would ask for, it asks nobody.
const BROWSER: &str = r#"
command = [
    "chromium", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
    "--disable-default-apps", "--disable-domain-reliability", "--disable-extensions", "--disable-sync",
    "--disable-breakpad", "--no-pings", "--metrics-recording-only",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-port={port}", "--user-data-dir={dir}/profile", "about:blank",
]
ready = { get = { path = "/json/version", status = 200 } }
ready_within = "20s"
stop_within = "5s"
"#;

/// How long it is left alone once its tabs are closed, and then watched without them.
const SETTLES_IN: Duration = Duration::from_millis(500);
const EMPTY_FOR: Duration = Duration::from_secs(1);

/// The browser of a trial. Dropping it ends it, and all that descends from it.
#[derive(Debug)]
pub(crate) struct BrowserSide {
    program: Running,
}

impl BrowserSide {
    /// Starts the browser that plays clients of `kind`, `None` where no browser does, and says who
    /// plays them.
    pub(crate) fn start(
        commands: &Commands,
        kind: ClientKind,
        players: &Players,
    ) -> Result<(Option<Self>, LoadPlayer), TrialError> {
        if kind.is_native() {
            return Ok((None, players.load.clone()));
        }
        // Chromium does not start for root with its sandbox.
        let sandboxed = !user::is_root();
        let plan = ProgramPlan {
            program: program(players.chromium.as_deref(), sandboxed),
            values: Values::new(),
            credentials: None,
            place: Place::default(),
            is_written_to: false,
            tied: commands.tied.clone(),
        };
        let program = Running::start(&commands.program, &plan);
        let program = program.map_err(|error| TrialError::Invalid(failed(&error)))?;
        let (devtools, hidden) = (program.address(), kind == ClientKind::ChromiumHidden);
        let plan = BrowserPlan { devtools, sandboxed, hidden };
        Ok((Some(Self { program }), LoadPlayer::Browser(plan)))
    }

    /// Its process, from which its others descend.
    pub(crate) const fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// CPU time that it takes in `time`, now that its tabs are closed.
    pub(crate) fn empty_cpu(&self, time: Duration) -> Option<Duration> {
        thread::sleep(SETTLES_IN);
        let mut tree = ProcessTree::of(&[self.pid()]).ok()?;
        let before = tree.read();
        thread::sleep(EMPTY_FOR);
        let spent = tree.read().since(&before).total?;
        Some(spent.total.mul_f64(time.as_secs_f64() / EMPTY_FOR.as_secs_f64()))
    }

    /// Why it came to an end that nobody asked for.
    pub(crate) fn failure(&self) -> Option<Invalid> {
        self.program.failure().map(|error| failed(&error))
    }
}

/// The program that is missing for a browser to be started, and the line to type; `None` where none is.
#[must_use]
pub fn lacking(chromium: Option<&str>) -> Option<String> {
    missing(&program(chromium, true)).map(lacks)
}

fn program(chromium: Option<&str>, sandboxed: bool) -> Program {
    let mut program = Program::parse(BROWSER).expect("the browser's program is well-formed");
    let command = chromium.unwrap_or(CHROMIUM);
    command.clone_into(&mut program.command[0]);
    if !sandboxed {
        program.command.insert(1, "--no-sandbox".to_owned());
    }
    let (package, hint) = (CHROMIUM, "apt install chromium, or name another with --chromium PATH");
    program.needs = vec![Need {
        command: command.to_owned(),
        package: package.to_owned(),
        hint: hint.to_owned(),
        probe: Vec::new(),
    }];
    program
}

fn failed(error: &impl std::fmt::Display) -> Invalid {
    Invalid::ProgramFailed { program: CHROMIUM.to_owned(), error: error.to_string() }
}
