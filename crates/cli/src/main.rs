//! The binary `pushbench`: arguments to plan to run.
//!
//! The parent process plans, supervises and writes results; the server under test and each load
//! generator are child processes of the same binary ([`child`]), so that CPU and memory are honestly
//! theirs.
//!
//! All output goes through [`print()`] and [`tell()`], since parts of it come from servers and files
//! that somebody else wrote.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod advise;
mod args;
mod capacity;
mod compare;
mod consent;
mod doctor;
mod exit;
mod export;
mod headers;
mod history;
mod interrupt;
mod link;
mod live;
mod load;
mod man;
mod phase;
mod plan;
mod price;
mod profile;
mod progress;
mod proxies;
mod repeat;
mod report;
mod run;
mod scenarios;
mod screen;
mod serve;
mod subjects;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Parser as _;
use pushbench_core::text;
use pushbench_run::player::child;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::args::{Cli, Command, ScenariosCommand};
use crate::exit::{Failure, Outcome};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = dispatch(cli.command);
    exit::report(outcome)
}

fn dispatch(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Run(args) => run::command(&args),
        Command::Advise(args) => advise::command(&args),
        Command::Serve(args) => serve::command(&args),
        Command::Load(args) => load::command(&args),
        Command::Link(args) => link::command(&args),
        Command::Enter(args) => link::enter(&args),
        Command::Headers(args) => headers::command(&args),
        Command::Compare(args) => compare::command(&args),
        Command::Capacity(args) => capacity::command(&args),
        Command::History(args) => history::command(&args),
        Command::Doctor(args) => doctor::command(&args),
        Command::Report(args) => report::command(&args),
        Command::Scenarios(args) => {
            let shown = args.command.map(|ScenariosCommand::Show { name }| name);
            scenarios::command(shown.as_deref())
        }
        Command::Subjects(args) => subjects::command(&args),
        Command::Completions { shell } => man::completions(shell),
        Command::Man => man::command(),
        Command::WorkerServer => Ok(child::server().map(|()| Outcome::Done)?),
        Command::WorkerLink => Ok(child::link().map(|()| Outcome::Done)?),
        Command::WorkerHeaders => headers::worker(),
        Command::WorkerCross => Ok(child::cross().map(|()| Outcome::Done)?),
        Command::WorkerProgram => Ok(child::program().map(|()| Outcome::Done)?),
        Command::WorkerTied { parent, command } => match child::tied(parent, &command)? {},
        Command::WorkerLoad => Ok(child::load().map(|()| Outcome::Done)?),
    }
}

/// Writes to standard output, control characters but line feeds and tabs shown as escapes; a reader
/// that went away (`| head`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    print_painted(&text::page(text))
}

/// The same of text with escape sequences of our own, in which what others wrote is safe already.
fn print_painted(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(anyhow!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line on how far things are, where standard error takes it now: what is measured waits for no one
/// who does not read.
fn tell_in_passing(text: impl Display) {
    let stderr = std::io::stderr();
    let mut ready = [PollFd::new(&stderr, PollFlags::OUT)];
    if poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0) {
        tell(text);
    }
}

/// Writes a line, or several, to standard error, control characters shown as escapes; where a view has the
/// terminal, once it is given back.
fn tell(text: impl Display) {
    let text = text.to_string();
    let text = text::page(&text);
    if !live::keep(&text) {
        // Whoever closed standard error wants to know nothing.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
