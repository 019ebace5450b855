//! `headers.md`: the finding, and every table.

use std::fmt::Write as _;

use pushbench_metrics::record::headers::{HeadersRecord, Level};

use super::{claim, rows, sentence};
use crate::charts;
use crate::markdown::{escaped, push_table, title};

pub(super) fn page(record: &HeadersRecord) -> String {
    let mut text = "# pushbench: what headers cost for each message\n\n".to_owned();
    let lines: Vec<String> = sentence(record).lines().map(|line| escaped(line) + "\n").collect();
    let _ = write!(text, "> {}", lines.join(">\n> "));
    for (index, case) in record.cases.iter().enumerate() {
        let _ = writeln!(text, "\n## {}\n\n{}.", escaped(&rows::name(case)), escaped(&case.about));
        let _ = writeln!(
            text,
            "Messages of {} bytes, delivery {}.\n",
            case.payload_bytes, case.delivery
        );
        let exchanges = case.rows.iter().map(|row| rows::exchange(case, row));
        push_table(&mut text, &titles(&rows::EXCHANGE), exchanges);
        let chart = charts::headers::chart_name(record, index);
        let _ = writeln!(text, "\n![Bytes of one message by layer](charts/{chart}.svg)");
        let _ = writeln!(text, "\nOnce for each connection:\n");
        push_table(&mut text, &titles(&rows::ONCE), case.rows.iter().map(rows::once));
        if rows::is_secured(case) {
            let _ = writeln!(text, "\nTLS of a connection's opening, and of each message:\n");
            push_table(&mut text, &titles(&rows::TLS), case.rows.iter().flat_map(rows::tls));
        }
    }
    let _ = writeln!(text, "\n{}", escaped(&rows::legend(record).join(" ")));
    if let Some(claimed) = &record.claim {
        let _ = writeln!(text, "\n## The published use cases\n");
        let _ = writeln!(text, "A poll or a message a second for each client.\n");
        let header: Vec<String> = claim::header(claimed).iter().map(|cell| escaped(cell)).collect();
        push_table(&mut text, &header, claim::cells(claimed).into_iter());
        text.push('\n');
        for note in claim::notes(claimed) {
            let _ = writeln!(text, "- {}", escaped(&note));
        }
    }
    push_origin(&mut text, record);
    text
}

fn titles(columns: &[(&str, &str)]) -> Vec<String> {
    columns.iter().copied().map(title).collect()
}

fn push_origin(text: &mut String, record: &HeadersRecord) {
    let environment = &record.environment;
    let levels = Level::ALL.map(Level::name).join(", ");
    let _ = writeln!(
        text,
        "\nLevels in `headers.csv`: {levels}. pushbench {}, {}, server on {}; Linux {} on {}.",
        escaped(&record.version),
        escaped(&record.started),
        record.address,
        escaped(&environment.kernel),
        escaped(&environment.cpu_model),
    );
}
