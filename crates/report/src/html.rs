//! `report.html`: the whole run on one page that opens offline and prints.
//!
//! Styles and charts are inside the page, so that it loads nothing and runs nothing. Whatever
//! comes from outside (names, errors, arguments) is escaped on its way in.

mod origin;

use std::fmt::Write as _;

pub(crate) use pushbench_core::text::html as escaped;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::charts::{self, Chart};
use crate::error::ReportError;
use crate::notes::{self, Mark, Note};
use crate::rows::{Block, Reach, blocks};
use crate::{crossings, instrument, settings, table};

const STYLE: &str = include_str!("../assets/page.css");

/// The meaning of the words, for a reader who has nothing else at hand.
const DEFINITIONS: &str = "\
<h2>What the figures mean</h2>
<dl>
<dt>Latency</dt><dd>From the instant at which the schedule says that a message exists to the instant \
at which the client has all of it in hand: one sample for each client and message due in the \
window, however late and by whatever path it came. p50 is the median; 99 % of the messages took \
at most p99.</dd>
<dt>Breakdown</dt><dd>On a sample of connections each message is stamped along its way, by the \
server, by the client's kernel and by the client; what lies between two stamps is a part of its \
latency, and the parts of a sample add up to it. In <code>breakdown.csv</code> the trials' samples are \
pooled; <code>latency_without_load</code> ends at the client's kernel, and <code>latency_since_written</code> \
begins when the server wrote, which is how a stalled server is overlooked.</dd>
<dt>Age</dt><dd>How old the newest message is that a client holds, averaged over time and clients. \
It compares transports fairly also where newer messages supersede older ones.</dd>
<dt>Models</dt><dd>What a transport must give if nothing but its principle is at work, worked out from \
settings and from what was measured otherwise, never fitted. A message waits for the next poll, so its \
latency is spread evenly over the poll interval, on top of half a measured round trip. Of polls the \
model is tested: <code>models.csv</code> has the Kolmogorov–Smirnov distance, the largest difference of \
the two cumulative shares, and how often chance does as much (p), found by redrawing clients among \
their neighbours in the poll period. A distance of 0.02 or more that chance does not explain is a \
warning. For streams the model is drawn and not tested.</dd>
<dt>Bytes per message</dt><dd>BYTES</dd>
<dt>Layers</dt><dd>Payload: the messages themselves. Framing: WebSocket headers and masks, SSE fields, \
chunk sizes, batch separators. HTTP: request lines, status lines, headers. TLS: what encryption \
adds. TCP/IP: the headers of every packet, those of bare ACKs and of opening and closing a \
connection too, and SENT AGAIN; Ethernet's headers are not in it.</dd>
<dt>Sources</dt><dd>In <code>bytes.csv</code> each row says who counted: <code>counted</code> at the \
socket, from what was really read and written; <code>kernel</code>, the kernel's own counters of the \
connection; <code>captured</code>, packets seen on the wire; <code>modelled</code>, worked out for the \
few packets that nobody could count any more, such as the last of a connection.</dd>
<dt>CPU per message</dt><dd>CPU time of the process, user and system, within the window, over the \
messages that arrived in it.</dd>
<dt>Memory per client</dt><dd>Growth of the process's resident memory from before the clients to the \
end of the window, per client. The kernel's socket buffers are apart.</dd>
<dt>Trials</dt><dd>Each is one timed run of one transport with FRESH; rounds of all \
transports in random order. Figures are medians over the valid trials.</dd>
</dl>
";

