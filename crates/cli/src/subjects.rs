//! Servers that are somebody else's: those that a scenario asks for, those that are built in, and consent
//! to run the commands of a file from elsewhere.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use pushbench_core::Delivery;
use pushbench_core::named::did_you_mean;
use pushbench_core::scenario::Scenario;
use pushbench_core::subject::{MAX_SUBJECT_BYTES, OWN, Subject, SubjectName};
use pushbench_report::bounded;
use pushbench_run::{Plan, program};
use serde::Serialize;

use crate::args::{SubjectArgs, SubjectsArgs, SubjectsCommand};
use crate::exit::{Failure, Outcome};
use crate::{consent, print, tell};

/// The servers of a scenario that are somebody else's: `flags` stand in the place of the scenario's, whose
/// files are relative to `folder`, and of which `recorded` are known already. A file's name stands for its
/// path from here on.
pub(crate) fn resolve(
    scenario: &mut Scenario,
    flags: &SubjectArgs,
    folder: Option<&Path>,
    recorded: &[Subject],
) -> Result<Vec<Subject>, Failure> {
    flags.apply(scenario);
    let of_scenario = flags.subject.is_empty();
    let folder = folder.filter(|_| of_scenario);
    let recorded = if of_scenario { recorded } else { &[] };
    let (mut names, mut subjects) = (Vec::new(), Vec::<Subject>::new());
    for name in scenario.subject.as_slice() {
        let subject =
            if name.is_own() { None } else { Some(find(name, folder, recorded, flags.trust)?) };
        names.push(subject.as_ref().map_or_else(SubjectName::default, |it| it.name.clone()));
        subjects.extend(subject);
    }
    scenario.subject = names.into();
    Ok(subjects)
}

/// A subject by its name, or that of a file, whose commands may be run.
fn find(
    name: &SubjectName,
    folder: Option<&Path>,
    recorded: &[Subject],
    trust: bool,
) -> Result<Subject, Failure> {
    let built_in = Subject::built_in().find(|subject| subject.name == *name);
    let recorded = recorded.iter().find(|subject| subject.name == *name);
    let subject = match built_in {
        Some(subject) => {
            if recorded.is_some_and(|recorded| recorded != subject) {
                tell(format_args!("subject {name}: built in here otherwise than in the record"));
            }
            subject.clone()
        }
        None if let Some(recorded) = recorded => {
            ask(recorded, &format!("subject {name} of the record"), trust)?;
            recorded.clone()
        }
        None if name.is_plain() => return Err(unknown(name.as_str())),
        None => {
            let path = Path::new(name.as_str());
            let path = folder.map_or_else(|| path.to_owned(), |folder| folder.join(path));
            let subject = read(&path)?;
            ask(&subject, &path.display().to_string(), trust)?;
            subject
        }
    };
    subject
        .check_variables(&program::environment())
        .map_err(|error| Failure::usage(anyhow!("subject {}: {error}", subject.name)))?;
    match program::missing(&subject.program) {
        None => Ok(subject),
        Some(need) => {
            Err(Failure::usage(anyhow!("subject {}: {}", subject.name, program::lacks(need))))
        }
    }
}

fn unknown(name: &str) -> Failure {
    let names: Vec<&str> = Subject::built_in().map(|subject| subject.name.as_str()).collect();
    Failure::usage(anyhow!(
        "no subject is called `{name}`; there are {OWN}, {}, and files by their paths, such as \
         ./{name}.toml{}",
        names.join(", "),
        did_you_mean(name, names.iter().copied().chain([OWN]))
    ))
}

fn read(path: &Path) -> Result<Subject, Failure> {
    let shown = path.display();
    let text = bounded::read_text(path, MAX_SUBJECT_BYTES);
    let text = text.with_context(|| format!("cannot read the subject {shown}"));
    let subject = Subject::parse(&text.map_err(Failure::Usage)?);
    let subject = subject.and_then(|subject| subject.check_file().map(|()| subject));
    let subject = subject.map_err(|error| Failure::usage(anyhow!("subject {shown}: {error}")))?;
    if Subject::built_in().any(|known| known.name == subject.name) {
        let name = &subject.name;
        return Err(Failure::usage(anyhow!(
            "subject {shown}: `{name}` is built in; give it a name of its own"
        )));
    }
    Ok(subject)
}

/// Goes on where the user consents to the commands of a subject that `shown` describes.
fn ask(subject: &Subject, shown: &str, trust: bool) -> Result<(), Failure> {
    consent::ask(shown, &commands(subject), "runs commands on this machine", trust)
}

