//! `pushbench man` and `pushbench completions`: the command line, described for other programs.

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::args::Cli;
use crate::exit::{Failure, Outcome};
use crate::print;

/// Prints the man page.
pub(crate) fn command() -> Result<Outcome, Failure> {
    print(&page().context("cannot render the man page").map_err(Failure::Failed)?)?;
    Ok(Outcome::Done)
}

/// Prints the words that a shell completes with.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Outcome, Failure> {
    // Into memory first: a reader that leaves is no error, and the generator would panic.
    let (mut command, mut script) = (Cli::command(), Vec::new());
    clap_complete::generate(shell, &mut command, "pushbench", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}

/// One page for the program and all that its subcommands take.
fn page() -> anyhow::Result<String> {
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
