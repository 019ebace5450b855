//! Counts of instructions: what they are of, a file of them, and one file against another.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, ensure};
use pushbench_core::Contender;
use serde::{Deserialize, Serialize};

/// Names the format of a file of counts.
const FORMAT: &str = "pushbench-instructions/1";

/// What instructions are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A session takes a message's bytes from memory.
    Session,
    /// As [`Way::Session`], and the message is recorded.
    SessionAndRecord,
    /// The load generator reads a message from a socket and records it.
    LoadMessage,
    /// The load generator opens a connection and subscribes.
    LoadConnection,
    /// The server brings a message from its ring to one of a hundred clients' sockets.
    ServerMessage,
    /// The server answers a poll for which there is nothing new.
    ServerEmptyPoll,
    /// The server accepts a connection and answers its first request.
    ServerConnection,
    /// The server takes a message into its ring, by `POST`, and nobody waits for it.
    ServerPublish,
}

impl Way {
    /// All, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Session,
        Self::SessionAndRecord,
        Self::LoadMessage,
        Self::LoadConnection,
        Self::ServerMessage,
        Self::ServerEmptyPoll,
        Self::ServerConnection,
        Self::ServerPublish,
    ];

    /// From where to where, for a reader of the table.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Session => "load, no socket: a message, session alone",
            Self::SessionAndRecord => "load, no socket: a message, session and record",
            Self::LoadMessage => "load: a message, from readiness to the record",
            Self::LoadConnection => "load: a connection, from connect to subscribed",
            Self::ServerMessage => "server: a message to one of 100 clients, from ring to socket",
            Self::ServerEmptyPoll => "server: a poll for which there is nothing",
            Self::ServerConnection => "server: a connection, from accept to the first answer",
            Self::ServerPublish => "server: a message published, from POST to ring",
        }
    }
}

/// A count: instructions in user space for one of what [`Way`] says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What of.
    pub way: Way,
    /// How its clients receive.
    #[serde(rename = "transport")]
    pub contender: Contender,
    /// Instructions, the mean over many of them.
    pub instructions: f64,
}

/// A file of counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    format: String,
    /// What counted: the name and version of valgrind.
    pub counted_by: String,
    /// Bytes of each message's payload.
    pub payload_bytes: usize,
    /// Whether fewer stretches were counted, which brings out other figures where these depend on
    /// what the allocator did before.
    pub quick: bool,
    /// The counts.
    pub rows: Vec<Row>,
}

impl Counts {
    /// A file with no row yet.
    #[must_use]
    pub fn new(counted_by: String, payload_bytes: usize, quick: bool) -> Self {
        Self { format: FORMAT.to_owned(), counted_by, payload_bytes, quick, rows: Vec::new() }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// One that cannot be read, or is none of counts.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
        let counts: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{shown} is no file of counts; `--json` writes one"))?;
        ensure!(counts.format == FORMAT, "{shown} is of format `{}`, not {FORMAT}", counts.format);
        Ok(counts)
    }

    /// Writes a file.
    ///
    /// # Errors
    ///
    /// A path that cannot be written to.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Each of these counts beside the one of `base`.
    ///
    /// # Errors
    ///
    /// Where the two count different things, or have no row in common.
    pub fn against<'a>(&'a self, base: &'a Self) -> anyhow::Result<Vec<Change<'a>>> {
        ensure!(
            self.payload_bytes == base.payload_bytes,
            "the base counts messages of {} bytes, this {}",
            base.payload_bytes,
            self.payload_bytes
        );
        ensure!(self.quick == base.quick, "only one of the two was counted with `--quick`");
        let of = |row: &Row| {
            let same = |other: &&Row| (other.way, other.contender) == (row.way, row.contender);
            base.rows.iter().find(same).map(|row| row.instructions)
        };
        let changes: Vec<_> = self.rows.iter().map(|row| Change { row, before: of(row) }).collect();
        ensure!(
            changes.iter().any(|change| change.before.is_some()),
            "the base has none of the rows"
        );
        Ok(changes)
    }

    fn count(&self, way: Way, contender: Contender) -> Option<f64> {
        let found = self.rows.iter().find(|row| row.way == way && row.contender == contender);
        found.map(|row| row.instructions)
    }
}

/// A line of a Markdown table.
fn line(f: &mut fmt::Formatter<'_>, cells: &[String]) -> fmt::Result {
    writeln!(f, "| {} |", cells.join(" | "))
}

impl fmt::Display for Counts {
    /// A Markdown table: a row for each way, a column for each transport.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = Contender::all()
            .filter(|&contender| self.rows.iter().any(|row| row.contender == contender))
            .collect();
        writeln!(f, "## Instructions in user space, messages of {} bytes\n", self.payload_bytes)?;
        let heads = shown.iter().map(|contender| contender.name().to_owned());
        line(f, &std::iter::once("for".to_owned()).chain(heads).collect::<Vec<_>>())?;
        line(f, &vec!["---".to_owned(); shown.len() + 1])?;
        for way in Way::ALL {
            let counts: Vec<_> = shown.iter().map(|&t| self.count(way, t)).collect();
            if counts.iter().all(Option::is_none) {
                continue;
            }
            let counts =
                counts.into_iter().map(|c| c.map_or_else(|| "–".to_owned(), |c| format!("{c:.0}")));
            line(f, &std::iter::once(way.describe().to_owned()).chain(counts).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

/// A count beside the same one of another build.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change<'a> {
    /// The count.
    pub row: &'a Row,
    /// The other build's; `None` where it has none.
    pub before: Option<f64>,
}

impl Change<'_> {
    /// How many times as many instructions it takes now.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        self.before.map(|before| self.row.instructions / before)
    }