/// The commands of a subject, and what goes with them, a line for each.
fn commands(subject: &Subject) -> String {
    let program = &subject.program;
    let version = program.version.iter().map(|version| &version.command);
    let probes = program.needs.iter().map(|need| &need.probe).filter(|probe| !probe.is_empty());
    let commands = probes.chain(version).chain([&program.command]);
    let mut lines: Vec<String> =
        commands.map(|command| format!("  {}", command.join(" "))).collect();
    let variables = program.environment.iter();
    lines.extend(variables.map(|(name, value)| format!("  with {name}={value}")));
    lines.extend(program.files.keys().map(|name| format!("  with its file {name}")));
    lines.join("\n")
}

/// Refuses wishes that somebody else's servers do not know.
pub(crate) fn check(plan: &Plan, server_processes: Option<u64>) -> Result<(), Failure> {
    if plan.subjects.is_empty() {
        return Ok(());
    }
    if server_processes.is_some_and(|count| count > 1) {
        return Err(Failure::usage(anyhow!(
            "--server-processes is of pushbench's own server; leave it out beside other subjects"
        )));
    }
    let offered = |subject: &&Subject| {
        let mut of_it = plan.trials.iter().map(|id| &plan.point(*id).subject);
        of_it.all(|name| *name != subject.name)
    };
    if let Some(subject) = plan.subjects.iter().find(offered) {
        return Err(Failure::usage(anyhow!(
            "subject {}: it offers none of the transports with delivery `{}`; it has {}",
            subject.name,
            plan.scenario.delivery,
            offers(subject)
        )));
    }
    for (subject, names) in left_out(plan) {
        let delivery = plan.scenario.delivery;
        tell(format_args!(
            "left out: {names} of {subject}, which does not offer it with delivery `{delivery}`"
        ));
    }
    Ok(())
}

/// The contenders that subjects do not offer, by the name of each.
fn left_out(plan: &Plan) -> Vec<(&SubjectName, String)> {
    let mut all: Vec<(&SubjectName, String)> = Vec::new();
    for point in &plan.points {
        let names: Vec<&str> = plan.left_out(point).map(|contender| contender.name()).collect();
        let entry = (&point.subject, names.join(", "));
        if !names.is_empty() && !all.contains(&entry) {
            all.push(entry);
        }
    }
    all
}

/// `pushbench subjects`.
pub(crate) fn command(args: &SubjectsArgs) -> Result<Outcome, Failure> {
    if let Some(SubjectsCommand::Show { name }) = &args.command {
        print(Subject::text(name).ok_or_else(|| unknown(name))?)?;
        return Ok(Outcome::Done);
    }
    let listed: Vec<Listed> = Subject::built_in().map(Listed::of).collect();
    if args.json {
        let json = serde_json::to_string_pretty(&listed).map_err(Failure::failed)?;
        print(&format!("{json}\n"))?;
    } else {
        print(&list(&listed))?;
    }
    Ok(Outcome::Done)
}

/// The transports of a subject, with the promise of each that brings the newest message alone.
fn offers(subject: &Subject) -> String {
    let offers = subject.transports.iter().map(|(transport, offered)| match offered.delivery {
        Delivery::Every => transport.name().to_owned(),
        Delivery::Latest => format!("{} with --delivery latest", transport.name()),
    });
    offers.collect::<Vec<_>>().join(", ")
}

/// A subject, as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    about: &'static str,
    transports: Vec<&'static str>,
    #[serde(skip)]
    offers: String,
    installed: bool,
    /// The line to type where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Listed {
    fn of(subject: &'static Subject) -> Self {
        let missing = program::missing(&subject.program);
        Self {
            name: subject.name.as_str(),
            about: &subject.about,
            transports: subject.transports.keys().map(|it| it.name()).collect(),
            offers: offers(subject),
            installed: missing.is_none(),
            hint: missing.map(|need| need.hint.clone()),
        }
    }
}

fn list(listed: &[Listed]) -> String {
    let mut text = format!("{OWN:<12} its own server: every transport, in this binary\n");
    for Listed { name, about, offers, hint, .. } in listed {
        let state = match hint {
            None => "installed".to_owned(),
            Some(hint) => format!("not installed: {hint}"),
        };
        text.push_str(&format!("{name:<12} {about}\n"));
        text.push_str(&format!("{:<12} {offers}; {state}\n", ""));
    }
    text.push_str(
        "\nMeasure them side by side with `pushbench run --subject pushbench,NAME`, start one of your \
         own\nfrom `pushbench subjects show NAME`.\n",
    );
    text
}
