//! Node's WebSocket server in place of ours: the package ws, as most who write one in JavaScript have it.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use pushbench_metrics::record::control::ServerMeasured;
use pushbench_run::player::child::ChildError;

/// Debian has Node's packages there, which a Node that is not Debian's does not know.
const PACKAGES: &str = "/usr/share/nodejs:/usr/local/lib/node_modules:/usr/lib/node_modules";

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.env("NODE_PATH", PACKAGES).args(["-e", script, "--"]);
    command
}

/// Whether it can be played here.
pub(super) fn is_there() -> bool {
    let probe = node("require('ws')").stdout(Stdio::null()).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// Becomes the echo, which says at its end that it measured nothing.
pub(super) fn echo() -> Result<(), ChildError> {
    let nothing = serde_json::to_string(&ServerMeasured::default()).unwrap_or_default();
    Err(ChildError::Start(node(include_str!("node_echo.cjs")).arg(nothing).exec()))
}
