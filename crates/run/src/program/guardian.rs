//! The guardian of a program: starts it, keeps what it prints, and ends it with all that descends from
//! it.
//!
//! It has adopted whatever the program leaves behind, so that nothing can leave it, and it waits for the
//! end of all of that.

use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use pushbench_core::program::{MAIN_PORT, Program, Ready, Values, fill};
use pushbench_os::process::{fifo, tied};
use tempfile::TempDir;

use super::words::LastWords;
use super::{ProgramNews, ProgramPlan, ReadyProgram, find, readiness};

/// How often a program that starts is looked at, and one that is to be gone is ended again.
const LOOK: Duration = Duration::from_millis(20);

/// How long what was ended may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// How long nothing need be heard of a program that runs.
const A_WHILE: Duration = Duration::from_secs(3600);

/// The longest line of a program that is read as one.
const LINE: u64 = 64 << 10;

/// Something that a guardian hears of.
#[derive(Debug)]
pub(crate) enum Heard {
    /// It is to end the program: it was told to, or the run is gone.
    Stop,
    /// The program printed a line.
    Line(String),
    /// A process ended.
    Gone(u32, ExitStatus),
    /// The program and all that descended from it have ended.
    Alone,
    /// One of its outputs is at its end.
    Silent,
}

/// How many outputs a program has: the standard one and the one of errors.
const OUTPUTS: usize = 2;

/// Starts the program of `plan`, says when it is ready, and ends it when it is heard that it should be.
pub(crate) fn guard(
    plan: &ProgramPlan,
    (sender, heard): (Sender<Heard>, Receiver<Heard>),
    say: impl Fn(&ProgramNews),
) {
    let mut guarded = match Guarded::start(plan, &sender, heard) {
        Ok(guarded) => guarded,
        Err(error) => return say(&ProgramNews::Failed(error)),
    };
    let name = &plan.program.command[0];
    let outcome = guarded.await_ready(&plan.program).and_then(|()| {
        say(&ProgramNews::Ready(guarded.ready.clone()));
        guarded.await_stop()
    });
    guarded.end(plan.program.stop_within.0);
    let news = match outcome {
        Ok(()) => ProgramNews::Ended,
        Err(why) => {
            // Also behind a sign of readiness: a traceback may quote it.
            let untold = untold(&plan.program);
            ProgramNews::Failed(format!("`{name}` {why}{untold}; {}", guarded.words))
        }
    };
    // With its folder: whoever hears the last word may end this process.
    drop(guarded);
    say(&news);
}

/// The likely cause where a program fails that is not told where to listen.
fn untold(program: &Program) -> &'static str {
    if program.knows_its_port() {
        return "";
    }
    "; its command never uses {port}, on which it is to listen: write it there, or the port that it takes \
     into `ports = { port = 8080 }`"
}

/// A program that was started.
struct Guarded {
    ready: ReadyProgram,
    address: SocketAddr,
    words: LastWords,
    heard: Receiver<Heard>,
    /// Whether nothing of it runs any more.
    has_ended: bool,
    /// How many of its outputs may still hold something that it printed.
    outputs: usize,
    /// It is removed with this.
    _folder: TempDir,
}

impl Guarded {
    fn start(
        plan: &ProgramPlan,
        sender: &Sender<Heard>,
        heard: Receiver<Heard>,
    ) -> Result<Self, String> {
        let program = &plan.program;
        let folder = folder().map_err(|error| format!("cannot make a folder for it: {error}"))?;
        let host = plan.place.listen.ip();
        let mut ready =
            ReadyProgram { pid: 0, ports: program.ports.clone(), version: None, stdin: None };
        for port in ready.ports.values_mut().filter(|port| **port == 0) {
            let free = TcpListener::bind((host, 0)).and_then(|it| it.local_addr());
            *port = free.map_err(|error| format!("no port is free: {error}"))?.port();
        }
        let values = values(plan, &folder, &ready);
        write_files(plan, &folder, &values)?;
        ready.version = version(program, &folder, &values);
        let stdin = folder.path().join(STDIN);
        ready.stdin = plan.is_written_to.then(|| stdin.clone());
        let input = if plan.is_written_to {
            fifo::make(&stdin).map(Stdio::from)
        } else {
            Ok(Stdio::null())
        };
        let input = input.map_err(|error| format!("cannot make a pipe for it: {error}"))?;
        let child =
            tied::adopt_orphans().and_then(|()| spawn(plan, (&folder, input), &values, sender));
        let fails = |error| format!("`{}` cannot be started: {error}", program.command[0]);
        ready.pid = child.map_err(fails)?;
        let sender = sender.clone();
        thread::spawn(move || {
            while let Ok(Some((pid, status))) = tied::next_end() {
                let _ = sender.send(Heard::Gone(pid, status));
            }
            let _ = sender.send(Heard::Alone);
        });
        let address = SocketAddr::new(host, ready.ports[MAIN_PORT]);
        let words = LastWords::default();
        let (has_ended, outputs) = (false, OUTPUTS);
        Ok(Self { ready, address, words, heard, has_ended, outputs, _folder: folder })
    }

