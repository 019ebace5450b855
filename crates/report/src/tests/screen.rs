//! The output of a run, at the widths that terminals have.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use pushbench_core::Contender;
use pushbench_metrics::judge::compare::{Rules, compare};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::{Invalid, Lag, Warning};
use unicode_width::UnicodeWidthStr as _;

use crate::{Screen, comparison_table, fixture, sentence, terminal_table};

const RESTART: &str = "transports = [\"sse\", \"websocket\"]\nduration = \"2s\"\nruns = 1\n[restart]\n\
                       how = \"kill\"\nat = \"1s\"";

/// Runs whose tables are wide, with long names, several points and notes of each kind.
fn runs() -> Vec<(&'static str, RunRecord)> {
    let mut marked = fixture::six();
    for trial in &mut marked.trials {
        trial.warnings.push(Warning::LoadLate(Lag { us: 6_000.0, at_p99: true }));
        if trial.id.round == 1 {
            trial.invalid.push(Invalid::LoadSaturated { share: 0.99 });
        }
    }
    let long_names = fixture::run(
        "clients = 12345\nduration = \"1s\"\nruns = 2\nrate = [\"1/s\", \"2.5/s\"]\n\
         transports = [\"short-poll-conditional+tls\", \"websocket+tls+deflate-takeover\"]",
    );
    vec![
        ("marked", marked),
        ("long names", long_names),
        ("quick", fixture::quick()),
        ("six", fixture::six()),
        ("stacks", fixture::stacks()),
        ("sweep", fixture::sweep()),
        ("latest", fixture::latest()),
        ("ratios", fixture::ratios()),
        ("payloads", fixture::captured(fixture::payloads())),
        (
            "floors",
            fixture::broken_down_run("clients = [2, 3]\nduration = \"1s\"\nruns = 2\nfloor = true"),
        ),
        ("restart", fixture::life::cut_off(RESTART, 3)),
    ]
}

/// Widths of which the last has room for all.
const WIDTHS: [usize; 5] = [50, 60, 80, 120, 300];

/// A run with its output at each of these widths, without colours.
struct Printed {
    name: &'static str,
    record: RunRecord,
    texts: [String; WIDTHS.len()],
}

static PRINTED: LazyLock<Vec<Printed>> = LazyLock::new(|| {
    let print = |record: &RunRecord, screen: Screen| {
        let answer: String = sentence(record).lines().map(|line| screen.wrapped(line)).collect();
        answer + "\n" + &terminal_table(record, screen)
    };
    let runs = runs().into_iter();
    let all = runs.map(|(name, record)| {
        let texts = WIDTHS.map(|width| print(&record, Screen::new(width, false)));
        Printed { name, record, texts }
    });
    all.collect()
});

/// The words of a text but those that speak of its width.
fn words(text: &str) -> BTreeSet<&str> {
    let (before, of_width) = text.split_once("Not shown in").unwrap_or((text, ""));
    let behind = of_width.split_once("report.html.").map_or("", |(_, behind)| behind);
    before
        .split_whitespace()
        .chain(behind.split_whitespace())
        .filter(|word| !is_rule(word))
        .collect()
}

fn is_rule(word: &str) -> bool {
    word.chars().all(|c| c == '─')
}

/// `text` as a terminal shows it, and whether it was coloured.
fn without_colours(text: &str) -> (String, bool) {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').expect("only colours").1);
    }
    let is_coloured = plain.len() < text.len();
    (plain, is_coloured)
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_word_is_broken() {
    for Printed { name, texts, .. } in PRINTED.iter() {
        let mut known = words(texts.last().unwrap());
        // A title of two lines in one.
        known.insert("memory/client");
        for (width, text) in WIDTHS.into_iter().zip(texts) {
            for line in text.lines() {
                assert!(line.width() <= width, "{name} at {width}: {line}\n{text}");
                assert_eq!(line, line.trim_end(), "{name} at {width}");
            }
            let there = words(text);
            let broken: Vec<_> = there.difference(&known).collect();
            assert!(broken.is_empty(), "{name} at {width}: {broken:?}\n{text}");
        }
    }
}

#[test]
fn a_table_has_a_line_for_each_contender_at_each_point_or_a_block() {
    for Printed { name, record, texts } in PRINTED.iter() {
        for (width, text) in WIDTHS.into_iter().zip(texts) {
            let (_, table) = text.split_once("\n\n").unwrap();
            let is_table = table.contains('─');
            assert!(!is_table || width >= 60, "{name}: {width} is too narrow for a table\n{text}");
            for contender in &record.scenario.contenders {
                let at = |what| format!("{name}, {contender} at {width}: {what}\n{text}");
                let is_its_own = |line: &&str| line.split(' ').next() == Some(contender.name());
                let lines: Vec<&str> = table.lines().filter(is_its_own).collect();
                assert_eq!(lines.len(), record.points.len(), "{}", at("a line at each point"));
                let cells = |line: &&str| line.split("  ").filter(|cell| !cell.is_empty()).count();
                let is_whole = |line| if is_table { cells(line) >= 3 } else { cells(line) == 1 };
                assert!(lines.iter().all(is_whole), "{}", at("a row, or the head of a block"));
            }
        }
    }
}