/// The page.
pub(crate) fn page(record: &RunRecord) -> Result<String, ReportError> {
    let blocks = blocks(record);
    let charts = charts::charts(record);
    let name = escaped(&record.scenario.name);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>pushbench: {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>pushbench: {name}</h1>\n"
    );
    push_head(&mut page, record);
    page.push_str("<h2>Figures</h2>\n");
    for block in &blocks {
        push_block(&mut page, record, block);
    }
    for line in footer(record, &blocks) {
        let _ = writeln!(page, "<p class=\"legend\">{}</p>", escaped(&line));
    }
    page.push_str(&crossings::page_section(record));
    push_invalid(&mut page, record);
    push_charts(&mut page, &charts)?;
    page.push_str(&definitions(record, &blocks));
    origin::push(&mut page, record);
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

/// The lines below the tables.
fn footer(record: &RunRecord, blocks: &[Block<'_>]) -> impl Iterator<Item = String> {
    let instrument = [instrument::lags(record), instrument::layout(record)];
    table::legend(record, blocks).into_iter().chain(instrument.into_iter().flatten())
}

fn definitions(record: &RunRecord, blocks: &[Block<'_>]) -> String {
    let reach = Reach::of_run(blocks);
    let bytes = match reach {
        Reach::Capture | Reach::Wire => {
            "All that went over the wire in the window, at the IP layer and in both directions, \
             over the messages that arrived in it: the sum of the layers."
        }
        Reach::Socket => {
            "What the sockets moved in the window, both directions, over the messages that \
             arrived in it: the sum of the layers but TCP/IP, which was not counted in this run."
        }
    };
    let bytes = format!("{bytes}{}", reach.lacks());
    let fresh = if record.has_own_server() {
        "fresh processes"
    } else {
        "fresh load processes, against a server that ran already"
    };
    let text = DEFINITIONS.replacen("BYTES", &bytes, 1).replacen("FRESH", fresh, 1);
    text.replacen("SENT AGAIN", reach.sent_again(), 1)
}

/// The question, what is wrong with the run as a whole, and the sentence.
fn push_head(page: &mut String, record: &RunRecord) {
    if !record.scenario.question.is_empty() {
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", escaped(&record.scenario.question));
    }
    if let Some(partial) = notes::partial(record) {
        let _ = writeln!(page, "<div class=\"banner bad\">{}</div>", escaped(&partial));
    }
    let invalid: Vec<_> = record.standing().filter(|trial| !trial.is_valid()).collect();
    if !invalid.is_empty() {
        let (verb, they) =
            if invalid.len() == 1 { ("was", "it was") } else { ("were", "they were") };
        let again = invalid.iter().all(|trial| trial.attempt > 1);
        let again = if again { format!(", also when {they} repeated") } else { String::new() };
        let _ = writeln!(
            page,
            "<div class=\"banner bad\">{} {verb} invalid{again}, and left out of every \
             figure; see <a href=\"#invalid\">Invalid trials</a>.</div>",
            crate::human::plural(invalid.len(), "trial")
        );
    }
    for line in crate::sentence(record).lines() {
        let _ = writeln!(page, "<p class=\"finding\">{}</p>", escaped(line));
    }
    let thresholds = crate::threshold_lines(record);
    if !thresholds.is_empty() {
        let items = thresholds.iter().map(|line| format!("<li>{}</li>\n", escaped(line)));
        let _ = write!(
            page,
            "<ul id=\"thresholds\" class=\"marked\">\n{}</ul>\n",
            items.collect::<String>()
        );
    }
}

fn push_block(page: &mut String, record: &RunRecord, block: &Block<'_>) {
    if !block.heading.is_empty() {
        let _ = writeln!(page, "<h3>{}</h3>", escaped(&block.heading));
    }
    let notes = notes::notes(record, block.point.id);
    let conditions = settings::conditions(&record.scenario, &block.point);
    let _ = writeln!(page, "<p class=\"faint\">{}</p>", escaped(&conditions));
    push_table(page, block, &notes);
    for line in table::below(record, block) {
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", escaped(&line));
    }
    if notes.is_empty() {
        return;
    }
    page.push_str("<ul class=\"marked\">\n");
    for note in &notes {
        let _ = writeln!(page, "<li>{} {}</li>", note.mark.sign(), escaped(&note.to_string()));
    }
    page.push_str("</ul>\n");
}

fn push_table(page: &mut String, block: &Block<'_>, notes: &[Note]) {
    let columns = table::columns(block, true);
    page.push_str("<div class=\"scroll\"><table class=\"figures\">\n<tr>");
    for column in &columns {
        let (first, second) = column.header(block.latency_from());
        let second = match second {
            "" => String::new(),
            second => format!("<br><small>{}</small>", escaped(second)),
        };
        let _ = write!(page, "<th>{}{second}</th>", escaped(first));
    }
    page.push_str("</tr>\n");
    for row in &block.rows {
        page.push_str(if row.has_figures() { "<tr>" } else { "<tr class=\"out\">" });
        let colour = charts::colour(row.contender());
        let cells = table::cells(row, &columns, notes);
        for (index, cell) in cells.iter().enumerate() {
            let swatch = if index == 0 {
                format!("<span class=\"swatch\" style=\"background:{colour}\"></span>")
            } else {
                String::new()
            };
            let text = if index == 0 { parted(cell) } else { escaped(cell) };
            let _ = write!(page, "<td>{swatch}{text}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
}

/// A contender's name that may go on in another line where a part of its stack begins.
fn parted(name: &str) -> String {
    let parts = name.split('+').map(|part| format!("<span>{}</span>", escaped(part)));
    parts.collect::<Vec<_>>().join("<wbr>").replace("<wbr><span>", "<wbr><span>+")
}

/// Every trial that could not be used, those whose repeat could be too.
fn push_invalid(page: &mut String, record: &RunRecord) {
    let invalid: Vec<&TrialRecord> =
        record.trials.iter().filter(|trial| !trial.is_valid()).collect();
    if invalid.is_empty() {
        return;
    }
    page.push_str(
        "<h2 id=\"invalid\">Invalid trials</h2>\n<p>In these the instrument failed, so they say \
         nothing about a transport. Each is repeated once, unless the \
         server refused all clients for good.</p>\n<div class=\"scroll\"><table>\n\
         <tr><th>trial</th><th>point</th><th>transport</th><th>round</th><th>why</th><th>what to do</th>\
         <th>then</th></tr>\n",
    );
    for trial in invalid {
        push_invalid_trial(page, record, trial);
    }
    page.push_str("</table></div>\n");
}

fn push_invalid_trial(page: &mut String, record: &RunRecord, trial: &TrialRecord) {
    let lines = |texts: Vec<String>| {
        texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join("<br>")
    };
    let reasons = trial.invalid.iter().map(ToString::to_string);
    let errors = trial.errors.iter().map(|error| format!("error: {error}"));
    let remedies = trial.invalid.iter().map(|invalid| invalid.remedy().to_owned());
    let stands = record.standing().any(|standing| std::ptr::eq(standing, trial));
    let _ = writeln!(
        page,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        trial.order,
        trial.id.point,
        trial.id.contender,
        trial.id.round,
        lines(reasons.chain(errors).collect()),
        lines(remedies.collect()),
        if stands { Mark::Invalid.sign().to_owned() + " left out" } else { "repeated".to_owned() },
    );
}

fn push_charts(page: &mut String, charts: &[Chart]) -> Result<(), ReportError> {
    if charts.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Charts</h2>\n");
    // What varies over points is what a run with several was made for.
    let (sweeps, points): (Vec<_>, Vec<_>) =
        charts.iter().partition(|chart| chart.name.starts_with("sweep"));
    for chart in sweeps.into_iter().chain(points) {
        let svg = chart.svg()?;
        let _ = writeln!(
            page,
            "<figure id=\"chart-{}\">\n{svg}<figcaption>{}</figcaption>\n</figure>",
            escaped(&chart.name),
            escaped(&chart.caption)
        );
    }
    Ok(())
}
