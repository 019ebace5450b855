//! How far down a run's bytes were counted, and the words for it.

use pushbench_core::Figure;
use pushbench_metrics::judge::figures::Figures;
use pushbench_metrics::observe::ledger::Source;

use super::Block;

/// How far down the bytes per message were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All layers down to IP, in packets that were captured.
    Capture,
    /// All layers down to IP, by the count of the clients' kernel.
    Wire,
    /// All layers down to IP, by the count of the server's kernel: clients are a browser's.
    Served,
    /// Bytes that the sockets moved: in an old record, or where the kernel has no counters.
    Socket,
}

impl Reach {
    /// Points are compared with each other as transports are, so a run has one reach: the wire
    /// only where each trial with a figure for its bytes counted as far.
    pub(super) fn of(blocks: &[Block<'_>]) -> Self {
        let rows = blocks.iter().flat_map(|block| &block.rows);
        let on_wire = |figures: &Figures| figures.get(Figure::WireBytes).is_some();
        // Of a browser's the layers are not known, but all of them together.
        let is_counted = |it: &&Figures| on_wire(it) || it.socket_bytes().is_some();
        let mut counted = rows.flat_map(|row| &row.figures).filter(is_counted).peekable();
        if counted.peek().is_none() || !counted.all(on_wire) {
            return Self::Socket;
        }
        let rows = blocks.iter().flat_map(|block| &block.rows);
        let tcpip = rows.flat_map(|row| &row.trials).flat_map(|it| it.measured.ledger.tcpip());
        let captured: Vec<bool> = tcpip.map(|row| row.source == Source::Captured).collect();
        if captured.is_empty() {
            return Self::Served;
        }
        if captured.iter().all(|captured| *captured) { Self::Capture } else { Self::Wire }
    }

    /// Whether TCP and IP are in it.
    pub(crate) const fn is_wire(self) -> bool {
        !matches!(self, Self::Socket)
    }

    /// Bytes that were sent again, as far as they are in it: the clients' kernel knows what they
    /// sent.
    pub(crate) const fn sent_again(self) -> &'static str {
        match self {
            Self::Capture => "what was sent again",
            Self::Wire => "what the clients sent again",
            Self::Served => "what the server sent again",
            Self::Socket => "nothing that was sent again",
        }
    }

    /// Bytes that are not in it although they went over the wire, as a sentence behind others;
    /// nothing where all is in it, or TCP and IP are told to be missing as a whole.
    pub(crate) const fn lacks(self) -> &'static str {
        match self {
            Self::Wire => {
                " What the server sent again is not in it: the clients' kernel does not see that, \
                 a capture does."
            }
            Self::Served => {
                " What the browser sent again is not in it: the server's kernel does not see that."
            }
            Self::Capture | Self::Socket => "",
        }
    }

    /// That of a whole run.
    pub(crate) fn of_run(blocks: &[Block<'_>]) -> Self {
        blocks.first().map_or(Self::Socket, |block| block.reach)
    }

    /// Where the bytes are counted, to be put behind them.
    pub(crate) const fn place(self) -> &'static str {
        match self {
            Self::Capture | Self::Wire | Self::Served => "on the wire, at the IP layer",
            Self::Socket => "at the socket",
        }
    }

    /// The name of bytes in a sentence.
    pub(crate) const fn per_message(self) -> &'static str {
        match self {
            Self::Capture | Self::Wire | Self::Served => "per message on the wire",
            Self::Socket => "per message",
        }
    }
}
