//! `--live`: the trial that runs, on the whole terminal, until the user leaves it with q.
//!
//! The run's thread has instants to hit, and hears a trial's processes, so it waits for no terminal:
//! it sends what happened to the view's thread, which goes behind all others.

mod draw;
mod state;
mod terminal;

use std::io::{self, IsTerminal as _, stderr, stdin};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use pushbench_run::Event;
use ratatui::crossterm::event::{self, KeyCode, KeyModifiers};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process, setpriority_process};

use self::draw::Look;
use self::state::{News, State};
use self::terminal::Canvas;
pub(crate) use self::terminal::{give_back, keep};
use crate::args::OutputArgs;
use crate::exit::Failure;
use crate::screen;

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
    /// Wakes its thread.
    bell: Arc<OwnedFd>,
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
        let failed = |error: io::Error| {
            Failure::failed(anyhow!("--live: cannot take the terminal: {error}; leave --live out"))
        };
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let bell = Arc::new(bell.map_err(|error| failed(error.into()))?);
        let canvas = Canvas::take().map_err(failed)?;
        let shown = Shown { state, canvas, look };
        let ((news, receiver), heard) = (channel(), Arc::clone(&bell));
        let thread = thread::spawn(move || {
            // It costs a trial nothing that it could use itself.
            let _ = setpriority_process(None, LAST);
            // A terminal that fails shows nothing more; the run goes on.
            let _ = watch(shown, &receiver, &heard);
            give_back();
        });
        Ok(Some(Self {
            news,
            bell,
            began: Instant::now(),
            left: String::new(),
            thread: Some(thread),
        }))
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
        self.ring();
    }

    fn ring(&self) {
        // One that rings already need not be heard twice.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // Its thread ends where no more news can come.
        self.news = channel().0;
        self.ring();
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so, and given the terminal back.
            let _ = thread.join();
        }
    }
}

/// Draws what is new and follows keys, until no more news can come, the user leaves, or the terminal
/// fails. Between them it sleeps.
fn watch(mut shown: Shown, news: &Receiver<(Duration, News)>, bell: &OwnedFd) -> io::Result<()> {
    loop {
        if !shown.take(news) {
            return Ok(());
        }
        shown.draw()?;
        wait(bell)?;
        while event::poll(Duration::ZERO)? {
            match key(&event::read()?) {
                Some(Key::Leave) => {
                    IS_WANTED.store(false, Ordering::Relaxed);
                    return Ok(());
                }
                // A raw terminal makes no signal of it.
                Some(Key::Interrupt) => kill_process(getpid(), Signal::INT)?,
                None => {}
            }
        }
    }
}

/// The state, and where it is drawn.
struct Shown {
    state: State,
    canvas: Canvas,
    look: Look,
}

impl Shown {
    /// Takes all news that have come; `false` where no more can.
    fn take(&mut self, news: &Receiver<(Duration, News)>) -> bool {
        loop {
            match news.try_recv() {
                Ok((at, news)) => {
                    // What others wrote on the screen meanwhile goes with the trial that it is of.
                    if matches!(news, News::Trial(_)) {
                        self.canvas.renew();
                    }
                    self.state.take(at, news);
                }
                Err(error) => return error == TryRecvError::Empty,
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let Self { state, canvas, look } = self;
        canvas.draw(|frame| draw::draw(frame, state, *look))
    }
}

/// Waits for a key, or for news.
fn wait(bell: &OwnedFd) -> io::Result<()> {
    let keys = stdin();
    let mut either = [PollFd::new(&keys, PollFlags::IN), PollFd::new(bell, PollFlags::IN)];
    match poll(&mut either, None) {
        // A terminal of another size.
        Err(Errno::INTR) => return Ok(()),
        other => other?,
    };
    if either[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // Silent again, if it rang.
    let _ = rustix::io::read(bell, &mut [0; 8]);
    Ok(())
}

/// A thing that the user does.
enum Key {
    Leave,
    Interrupt,
}

fn key(event: &event::Event) -> Option<Key> {
    let key = event.as_key_press_event()?;
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if is_control => Some(Key::Interrupt),
        KeyCode::Char('q' | 'Q') if !is_control => Some(Key::Leave),
        _ => None,
    }
}
