//! `--live` in a pseudo terminal, whose screen is read as a terminal would show it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::common::{outcome, pushbench, schema};

/// The longest that a test waits for something that is to come.
const PATIENCE: Duration = Duration::from_secs(60);

const ROWS: u16 = 40;
const COLUMNS: u16 = 80;

/// The sequence that leaves the alternate screen (xterm's control sequences, mode 1049).
const LEAVE: &str = "\u{1b}[?1049l";

/// The program on a terminal of its own, ended when dropped.
struct Watched {
    child: Child,
    keys: File,
    /// The program's end, whose settings are looked at.
    terminal: OwnedFd,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Watched {
    /// Starts it in `folder`, on a scenario of one transport whose window is so long.
    fn start(folder: &Path, window: &str, args: &[&str]) -> Self {
        let scenario = "question = \"?\"\ntransports = [\"sse\"]\nclients = 20\nrate = \"50/s\"\n\
                        warmup = \"200ms\"\nduration = \"1s\"\nruns = 1";
        fs::write(folder.join("one.toml"), scenario).unwrap();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let terminal = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        tcsetwinsize(&terminal, size(COLUMNS)).unwrap();
        let all = [&["run", "one.toml", "--live", "-d", window], args].concat();
        let end = || terminal.try_clone().unwrap();
        let child = pushbench(folder, &all)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .env_remove("COLUMNS")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let (keys, output) = (File::from(master), Arc::new(Mutex::new(Vec::new())));
        let (mut from, to) = (keys.try_clone().unwrap(), Arc::clone(&output));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                to.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Self { child, keys, terminal, output }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    /// The output since the view was left.
    fn behind_the_view(&self) -> String {
        let output = self.output();
        output[output.rfind(LEAVE).unwrap()..].to_owned()
    }

    /// Whether the alternate screen is shown, and the text of the one that is.
    fn screen(&self) -> (bool, String) {
        let [rows, columns] = [ROWS, COLUMNS].map(|size| NonZero::new(size).unwrap());
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(&self.output.lock().unwrap());
        (parser.screen().alternate_screen(), parser.screen().contents())
    }

    fn wait_for(&self, what: &str, is_there: impl Fn(bool, &str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (is_alternate, screen) = self.screen();
            if is_there(is_alternate, &screen) {
                return;
            }
            assert!(Instant::now() < deadline, "no {what}: {screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the view shows the window.
    fn wait_for_view(&self) {
        self.wait_for("view of the window", |is_alternate, screen| {
            is_alternate && screen.contains("measuring")
        });
    }

    /// Whether the terminal gives keys line by line and shows them, as it does before a program changes
    /// that.
    fn is_cooked(&self) -> bool {
        let modes = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcgetattr(&self.terminal).unwrap().local_modes.contains(modes)
    }

    /// Waits until it has ended, with that `status` and `text` on the screen that it leaves. The terminal is
    /// as it was.
    fn end(&mut self, status: i32, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let ended = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it goes on: {}", self.screen().1);
            thread::sleep(Duration::from_millis(10));
        };
        self.wait_for(text, |is_alternate, screen| !is_alternate && screen.contains(text));
        assert_eq!(ended.code(), Some(status), "{}", self.screen().1);
        assert!(self.is_cooked(), "keys are given raw");
        let output = self.output();
        assert!(output.matches(LEAVE).count() == 1, "the view is left once");
        assert!(output.rfind("\u{1b}[?25h") > output.rfind("\u{1b}[?25l"), "the cursor is hidden");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(columns: u16) -> Winsize {
    Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// A number that stands before `unit` on the screen, in whichever block.
fn number(screen: &str, unit: &str) -> Option<u64> {
    let before = &screen[..screen.find(unit)?];
    let digits = before.rsplit(|c: char| !c.is_ascii_digit() && c != ',').next()?;
    digits.replace(',', "").parse().ok()
}

#[test]
fn it_shows_figures_and_is_left_with_q_while_the_run_goes_on() {
    let work = tempfile::tempdir().unwrap();
    let mut run = Watched::start(work.path(), "6s", &[]);
    run.wait_for("figures of a second", |_, screen| {
        let messages = number(screen, " so far");
        let line = |name: &str| screen.lines().find(|line| line.starts_with(name));
        let is_told = |name| line(name).is_some_and(|line| number(line, " %").is_some());
        screen.contains("measuring")
            && screen.contains("round 1/1  sse")
            && messages.is_some_and(|messages| messages > 0)
            && number(screen, "/s").is_some_and(|rate| (500..2_000).contains(&rate))
            && ["payload", "framing", "http", "server", "clients"].into_iter().all(is_told)
            && line("p50").is_some_and(|line| line.contains("s   p99 "))
    });
    assert!(!run.is_cooked(), "keys come one by one");
    tcsetwinsize(&run.terminal, size(60)).unwrap();
    run.wait_for("view as wide as the terminal is now", |_, screen| {
        screen.lines().next().is_some_and(|head| head.ends_with("goes on") && head.len() == 60)
    });
    run.press("q");
    run.wait_for("main screen", |is_alternate, _| !is_alternate);
    assert!(run.child.try_wait().unwrap().is_none(), "the run goes on");
    run.end(0, "Results: ");
    let behind = run.behind_the_view();
    assert!(behind.contains("sse delivered in"), "{behind}");
    assert!(behind.contains("left  round 1/1  sse"), "the ordinary line goes on: {behind}");
    // Nothing of a record depends on whether it was watched, but the command line that it has.
    schema::check(&work.path().join("results/latest"));
}

#[test]
fn behind_a_run_that_was_watched_to_its_end_the_answer_stands_on_the_terminal() {
    let work = tempfile::tempdir().unwrap();
    let mut run = Watched::start(work.path(), "1s", &["--verbose"]);
    run.wait_for_view();
    run.end(0, "Results: ");
    let behind = run.behind_the_view();
    let (line, answer) = (behind.find("   1 point 1 round 1 sse"), behind.find("delivered in"));
    assert!(line.is_some() && line < answer, "what was told meanwhile stands before: {behind}");
}

#[test]
fn whoever_ends_the_run_has_the_terminal_back() {
    let ways: [fn(&mut Watched); 2] = [
        |run| run.press("\u{3}"),
        |run| {
            let pid = Pid::from_raw(run.child.id().try_into().unwrap()).unwrap();
            kill_process(pid, Signal::TERM).unwrap();
        },
    ];
    for way in ways {
        let work = tempfile::tempdir().unwrap();
        let mut run = Watched::start(work.path(), "10m", &[]);
        run.wait_for_view();
        way(&mut run);
        run.end(130, "error: interrupted");
    }
}

#[test]
fn an_error_in_mid_run_is_told_on_the_terminal_as_it_was() {
    let work = tempfile::tempdir().unwrap();
    let mut run = Watched::start(work.path(), "1s", &[]);
    run.wait_for_view();
    let results = work.path().join("results");
    fs::remove_dir_all(&results).unwrap();
    fs::write(&results, "in the way").unwrap();
    run.end(1, "error: cannot write");
}

#[test]
fn where_no_terminal_is_it_is_refused_before_anything_starts() {
    let work = tempfile::tempdir().unwrap();
    let refused = "--live: standard error, where the view is drawn, is no terminal; run it in a terminal, \
                   or leave --live out";
    let cases: [(&[&str], &str); 5] = [
        (&["run", "--live"], refused),
        (&["load", "--live", "--target", "http://127.0.0.1:1"], refused),
        (&["capacity", "--live"], refused),
        (
            &[
                "advise",
                "--clients",
                "9",
                "--rate",
                "1/s",
                "--payload",
                "64B",
                "--fresh",
                "1s",
                "--live",
            ],
            refused,
        ),
        (&["run", "--live", "--quiet"], "cannot be used with"),
    ];
    for (args, words) in cases {
        let (status, stdout, stderr) = outcome(work.path(), args);
        assert_eq!((status, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
        assert!(!work.path().join("results").exists(), "{args:?}");
    }
}