    /// Whether it takes more, by more than this share.
    #[must_use]
    pub fn exceeds(&self, limit: f64) -> bool {
        self.ratio().is_some_and(|ratio| ratio > 1.0 + limit)
    }
}

/// Changes as a Markdown table.
#[derive(Debug)]
pub struct Changes<'a>(pub &'a [Change<'a>]);

impl fmt::Display for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["for", "transport", "before", "after", "ratio"];
        line(f, &heads.map(str::to_owned))?;
        line(f, &heads.map(|_| "---".to_owned()))?;
        for change in self.0 {
            let Row { way, contender, instructions } = change.row;
            let before =
                change.before.map_or_else(|| "–".to_owned(), |count| format!("{count:.0}"));
            let ratio = change.ratio().map_or_else(|| "new".to_owned(), |r| format!("{r:.4}"));
            let (way, contender) = (way.describe().to_owned(), contender.name().to_owned());
            line(f, &[way, contender, before, format!("{instructions:.0}"), ratio])?;
        }
        Ok(())
    }
}

/// A share of the whole, as a user writes it: `2%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl std::str::FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
        let number = number.ok().filter(|number| number.is_finite() && *number >= 0.0);
        let number = number.ok_or_else(|| format!("`{text}` is no percentage, such as 2%"))?;
        Ok(Self(number / 100.0))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(Way, Contender, f64)]) -> Counts {
        let mut counts = Counts::new("valgrind-3".into(), 64, false);
        let rows =
            rows.iter().map(|&(way, contender, instructions)| Row { way, contender, instructions });
        counts.rows.extend(rows);
        counts
    }

    #[test]
    fn a_row_fails_beyond_the_limit_alone() {
        let (sse, websocket) = (Contender::SSE, Contender::WEBSOCKET);
        let base = counts(&[(Way::LoadMessage, sse, 1000.0), (Way::ServerMessage, sse, 500.0)]);
        let now = counts(&[
            (Way::LoadMessage, sse, 1019.0),
            (Way::ServerMessage, sse, 511.0),
            (Way::ServerMessage, websocket, 9999.0),
        ]);
        let changes = now.against(&base).unwrap();
        let exceeds: Vec<_> = changes.iter().map(|change| change.exceeds(0.02)).collect();
        assert_eq!(exceeds, [false, true, false]);
        assert_eq!(changes[0].ratio(), Some(1.019));
        let table = Changes(&changes).to_string();
        assert!(table.contains("| sse | 500 | 511 | 1.0220 |"), "{table}");
        assert!(table.contains("| websocket | – | 9999 | new |"), "{table}");
        assert!(!now.against(&now).unwrap().iter().any(|change| change.exceeds(0.0)));
    }

    #[test]
    fn what_does_not_compare_is_refused() {
        let now = counts(&[(Way::LoadMessage, Contender::SSE, 1.0)]);
        let other = counts(&[(Way::LoadMessage, Contender::WEBSOCKET, 1.0)]);
        let larger = Counts { payload_bytes: 1024, ..now.clone() };
        assert!(now.against(&other).unwrap_err().to_string().contains("none of the rows"));
        assert!(now.against(&larger).unwrap_err().to_string().contains("1024 bytes"));
        let quick = Counts { quick: true, ..now.clone() };
        assert!(now.against(&quick).unwrap_err().to_string().contains("--quick"));
    }

    #[test]
    fn a_file_comes_back_as_it_was_and_another_is_refused() {
        let path = std::env::temp_dir().join(format!("counts-{}.json", std::process::id()));
        let before = counts(&[(Way::SessionAndRecord, Contender::SHORT_POLL_CLOSE, 12.25)]);
        before.write(&path).unwrap();
        let after = Counts::read(&path);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("instructions/1", "instructions/9")).unwrap();
        let newer = Counts::read(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(after.unwrap(), before);
        assert!(text.contains("session-and-record") && text.contains("short-poll-close"), "{text}");
        assert!(newer.contains("instructions/9"), "{newer}");
        assert!(Counts::read(&path).unwrap_err().to_string().contains("cannot read"));
    }

    #[test]
    fn the_table_has_a_column_for_each_transport_that_was_counted() {
        let shown = counts(&[
            (Way::LoadMessage, Contender::WEBSOCKET, 640.4),
            (Way::LoadMessage, Contender::SSE, 900.0),
            (Way::Session, Contender::SSE, 300.0),
        ]);
        let text = shown.to_string();
        assert!(text.contains("| for | sse | websocket |"), "{text}");
        assert!(text.contains("session alone | 300 | – |"), "{text}");
        assert!(text.contains("the record | 900 | 640 |"), "{text}");
    }

    #[test]
    fn percentages_are_shares() {
        assert_eq!("2%".parse(), Ok(Percent(0.02)));
        assert_eq!("0.5".parse(), Ok(Percent(0.005)));
        for wrong in ["", "%", "two", "-1%", "inf"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
        assert_eq!(Percent(0.02).to_string(), "2%");
    }
}
