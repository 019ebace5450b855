//! A process whose instructions are counted, as its parent sees it.
//!
//! Valgrind's callgrind runs it, and writes a file each time that it enters [`mark`]. So what lies
//! between two marks is counted, and neither start nor end nor preparation is in it.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};

/// How long a process under callgrind may take over anything, on a machine that does much else.
pub const LIMIT: Duration = Duration::from_secs(60);

/// What has callgrind write down what it has counted since the last time. Nothing else happens.
#[inline(never)]
pub fn mark() {
    std::hint::black_box(());
}

/// How callgrind knows [`mark`]: by its path in this crate.
const MARK: &str = "--dump-before=pushbench_benches::callgrind::mark*";

/// What valgrind calls itself: `valgrind-3.19.0`.
///
/// # Errors
///
/// Where there is no valgrind.
pub fn version() -> anyhow::Result<String> {
    let output = Command::new("valgrind").arg("--version").output();
    let output = output.context("cannot run valgrind; install it (Debian package valgrind)")?;
    ensure!(output.status.success(), "`valgrind --version` ends with {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A running process. Dropping it ends it.
#[derive(Debug)]
pub struct Counted {
    process: Child,
    orders: Option<ChildStdin>,
    lines: Receiver<String>,
    file: PathBuf,
    /// How often it has marked.
    marks: usize,
}

/// Which of a process's stretches are equal.
#[derive(Debug, Clone)]
pub struct Equal(Range<usize>);

/// The instructions of each stretch between two marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals(Vec<u64>);

impl Counted {
    /// Starts this very program under callgrind, with other arguments. What callgrind writes has
    /// names that begin with `file`.
    ///
    /// # Errors
    ///
    /// Where there is no valgrind, or the system starts no process.
    pub fn start(args: &[String], file: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut out_file = OsString::from("--callgrind-out-file=");
        out_file.push(file);
        let mut process = Command::new("valgrind")
            .args(["--tool=callgrind", "--quiet", MARK])
            .arg(out_file)
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start valgrind")?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (orders, output) = pipes.context("a process that is counted has no pipes")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens once the figures are there.
                let _ = sender.send(line);
            }
        });
        Ok(Self { process, orders: Some(orders), lines, file: file.to_owned(), marks: 0 })
    }

    /// The process id, which is the program's: valgrind replaces itself by it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next line that it says.
    ///
    /// # Errors
    ///
    /// Where it says nothing within [`LIMIT`], or is gone.
    pub fn hear(&self) -> anyhow::Result<String> {
        let line = self.lines.recv_timeout(LIMIT);
        line.map_err(|_| anyhow!("a process that is counted said nothing for {LIMIT:?}, or died"))
    }

    /// Does the same to it as many `times`, and has it mark before and after each.
    ///
    /// # Errors
    ///
    /// Those of `act`, and a process that takes no orders any more.
    pub fn stretches(
        &mut self,
        times: u32,
        mut act: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Equal> {
        self.mark()?;
        let first = self.marks - 1;
        for _ in 0..times {
            act()?;
            self.mark()?;
        }
        Ok(Equal(first..self.marks - 1))
    }

    /// Has it mark that a stretch ends and another begins. It answers once it has.
    fn mark(&mut self) -> anyhow::Result<()> {
        let orders = self.orders.as_mut().context("a process that is counted has ended")?;
        orders.write_all(b"mark\n").context("a process that is counted takes no orders")?;
        let line = self.hear()?;
        ensure!(line == MARKED, "a process that is counted said `{line}`, and was to mark");
        self.marks += 1;
        Ok(())
    }

    /// Ends it, and reads what callgrind wrote.
    ///
    /// # Errors
    ///
    /// Where it fails, or callgrind wrote something else than counts.
    pub fn finish(mut self) -> anyhow::Result<Totals> {
        drop(self.orders.take());
        let asked = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait()? {
                break status;
            }
            ensure!(asked.elapsed() < LIMIT, "a process that is counted does not end");
            thread::sleep(Duration::from_millis(1));
        };
        ensure!(status.success(), "a process that is counted ended with {status}");
        // The first file is what came before the first mark; behind the last there is no number.
        let files = (2..).map(|number| self.numbered(number)).take_while(|file| file.exists());
        files.map(|file| total(&file)).collect::<Result<_, _>>().map(Totals)
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Totals {
    /// The least of equal stretches. What a process does by the clock, such as the housekeeping of
    /// a server each second, only adds to some of them.
    ///
    /// # Errors
    ///
    /// Where callgrind wrote fewer files than there were marks.
    pub fn of(&self, equal: &Equal) -> anyhow::Result<u64> {
        let counts = self.0.get(equal.0.clone());
        least(counts.context("callgrind wrote fewer counts than there were stretches")?)
    }

    /// The least of all stretches.
    ///
    /// # Errors
    ///
    /// Where there was none.
    pub fn of_all(&self) -> anyhow::Result<u64> {
        least(&self.0)
    }
}

fn least(counts: &[u64]) -> anyhow::Result<u64> {
    counts.iter().min().copied().context("callgrind wrote no count")
}

impl Drop for Counted {
    fn drop(&mut self) {
        // It has ended already, or is to end now: either way there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process says when it has marked.
const MARKED: &str = "marked";

/// In the process that is counted: marks whenever the parent says so. The parent closing the pipe
/// ends the process where it stands, so that no good-bye is counted.
///
/// A thread of its own waits for the parent; its instructions are some thousands for each mark.
pub fn obey() {
    thread::spawn(|| {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
            mark();
            say(MARKED);
        }
        std::process::exit(0)
    });
}

/// In the process that is counted: tells the parent something. Without one, there is nobody to
/// tell.
pub fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// The count in a file of callgrind's.
fn total(file: &Path) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    total_in(&text).with_context(|| format!("callgrind wrote no total to {}", file.display()))
}

fn total_in(text: &str) -> Option<u64> {
    text.lines().rev().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_befalls_some_stretches_does_not_count() {
        let totals = Totals(vec![7, 5_100, 101, 100, 5_100, 100, 7]);
        assert_eq!(totals.of(&Equal(1..6)).unwrap(), 100);
        assert!(totals.of(&Equal(3..8)).is_err());
        assert!(Totals(Vec::new()).of_all().is_err());
    }

    #[test]
    fn the_count_is_the_last_total() {
        let text = "version: 1\nevents: Ir\nfn=(1) totals\n5 7\ntotals: 5\n\ntotals: 28316088\n";
        assert_eq!(total_in(text), Some(28_316_088));
        assert_eq!(total_in("summary: 7\n"), None);
        assert_eq!(total_in("totals: many\n"), None);
    }
}
