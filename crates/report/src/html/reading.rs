//! How to read a page: what its tables say, and the meaning of the words, for a reader who has nothing
//! else at hand.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;

use super::escaped;
use crate::rows::{Block, Reach};
use crate::{instrument, table};

/// The meaning of the words, for a reader who has nothing else at hand.
const DEFINITIONS: &str = "\
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

/// Adds it, folded.
pub(super) fn push(page: &mut String, record: &RunRecord, blocks: &[Block<'_>]) {
    page.push_str("<details class=\"section\"><summary>How to read the figures</summary>\n");
    for line in footer(record, blocks) {
        let _ = writeln!(page, "<p class=\"legend\">{}</p>", escaped(&line));
    }
    page.push_str(&definitions(record, blocks));
    page.push_str("</details>\n");
}

/// The lines below the tables.
fn footer(record: &RunRecord, blocks: &[Block<'_>]) -> impl Iterator<Item = String> {
    let instrument = [instrument::lags(record), instrument::layout(record)];
    table::legend(record, blocks).into_iter().chain(instrument.into_iter().flatten())
}

fn definitions(record: &RunRecord, blocks: &[Block<'_>]) -> String {
    let reach = Reach::of_run(blocks);
    let bytes = match reach {
        Reach::Capture | Reach::Wire | Reach::Served => {
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