    /// Waits until it takes connections.
    fn await_ready(&mut self, program: &Program) -> Result<(), String> {
        let deadline = Instant::now() + program.ready_within.0;
        let is_word =
            |line: &str| matches!(&program.ready, Ready::Line(word) if word.find(line).is_some());
        let mut next_look = Instant::now();
        let mut lacks = String::new();
        loop {
            if Instant::now() >= next_look {
                match readiness::look(&program.ready, self.address) {
                    Ok(()) => return Ok(()),
                    Err(why) => lacks = why,
                }
                next_look = Instant::now() + LOOK;
            }
            if Instant::now() > deadline {
                return Err(format!("is not ready within {}: {lacks}", program.ready_within));
            }
            match self.hear(next_look.saturating_duration_since(Instant::now()), is_word)? {
                Turn::Matched => return Ok(()),
                Turn::Stop => return Err("was to end before it was ready".to_owned()),
                Turn::Other => {}
            }
        }
    }

    /// Waits until it is to end.
    fn await_stop(&mut self) -> Result<(), String> {
        loop {
            if let Turn::Stop = self.hear(A_WHILE, |_| false)? {
                return Ok(());
            }
        }
    }

    /// Hears of one thing at most; the end of the program itself is an error.
    fn hear(&mut self, limit: Duration, matches: impl Fn(&str) -> bool) -> Result<Turn, String> {
        match self.heard.recv_timeout(limit) {
            Ok(Heard::Line(line)) => {
                self.words.hear(&line);
                Ok(if matches(&line) { Turn::Matched } else { Turn::Other })
            }
            Ok(Heard::Gone(pid, status)) if pid == self.ready.pid => {
                Err(format!("ended by itself ({status})"))
            }
            Ok(Heard::Gone(..)) => Ok(Turn::Other),
            Ok(Heard::Alone) => {
                self.has_ended = true;
                Err("ended by itself".to_owned())
            }
            Ok(Heard::Silent) => {
                self.outputs -= 1;
                Ok(Turn::Other)
            }
            Ok(Heard::Stop) | Err(RecvTimeoutError::Disconnected) => Ok(Turn::Stop),
            Err(RecvTimeoutError::Timeout) => Ok(Turn::Other),
        }
    }

    /// Asks it to end, and ends what has not within `limit`.
    fn end(&mut self, limit: Duration) {
        tied::ask_to_end(self.ready.pid);
        if self.is_gone_by(Instant::now() + limit) {
            return;
        }
        let last = Instant::now() + GONE_WITHIN;
        // Whoever starts another just now is seen the next time.
        while Instant::now() < last {
            tied::end_all();
            if self.is_gone_by(Instant::now() + LOOK) {
                return;
            }
        }
    }

    /// Whether nothing of it is left by the `deadline`, neither a process nor a word: what it printed
    /// may be heard after its end.
    fn is_gone_by(&mut self, deadline: Instant) -> bool {
        while !self.has_ended || self.outputs > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(Heard::Alone) => self.has_ended = true,
                Ok(Heard::Silent) => self.outputs -= 1,
                Ok(Heard::Line(line)) => self.words.hear(&line),
                Ok(Heard::Stop | Heard::Gone(..)) => {}
                Err(_) => return false,
            }
        }
        true
    }
}

/// The meaning of what was heard to whoever waits.
enum Turn {
    /// A line that was waited for.
    Matched,
    /// The program is to end.
    Stop,
    /// Nothing of that.
    Other,
}

