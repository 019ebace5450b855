//! A search for the most load on a page: what each transport holds, and what gave out first.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::capacity::{Capacity, Limit, Place, Search, Verdict};

use super::escaped;
use crate::human::{self, NOTHING};

/// Adds a line for each transport; nothing where no capacity was looked for.
pub(super) fn push(page: &mut String, record: &RunRecord) {
    let Some(capacity) = &record.capacity else { return };
    page.push_str(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"capacity\"><table id=\"capacity\">\n\
         <tr><th>transport</th><th>holds</th><th>fails</th><th>gave out first</th></tr>\n",
    );
    for search in &capacity.searches {
        let cells = cells(capacity, search).map(|cell| format!("<td>{}</td>", escaped(&cell)));
        let _ = writeln!(page, "<tr>{}</tr>", cells.concat());
    }
    page.push_str("</table></div>\n");
    let disturbed = record.standing().filter(|trial| !trial.is_valid()).count();
    if disturbed > 0 {
        let _ = writeln!(
            page,
            "<p class=\"faint\">{} disturbed, by a load that was too much or by others on the machine: \
             such a trial holds only where its delays met the objectives all the same; see \
             <a href=\"#invalid\">Trials that were disturbed</a>.</p>",
            were(disturbed)
        );
    }
}

/// `1 trial was`, `3 trials were`.
fn were(trials: usize) -> String {
    format!("{} {}", human::plural(trials, "trial"), if trials == 1 { "was" } else { "were" })
}

fn cells(capacity: &Capacity, search: &Search) -> [String; 4] {
    let load = |load: Option<f64>| {
        load.map_or_else(|| NOTHING.to_owned(), |load| capacity.over.words(load))
    };
    let verdict = &search.verdict;
    let holds = load(verdict.holds());
    let holds = match verdict {
        Verdict::AtLeast { .. } => format!("at least {holds}"),
        _ => holds,
    };
    let limit = verdict.limit().map_or_else(|| "not finished".to_owned(), gave_out);
    [search.contender.to_string(), holds, load(verdict.fails()), limit]
}

/// `server CPU: it used 97 % of a core`.
fn gave_out(limit: &Limit) -> String {
    let Limit { place, detail } = limit;
    match place {
        Place::Asked => detail.clone(),
        place if detail.is_empty() => place.words().to_owned(),
        place => format!("{}: {detail}", place.words()),
    }
}
