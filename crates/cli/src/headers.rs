//! `pushbench headers`: the cost of HTTP headers for each message, to the byte, layer by layer.

mod case;
mod claim;
mod client;
mod packets;
mod play;
mod secured;
mod server;
mod traffic;
mod watched;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pushbench_metrics::observe::ledger::Source;
use pushbench_metrics::record::headers::{Claim, FORMAT, HeaderCase, HeadersRecord, POLL, PUSH};
use pushbench_report::HeadersFolder;

use self::case::Case;
use crate::args::HeadersArgs;
use crate::exit::{Failure, Outcome};
use crate::{interrupt, plan, print, run, tell};

/// Plays each profile by each transport; writes and prints what came of it.
pub(crate) fn command(args: &HeadersArgs) -> Result<Outcome, Failure> {
    let cases = case::cases(args)?;
    let started = jiff::Timestamp::now();
    let compact = started.strftime("%Y%m%dT%H%M%SZ").to_string();
    let folder = HeadersFolder::create(&args.output.out, &compact).map_err(Failure::usage)?;
    let source = if plan::can_capture() { Source::Captured } else { Source::Kernel };
    interrupt::listen()?;
    let mut record = HeadersRecord {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command_line: run::command_line(),
        environment: pushbench_os::machine::environment::read(),
        address: if args.ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() },
        source,
        cases: Vec::new(),
        claim: None,
    };
    for case in &cases {
        let played = measure(args, case, record.address, source)?;
        record.cases.push(played);
        // For who kills it; where it cannot be saved, it is tried again at the end, and told.
        let _ = folder.save_record(&record);
    }
    if args.reproduce {
        record.claim = Some(reproduce(args, &record)?);
    }
    let written = folder.write_all(&record);
    show(&folder, &record, args)?;
    run::written(written)?;
    let faults = record.claim.as_ref().map(Claim::faults).unwrap_or_default();
    faults.iter().for_each(|fault| tell(format_args!("invalid: {fault}")));
    Ok(if faults.is_empty() { Outcome::Done } else { Outcome::Invalid })
}

/// Plays one case, and says so where that is wanted.
fn measure(
    args: &HeadersArgs,
    case: &Case,
    host: IpAddr,
    source: Source,
) -> Result<HeaderCase, Failure> {
    if args.output.verbose {
        let name = &case.profile.name;
        tell(format_args!("{name}, {} bytes of cookies more", case.cookie_bytes));
    }
    play::play(case, &case::contenders(args), host, source)
}

/// The published claim: its own poll and push, and its clients.
fn reproduce(args: &HeadersArgs, record: &HeadersRecord) -> Result<Claim, Failure> {
    let case = Case::built_in(claim::PROFILE)?;
    let is_it = |played: &&HeaderCase| {
        played.profile == claim::PROFILE && played.cookie_bytes == 0 && played.row(POLL).is_some()
    };
    let played = match record.cases.iter().find(is_it) {
        Some(played) => played.clone(),
        None => {
            let contenders = [POLL, PUSH];
            play::play(&case, &contenders, record.address, record.source)?
        }
    };
    claim::run(played, &case, &args.output)
}

/// Prints what the user asked to see.
fn show(folder: &HeadersFolder, record: &HeadersRecord, args: &HeadersArgs) -> Result<(), Failure> {
    if args.output.json {
        return print(&pushbench_report::headers_json(record).map_err(Failure::failed)?);
    }
    let mut text = String::new();
    if !args.output.quiet {
        text.push_str(&pushbench_report::headers_tables(record));
        text.push('\n');
    }
    text.push_str(&pushbench_report::headers_sentence(record));
    text.push_str(&format!("\n\nResults: {}\n", folder.path().display()));
    print(&text)
}
