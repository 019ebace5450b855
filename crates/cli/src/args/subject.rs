//! Arguments about servers that are measured.

use clap::{Args, Subcommand};
use pushbench_core::scenario::Scenario;
use pushbench_core::subject::SubjectName;

use super::known;

/// Servers that are measured.
#[derive(Debug, Args)]
#[command(next_help_heading = "Subjects")]
pub(crate) struct SubjectArgs {
    /// Server: pushbench, another that `pushbench subjects` lists, or a TOML file that describes one;
    /// may be a list [default: pushbench]
    #[arg(
        long, value_name = "NAME", value_delimiter = ',',
        value_parser = known::subject(), hide_possible_values = true
    )]
    pub(crate) subject: Vec<SubjectName>,
    /// Run the commands of subjects' files without asking
    #[arg(long)]
    pub(crate) trust: bool,
}

impl SubjectArgs {
    /// Puts the servers that are named in the place of the scenario's.
    pub(crate) fn apply(&self, scenario: &mut Scenario) {
        scenario.subject.override_with(&self.subject);
    }
}

/// `pushbench subjects`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  pushbench subjects
  pushbench subjects show node-sse > my-server.toml
  pushbench run --subject pushbench,./my-server.toml -t sse")]
pub(crate) struct SubjectsArgs {
    /// Show one; lists all when left out.
    #[command(subcommand)]
    pub(crate) command: Option<SubjectsCommand>,
    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `pushbench subjects …`.
#[derive(Debug, Subcommand)]
pub(crate) enum SubjectsCommand {
    /// Print the file of a built-in subject, to start one of your own from
    Show {
        /// Its name
        #[arg(value_parser = known::foreign_subject(), hide_possible_values = true)]
        name: String,
    },
}