/// A folder that a program can read from which gives up its privileges.
fn folder() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("pushbench-").tempdir()?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// The values of all variables.
fn values(plan: &ProgramPlan, folder: &TempDir, ready: &ReadyProgram) -> Values {
    let file = |name: &str| folder.path().join(name).display().to_string();
    let mut values = plan.values.clone();
    let host = plan.place.listen.ip();
    let address = SocketAddr::new(host, ready.ports[MAIN_PORT]);
    values.insert("host".to_owned(), host.to_string());
    values.insert("address".to_owned(), address.to_string());
    values.insert("dir".to_owned(), folder.path().display().to_string());
    values.entry("workers".to_owned()).or_insert_with(|| "1".to_owned());
    values.extend(ready.ports.iter().map(|(name, port)| (name.clone(), port.to_string())));
    if plan.credentials.is_some() {
        values.insert("cert".to_owned(), file(CERTIFICATE));
        values.insert("key".to_owned(), file(KEY));
    }
    values
}

/// The names of the files with a certificate and its key. HAProxy looks for a key by this name.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "certificate.pem.key";

/// The name of the pipe to its standard input.
const STDIN: &str = "stdin.pipe";

fn write_files(plan: &ProgramPlan, folder: &TempDir, values: &Values) -> Result<(), String> {
    let fails = |name: &str, error: io::Error| format!("cannot write `{name}` for it: {error}");
    for (name, text) in &plan.program.files {
        let text = filled(text, values)?;
        fs::write(folder.path().join(name), text).map_err(|error| fails(name, error))?;
    }
    if let Some(credentials) = &plan.credentials {
        let key = folder.path().join(KEY);
        fs::write(folder.path().join(CERTIFICATE), &credentials.certificates)
            .and_then(|()| fs::write(&key, &credentials.key))
            .and_then(|()| fs::set_permissions(&key, Permissions::from_mode(0o600)))
            .map_err(|error| fails(KEY, error))?;
    }
    Ok(())
}

fn filled(text: &str, values: &Values) -> Result<String, String> {
    fill(text, values).map_err(|name| format!("the variable `{{{name}}}` has no value here"))
}

/// Starts the program, in a process group of its own, and has its output heard of. From the first thread
/// of this process, as the system asks it to end once that is gone.
fn spawn(
    plan: &ProgramPlan,
    (folder, input): (&TempDir, Stdio),
    values: &Values,
    sender: &Sender<Heard>,
) -> io::Result<u32> {
    let other = |problem: String| io::Error::other(problem);
    let program = &plan.program;
    let mut arguments = Vec::new();
    for text in &program.command {
        arguments.push(filled(text, values).map_err(other)?);
    }
    let file = find(&arguments[0]).ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(&plan.tied).arg(std::process::id().to_string()).arg(file).args(&arguments[1..]);
    let mut child = command
        .envs(environment(program, values).map_err(other)?)
        .current_dir(folder.path())
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let outputs: [Option<Box<dyn Read + Send>>; OUTPUTS] = [
        child.stdout.take().map(|output| Box::new(output) as _),
        child.stderr.take().map(|output| Box::new(output) as _),
    ];
    for output in outputs.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || listen(output, &sender));
    }
    Ok(child.id())
}

/// Passes on what a program prints, line by line, and that it will print no more.
fn listen(output: impl Read, sender: &Sender<Heard>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.by_ref().take(LINE).read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if sender.send(Heard::Line(text)).is_err() {
            return;
        }
        line.clear();
    }
    let _ = sender.send(Heard::Silent);
}

/// The environment variables of a program.
fn environment(program: &Program, values: &Values) -> Result<Vec<(String, String)>, String> {
    let pairs = program.environment.iter();
    pairs.map(|(name, value)| Ok((name.clone(), filled(value, values)?))).collect()
}

/// The version that a program says it has; whatever it does meanwhile, it does where the program does.
fn version(program: &Program, folder: &TempDir, values: &Values) -> Option<String> {
    let query = program.version.as_ref()?;
    let (command, arguments) = query.command.split_first()?;
    let said = Command::new(find(command)?)
        .args(arguments)
        .envs(environment(program, values).ok()?)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = [said.stdout, said.stderr].concat();
    query.regex.find(&String::from_utf8_lossy(&said)).map(str::to_owned)
}
