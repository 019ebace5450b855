//! `pushbench headers`: the cost of HTTP headers for each message, to the byte, layer by layer.

mod case;
mod claim;
mod client;
mod packets;
mod play;
mod secured;
mod server;
mod stage;
mod traffic;
mod watched;

use pushbench_metrics::record::headers::{
    Claim, FORMAT, HeaderCase, HeadersRecord, OverLink, POLL, PUSH,
};
use pushbench_report::HeadersFolder;

use self::case::Case;
use self::stage::Stage;
pub(crate) use self::stage::worker;
use crate::args::HeadersArgs;
use crate::exit::{Failure, Outcome};
use crate::screen::screen;
use crate::{interrupt, print, run, tell};

/// Plays each profile by each transport; writes and prints what came of it.
pub(crate) fn command(args: &HeadersArgs) -> Result<Outcome, Failure> {
    let cases = case::cases(args)?;
    let stage = Stage::of(args)?;
    let started = jiff::Timestamp::now();
    let compact = started.strftime("%Y%m%dT%H%M%SZ").to_string();
    let folder = HeadersFolder::create(&args.output.out, &compact).map_err(Failure::usage)?;
    interrupt::listen()?;
    let mut record = HeadersRecord {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command_line: run::command_line(),
        environment: pushbench_os::machine::environment::read(),
        address: stage.address,
        link: stage.link.clone(),
        source: stage.source,
        cases: Vec::new(),
        claim: None,
    };
    for case in &cases {
        let played = measure(args, case, &stage)?;
        record.cases.push(played);
        // For who kills it; where it cannot be saved, it is tried again at the end, and told.
        let _ = folder.save_record(&record);
    }
    if args.reproduce {
        record.claim = Some(reproduce(args, &record, &stage)?);
    }
    let written = folder.write_all(&record);
    show(&folder, &record, args)?;
    run::written(written)?;
    let mut faults = record.claim.as_ref().map(Claim::faults).unwrap_or_default();
    faults.extend(record.cases.iter().filter_map(contradiction));
    faults.iter().for_each(|fault| tell(format_args!("invalid: {fault}")));
    Ok(if faults.is_empty() { Outcome::Done } else { Outcome::Invalid })
}

/// Plays one case, and says so where that is wanted.
fn measure(args: &HeadersArgs, case: &Case, stage: &Stage) -> Result<HeaderCase, Failure> {
    if args.output.verbose {
        let name = &case.profile.name;
        tell(format_args!("{name}, {} bytes of cookies more", case.cookie_bytes));
    }
    stage.play(case, &case::contenders(args))
}

/// Two counts of a case that do not agree.
fn contradiction(case: &HeaderCase) -> Option<String> {
    let OverLink { router, kernel, .. } = case.over_link.filter(OverLink::is_contradictory)?;
    Some(format!(
        "{}: the link's router saw {} bytes of TCP's payload, the kernel counted {}",
        case.profile, router.payload_bytes, kernel.payload_bytes
    ))
}

/// The published claim: its own poll and push, and its clients.
fn reproduce(args: &HeadersArgs, record: &HeadersRecord, stage: &Stage) -> Result<Claim, Failure> {
    let case = Case::built_in(claim::PROFILE)?;
    let is_it = |played: &&HeaderCase| {
        played.profile == claim::PROFILE && played.cookie_bytes == 0 && played.row(POLL).is_some()
    };
    let played = match record.cases.iter().find(is_it) {
        Some(played) => played.clone(),
        None => stage.play(&case, &[POLL, PUSH])?,
    };
    claim::run(played, &case, &args.output)
}

/// Prints what the user asked to see.
fn show(folder: &HeadersFolder, record: &HeadersRecord, args: &HeadersArgs) -> Result<(), Failure> {
    if args.output.json {
        return print(&pushbench_report::headers_json(record).map_err(Failure::failed)?);
    }
    let screen = screen(args.output.color);
    let sentences = pushbench_report::headers_sentence(record);
    let mut text: String = sentences.lines().map(|line| screen.wrapped(line)).collect();
    if !args.output.quiet {
        text.push('\n');
        text.push_str(&pushbench_report::headers_tables(record, screen));
    }
    text.push_str(&format!("\nResults: {}\n", folder.path().display()));
    print(&text)
}
