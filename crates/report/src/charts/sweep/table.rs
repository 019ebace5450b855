//! The charts of a sweep beside that of bytes: which figures they show, and how to read them.

use pushbench_core::Figure;
use pushbench_metrics::judge::sweep::Cost;

use super::super::axes::{UnitOf, Words};
use crate::human;

const LATENCY: &str = "The median over the trials, and as a vertical bar where the trials put \
    it. A line is broken where no trial was valid. The vertical axis is logarithmic, the horizontal \
    one where its values are spaced so. A thin line is what a model expects: of a push the way down to \
    the client; of short polls that and half the poll interval; of a long poll the way down, and for \
    a message that is due while an answer and the next request are under way the wait for that \
    request. Models know no losses and no queues.";

/// The chart of a figure: file, figure, title, axis, and how to read it.
pub(super) type OfFigure = (&'static str, Figure, &'static str, &'static str, &'static str);

pub(super) const LATENCIES: OfFigure =
    ("sweep-latency", Figure::LatencyP50, "Median latency", "median latency", LATENCY);

/// In place of latencies, where messages were superseded.
pub(super) const AGES: OfFigure =
    ("sweep-latency", Figure::AgeMean, "Mean age of information", "mean age", LATENCY);

/// The charts over rates of what messages share.
pub(super) const SHARED: [OfFigure; 2] = [
    (
        "sweep-server-cpu",
        Figure::ServerCpu,
        "Server CPU per message",
        "CPU time per message",
        "CPU time of the server for each message that arrived. A line that falls is work that messages \
     share: those that are there together go with one answer, one system call and one wake-up. Both \
     axes are logarithmic where their values are spaced so.",
    ),
    (
        "sweep-batch",
        Figure::Batch,
        "Messages in an answer",
        "messages in an answer",
        "Messages that an answer to a poll brings on average, answers without any included. The more come \
     with one, the fewer headers, system calls and wake-ups each takes: what a stream pays for each \
     message a batch pays once. Both axes are logarithmic where their values are spaced so.",
    ),
];

/// The charts of what grows with the clients.
pub(super) const GROWING: [OfFigure; 4] = [
    (
        "sweep-latency-p99",
        Figure::LatencyP99,
        "99th percentile of latency",
        "99th percentile of latency",
        LATENCY,
    ),
    (
        "sweep-server-cpu",
        Figure::ServerCpu,
        "Server CPU per message",
        "CPU time per message",
        "CPU time of the server for each message that arrived. A level line means that a message \
         costs the same however many clients there are. The line of dashes, where there is one, is \
         what a loop costs that does nothing but write each message to each socket; polls that \
         bring several messages at once are below it. Both axes are logarithmic where their values \
         are spaced so.",
    ),
    (
        "sweep-load-cpu",
        Figure::LoadCpu,
        "Load generator's CPU per message",
        "CPU time per message",
        "CPU time of the load generator, which plays all clients, for each message that arrived: \
         the instrument's own cost. The line of dashes, where there is one, is what a loop costs \
         that does nothing but read each message from each socket; polls that bring several at \
         once are below it. Both axes are logarithmic where their values are spaced so.",
    ),
    (
        "sweep-memory",
        Figure::ServerRss,
        "Server memory per client",
        "memory per client",
        "Growth of the server's memory over its clients; what the kernel keeps for sockets is not \
         part of it. With few clients it is mostly what a process needs once, the ring of \
         messages included. Both axes are logarithmic where their values are spaced so.",
    ),
];

/// The chart of a cost of each client in each second.
pub(super) struct OfCost {
    pub(super) cost: Cost,
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) axis: &'static str,
    pub(super) unit: UnitOf,
    pub(super) words: Words,
    pub(super) caption: &'static str,
}

/// Where newer messages supersede older ones, a cost for each message that arrived says little: a
/// bill is for clients and time.
pub(super) const COSTS: [OfCost; 2] = [
    OfCost {
        cost: Cost::WireBytes,
        name: "sweep-client-bytes",
        what: "Bytes of a client in a second",
        axis: "bytes for each client and second",
        unit: human::decimal_unit,
        words: human::size,
        caption: "All that went over the wire for each client in each second, both directions, \
            whatever arrived. Both axes are logarithmic where their values are spaced so.",
    },
    OfCost {
        cost: Cost::ServerCpu,
        name: "sweep-client-cpu",
        what: "Server CPU of a client in a second",
        axis: "CPU time for each client and second",
        unit: human::time_unit,
        words: human::time,
        caption: "CPU time of the server for each client in each second, whatever arrived. Both \
            axes are logarithmic where their values are spaced so.",
    },
];
