//! `--live`: the trial that runs, on the whole terminal, until the user leaves it with q.
//!
//! The run's thread has instants to hit, and hears a trial's processes, so it waits for no terminal:
//! it sends what happened to the view's thread, which goes behind all others.

mod draw;
mod state;
mod terminal;

use std::io::{IsTerminal as _, stderr, stdin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use pushbench_run::Event;
use ratatui::crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::process::{Signal, getpid, kill_process, setpriority_process};

use self::draw::Look;
use self::state::{News, State};
use self::terminal::Canvas;
pub(crate) use self::terminal::{give_back, keep};
use crate::args::OutputArgs;
use crate::exit::Failure;
use crate::screen;

/// How long a key is waited for before it is looked whether there is news.
const LOOK_EACH: Duration = Duration::from_millis(50);

/// The nice value that is behind all others.
const LAST: i32 = 19;

/// Whether the user wants to watch. The terminal is one for the whole program, and who has left the view
/// has left it for all that follows.
static IS_WANTED: AtomicBool = AtomicBool::new(false);

/// Has trials be shown from now on, where that was asked for.
///
/// # Errors
///
/// Standard streams that are no terminal which can be drawn on.
pub(crate) fn prepare(is_asked_for: bool) -> Result<(), Failure> {
    if !is_asked_for {
        return Ok(());
    }
    let lacking = match () {
        () if !stderr().is_terminal() => "standard error, where the view is drawn, is no terminal",
        () if !stdin().is_terminal() => "standard input, which keys come from, is no terminal",
        () if std::env::var_os("TERM").is_some_and(|term| term == "dumb") => {
            "the terminal is a dumb one (TERM)"
        }
        () => {
            IS_WANTED.store(true, Ordering::Relaxed);
            return Ok(());
        }
    };
    Err(Failure::usage(anyhow!(
        "--live: {lacking}; run it in a terminal, or leave --live out: progress is then told in lines \
         on standard error"
    )))
}

/// A view that is shown until the user leaves it, or it is dropped.
pub(crate) struct View {
    news: Sender<(Duration, News)>,
    began: Instant,
    /// The last that was said of the time left, so that it is said once.
    left: String,
    thread: Option<JoinHandle<()>>,
}

impl View {
    /// Takes the terminal for a run called `name`; `None` where nobody wants to watch.
    ///
    /// # Errors
    ///
    /// A terminal that cannot be taken.
    pub(crate) fn begin(name: &str, output: &OutputArgs) -> Result<Option<Self>, Failure> {
        if !IS_WANTED.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let look = Look { is_coloured: screen::is_coloured(output.color, stderr().is_terminal()) };
        let state = State::new(name);
        let canvas = Canvas::take().map_err(|error| {
            Failure::failed(anyhow!("--live: cannot take the terminal: {error}; leave --live out"))
        })?;
        let (news, receiver) = channel();
        let thread = thread::spawn(move || {
            // It costs a trial nothing that it could use itself.
            let _ = setpriority_process(None, LAST);
            watch(state, canvas, look, &receiver);
            give_back();
        });
        Ok(Some(Self { news, began: Instant::now(), left: String::new(), thread: Some(thread) }))
    }

    /// Whether the user has left it, or it has ended otherwise.
    pub(crate) fn is_left(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// A trial begins.
    pub(crate) fn trial(&self, trial: &str) {
        self.tell(News::Trial(trial.to_owned()));
    }

    /// So much of the run is done, and `left` is how long it takes still.
    pub(crate) fn left(&mut self, done: f64, left: &str) {
        if self.left != left {
            left.clone_into(&mut self.left);
            self.tell(News::Left { done, left: left.to_owned() });
        }
    }

    /// Shows what happens in the trial.
    pub(crate) fn show(&self, event: &Event) {
        match event {
            Event::Phase(phase) => self.tell(News::Phase(*phase)),
            Event::Progress(progress) => self.tell(News::Progress(*progress)),
            Event::Cpu(cpu) => self.tell(News::Cpu(*cpu)),
            Event::Starting { .. } | Event::Waiting | Event::Done { .. } => {}
        }
    }

    fn tell(&self, news: News) {
        // Who has left hears nothing more.
        let _ = self.news.send((self.began.elapsed(), news));
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // Its thread ends where no more news can come.
        self.news = channel().0;
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so, and given the terminal back.
            let _ = thread.join();
        }
    }
}

/// Draws what is new and follows keys, until no more news can come, the user leaves, or the terminal
/// fails.
fn watch(mut state: State, mut canvas: Canvas, look: Look, news: &Receiver<(Duration, News)>) {
    let mut is_new = true;
    loop {
        loop {
            match news.try_recv() {
                Ok((at, news)) => {
                    is_new = true;
                    // What others wrote on the screen meanwhile goes with the trial that it is of.
                    if matches!(news, News::Trial(_)) {
                        canvas.renew();
                    }
                    state.take(at, news);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        if std::mem::take(&mut is_new)
            && canvas.draw(|frame| draw::draw(frame, &state, look)).is_err()
        {
            return;
        }
        match next_key() {
            Ok(Key::Leave) => {
                IS_WANTED.store(false, Ordering::Relaxed);
                return;
            }
            // A raw terminal makes no signal of it.
            Ok(Key::Interrupt) => drop(kill_process(getpid(), Signal::INT)),
            Ok(Key::Resized) => {
                canvas.renew();
                is_new = true;
            }
            Ok(Key::None) => {}
            Err(_) => return,
        }
    }
}

/// A thing that the user does.
enum Key {
    Leave,
    Interrupt,
    /// The terminal has another size.
    Resized,
    None,
}

fn next_key() -> std::io::Result<Key> {
    if !event::poll(LOOK_EACH)? {
        return Ok(Key::None);
    }
    Ok(match event::read()? {
        event::Event::Resize(..) => Key::Resized,
        event::Event::Key(key) if key.kind != KeyEventKind::Release => of_key(key),
        _ => Key::None,
    })
}

fn of_key(KeyEvent { code, modifiers, .. }: KeyEvent) -> Key {
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char('q' | 'Q') if !modifiers.contains(KeyModifiers::CONTROL) => Key::Leave,
        _ => Key::None,
    }
}
