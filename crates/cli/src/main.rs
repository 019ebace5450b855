//! The binary `pushbench`: arguments to plan to run.
//!
//! The parent process plans, supervises and writes results; the server under test and each load
//! generator are child processes of the same binary //! generator are child processes of the same binary ([`pushbench_run`]), so that CPU and memory are
//! honestly theirs., so that CPU and memory are
//! honestly theirs.
//!
//! All output goes through [`print()`] and [`tell()`], since parts of it come from servers and files
//! that somebody else wrote.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod builtin;
mod capture;
mod compare;
mod doctor;
mod exit;
mod headers;
mod interrupt;
mod load;
mod profile;
mod progress;
mod results;
mod run;
mod scenario;
mod serve;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{CommandFactory as _, Parser as _};
use pushbench_core::text;
use pushbench_run::player::child;

use crate::args::{Cli, Command};
use crate::exit::{Failure, Outcome};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = dispatch(cli.command);
    exit::report(outcome)
}

fn dispatch(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Run(args) => run::command(&args),
        Command::Serve(args) => serve::command(&args),
        Command::Load(args) => load::command(&args),
        Command::Headers(args) => headers::command(&args),
        Command::Compare(args) => compare::command(&args),
        Command::Doctor(args) => doctor::command(&args),
        Command::Report(args) => report(&args),
        Command::Scenarios(args) => scenarios(&args),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "pushbench",
                &mut std::io::stdout(),
            );
            Ok(Outcome::Done)
        }
        Command::Man => {
            print(&man_page().context("cannot render the man page").map_err(Failure::Failed)?)?;
            Ok(Outcome::Done)
        }
        Command::WorkerServer => Ok(child::server().map(|()| Outcome::Done)?),
        Command::WorkerLoad => Ok(child::load().map(|()| Outcome::Done)?),
    }
}

/// One page for the program and all that its subcommands take.
fn man_page() -> anyhow::Result<String> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    for subcommand in command.get_subcommands().filter(|known| !known.is_hide_set()) {
        let man = clap_mangen::Man::new(subcommand.clone());
        page.extend(
            format!(".SH \"PUSHBENCH {}\"\n", subcommand.get_name().to_uppercase()).bytes(),
        );
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
        man.render_extra_section(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(String::from_utf8(page)?)
}

fn report(args: &args::ReportArgs) -> Result<Outcome, Failure> {
    let path = pushbench_report::rebuild(&args.run).map_err(|error| {
        let refused = error.is_of_the_argument();
        if refused { Failure::usage(error) } else { Failure::failed(error) }
    })?;
    print(&format!("{}\n", path.display()))?;
    Ok(Outcome::Done)
}

fn scenarios(args: &args::ScenariosArgs) -> Result<Outcome, Failure> {
    match &args.command {
        Some(args::ScenariosCommand::Show { name }) => {
            let text = builtin::scenario(name).ok_or_else(|| builtin::unknown(name))?;
            print(text)?;
        }
        None => print(&builtin::list())?,
    }
    Ok(Outcome::Done)
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

/// Writes a line, or several, to standard error, control characters shown as escapes.
fn tell(text: impl Display) {
    // Whoever closed standard error wants to know nothing.
    let _ = writeln!(std::io::stderr().lock(), "{}", text::page(&text.to_string()));
}