/// The order is stated in the documentation.
#[test]
fn columns_give_way_in_their_order_and_what_is_gone_is_told() {
    let record = fixture::quick();
    let told = |width| {
        let text = terminal_table(&record, Screen::new(width, false));
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let of_it = flat.split_once(&format!("Not shown in {width} columns: "));
        of_it.map(|(_, rest)| rest.split_once("; a terminal of ").unwrap().0.to_owned())
    };
    assert_eq!(told(120), None);
    assert_eq!(told(105).as_deref(), Some("load CPU/msg"));
    assert_eq!(told(100).as_deref(), Some("load CPU/msg and latency max"));
    assert_eq!(told(90).as_deref(), Some("load CPU/msg, latency max and memory/client"));
    let most = told(60).unwrap();
    let first = "load CPU/msg, latency max, memory/client, age mean, delivered (100 %)";
    assert!(most.starts_with(first), "{most}");
    // Where messages are missing, that is worth more than most.
    let mut record = fixture::quick();
    let trial = fixture::trial_mut(&mut record, Contender::WEBSOCKET, 1);
    trial.measured.audit.lost = 3;
    trial.measured.audit.delivered -= 3;
    assert!(terminal_table(&record, Screen::new(80, false)).contains("99.93 % (3 lost)"));
}

#[test]
fn colours_mark_what_trials_tell_apart_and_take_no_room() {
    let record = fixture::quick();
    for width in [50, 80] {
        let plain = terminal_table(&record, Screen::new(width, false));
        let coloured = terminal_table(&record, Screen::new(width, true));
        assert_eq!(without_colours(&coloured), (plain, true), "{width}");
    }
    let text = terminal_table(&record, Screen::new(120, true));
    let row = |name: &str| {
        text.lines().find(|line| line.contains(name) && line.contains(" ms")).unwrap().to_owned()
    };
    let (green, red, yellow) = ("\u{1b}[32m", "\u{1b}[31m", "\u{1b}[33m");
    // The streams are not told apart by latency.
    for stream in ["sse", "websocket"] {
        assert!(row(stream).contains(&format!("%  {green}4")), "{text}");
    }
    assert!(row("short-poll").contains(&format!("{red}500 ms [490–500]")), "{text}");
    // Ten messages of an answer share its headers.
    assert!(row("short-poll").contains(&format!("{green}113 B (64+49)")), "{text}");
    assert!(
        row("websocket").contains("  170 B (64+106)  "),
        "what lies between has no colour: {text}"
    );
    assert!(row("long-poll").contains(&format!("{red}528 B (64+464)")), "{text}");
    assert!(text.contains(&format!("{yellow}long-poll !")), "left out trials are marked: {text}");
    assert!(text.contains(&format!("{yellow}!\u{1b}[0m long-poll: the machine stalled")), "{text}");
}

/// Alone or equal, nobody is the best; and who lost messages is not either.
#[test]
fn a_colour_claims_no_more_than_the_trials_do() {
    let green = "\u{1b}[32m";
    let table = |record: &RunRecord| terminal_table(record, Screen::new(120, true));
    let alone = fixture::run("clients = 5\nduration = \"1s\"\nruns = 3\ntransports = [\"sse\"]");
    assert!(!table(&alone).contains(green));
    let mut lossy = fixture::quick();
    for round in 1..=3 {
        let trial = fixture::trial_mut(&mut lossy, Contender::WEBSOCKET, round);
        trial.measured.audit.lost = 30;
        trial.measured.audit.delivered -= 30;
    }
    let text = table(&lossy);
    let row = text.lines().find(|line| line.starts_with("websocket")).unwrap();
    assert!(!row.contains(green) && row.contains("\u{1b}[31m"), "{row}");
    // Per message that arrived: who skips many divides by few.
    let latest = table(&fixture::latest());
    let row = latest.lines().find(|line| line.starts_with("sse")).unwrap();
    assert!(row.contains(&format!("{green}50.5 ms")) && row.matches(green).count() == 1, "{row}");
}

#[test]
fn a_comparison_fits_too() {
    let (before, mut after) = (fixture::six(), fixture::six());
    fixture::without_tcpip_of(&mut after.trials[0]);
    let names = ["results/before", "results/after"];
    let comparison = compare(&before, &after, names, Rules::default()).unwrap();
    let table =
        |width, coloured| comparison_table(&comparison, names, Screen::new(width, coloured));
    let (wide, known) = (table(300, false), table(300, false));
    assert!(wide.starts_with("Of 48 judged figures: 0 worse"), "the answer stands first: {wide}");
    for width in [60, 80, 120] {
        let text = table(width, false);
        assert!(text.lines().all(|line| line.width() <= width), "{width}: {text}");
        assert!(words(&text).is_subset(&words(&known)), "{width}: {text}");
        assert!(text.contains("no difference shown"), "the verdict stays: {text}");
        assert_eq!(without_colours(&table(width, true)), (text, true));
    }
}
