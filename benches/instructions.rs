//! Instructions for each message, from the bytes of a `recv` to the record.
//!
//! Counts do not move with the load of the machine, so a change of a few per cent shows on any.
//! The program runs itself under valgrind's callgrind twice, with N messages and with twice as
//! many, all prepared beforehand both times: the difference is what N messages take, and start,
//! preparation and end drop out of it.

use std::io::Write as _;
use std::path::{Path as File, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, ensure};
use clap::Parser;
use pushbench_benches::path::Path;
use pushbench_benches::reads;
use pushbench_core::{Delivery, Seq, Transport};
use pushbench_load::runner::Measure;
use pushbench_metrics::recorder::Recorder;

/// Messages in the longer of two runs; the other one has half of them.
const MESSAGES: u64 = 20_000;

const TRANSPORTS: [Transport; 4] =
    [Transport::ShortPoll, Transport::LongPoll, Transport::Sse, Transport::Websocket];

/// Counts instructions for each message, with valgrind
#[derive(Debug, Parser)]
#[command(name = "instructions")]
struct Args {
    /// Keep callgrind's files in this folder, for callgrind_annotate
    #[arg(long, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Replay this many messages of a transport, and stop: what runs under valgrind
    #[arg(long, hide = true, requires = "transport")]
    replay: Option<u64>,
    #[arg(long, hide = true)]
    transport: Option<Transport>,
    /// Replay without a record
    #[arg(long, hide = true)]
    unrecorded: bool,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let (Some(count), Some(transport)) = (args.replay, args.transport) {
        if args.unrecorded {
            replay(transport, count, ());
        } else {
            replay(transport, count, Recorder::new(1, Delivery::Every));
        }
        return ExitCode::SUCCESS;
    }
    match count_all(args.profile.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instructions: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prepares all messages, and brings the first `count` to `measure`.
fn replay(transport: Transport, count: u64, measure: impl Measure) {
    let inputs: Vec<_> = (1..=MESSAGES).map(|seq| reads::message(transport, Seq(seq))).collect();
    let mut path = Path::new(transport, MESSAGES, measure);
    for (seq, input) in (1..=count).zip(&inputs) {
        std::hint::black_box(path.read(input, Seq(seq)));
    }
}

fn count_all(profile: Option<&File>) -> anyhow::Result<()> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("instructions: skipped: no valgrind (Debian package valgrind)");
        return Ok(());
    }
    let scratch = std::env::temp_dir().join(format!("instructions-{}", std::process::id()));
    let folder = profile.unwrap_or(&scratch);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let printed = print_all(folder);
    if profile.is_none() {
        let _ = std::fs::remove_dir_all(&scratch);
    }
    printed
}

fn print_all(folder: &File) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\n## Instructions for each message of {} bytes\n", reads::PAYLOAD)?;
    writeln!(output, "| transport | session | session and record |\n|---|---|---|")?;
    for transport in TRANSPORTS {
        let session = per_message(folder, transport, &["--unrecorded"])?;
        let both = per_message(folder, transport, &[])?;
        writeln!(output, "| {transport} | {session:.0} | {both:.0} |")?;
    }
    Ok(())
}

/// Instructions that one message takes.
fn per_message(folder: &File, transport: Transport, flags: &[&str]) -> anyhow::Result<f64> {
    let half = MESSAGES / 2;
    let (less, more) =
        (count(folder, transport, half, flags)?, count(folder, transport, MESSAGES, flags)?);
    ensure!(more > less, "callgrind counts {less} instructions, and {more} for twice as much");
    Ok((more - less) as f64 / half as f64)
}

/// All instructions of a replay of `messages`.
fn count(
    folder: &File,
    transport: Transport,
    messages: u64,
    flags: &[&str],
) -> anyhow::Result<u64> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let file = folder.join(format!("{transport}{}-{messages}.callgrind", flags.concat()));
    let mut out_file = std::ffi::OsString::from("--callgrind-out-file=");
    out_file.push(&file);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(out_file)
        .arg(program)
        .args(["--replay", &messages.to_string(), "--transport", &transport.to_string()])
        .args(flags)
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed with {}: {said}", output.status);
    let text = std::fs::read_to_string(&file).context("cannot read what callgrind wrote")?;
    let total = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    let total = total.context("callgrind wrote no total")?;
    total.trim().parse().with_context(|| format!("callgrind's total is `{total}`"))
}
