//! The terminal while the view has it: raw, on its alternate screen, and given back whatever happens.
//!
//! Standard error's lock is held by who draws and by who gives the terminal back, so that nothing is
//! drawn behind that. It can be had again by the thread that has it, which is why a panic in drawing
//! gives the terminal back too.

use std::io::{self, Write, stderr};
use std::panic;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use rustix::termios::tcgetwinsize;

/// The size of a terminal that does not say it.
const USUAL: Rect = Rect { x: 0, y: 0, width: 80, height: 24 };

/// Whether the view has the terminal, and the lines that wait until it is given back. Held for a moment
/// only, and never while the terminal is written to.
static LENT: Mutex<Lent> = Mutex::new(Lent { is_taken: false, lines: Vec::new() });

struct Lent {
    is_taken: bool,
    lines: Vec<String>,
}

fn lent() -> MutexGuard<'static, Lent> {
    LENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps `text` until the terminal is given back; `false` where it is nobody's, so that text can be
/// written to it.
pub(crate) fn keep(text: &str) -> bool {
    let mut lent = lent();
    if lent.is_taken {
        lent.lines.push(text.to_owned());
    }
    lent.is_taken
}

/// Gives the terminal back as it was, with the lines that were kept; nothing where nobody has it.
pub(crate) fn give_back() {
    if !lent().is_taken {
        return;
    }
    // Before anything that a terminal which takes no output would keep waiting.
    let _ = disable_raw_mode();
    let mut terminal = stderr().lock();
    let lines = {
        let mut lent = lent();
        if !std::mem::take(&mut lent.is_taken) {
            return;
        }
        std::mem::take(&mut lent.lines)
    };
    // A terminal that is gone needs nothing.
    let _ = execute!(terminal, LeaveAlternateScreen, Show);
    for line in lines {
        let _ = writeln!(terminal, "{line}");
    }
}

/// The terminal as something to draw on. It is given back by [`give_back`], which a panic in any thread
/// calls too.
pub(super) struct Canvas {
    terminal: Terminal<CrosstermBackend<Painter>>,
    area: Rect,
}

impl Canvas {
    /// Takes the terminal.
    pub(super) fn take() -> io::Result<Self> {
        give_back_on_panic();
        let area = area();
        let terminal = blank(area)?;
        enable_raw_mode()?;
        lent().is_taken = true;
        let entered = execute!(stderr().lock(), EnterAlternateScreen, Hide);
        if entered.is_err() {
            give_back();
        }
        entered.map(|()| Self { terminal, area })
    }

    /// Draws all of it the next time, as large as the terminal is now.
    pub(super) fn renew(&mut self) {
        self.area = area();
        // Where that fails so does drawing, which says it.
        if let Ok(terminal) = blank(self.area) {
            self.terminal = terminal;
            let _ = self.terminal.backend_mut().clear();
        }
    }

    /// Draws a frame, as far as it differs from the last.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<()> {
        if area() != self.area {
            self.renew();
        }
        self.terminal.draw(draw).map(drop)
    }
}

/// The area of standard error's terminal; the library would ask that of standard output.
fn area() -> Rect {
    let size = tcgetwinsize(stderr()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(USUAL, |size| Rect { width: size.ws_col, height: size.ws_row, ..USUAL })
}

/// A terminal whose screen is taken to be empty.
fn blank(area: Rect) -> io::Result<Terminal<CrosstermBackend<Painter>>> {
    let backend = CrosstermBackend::new(Painter::default());
    Terminal::with_options(backend, TerminalOptions { viewport: Viewport::Fixed(area) })
}

fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            usual(panic);
        }));
    });
}

/// A writer of whole frames to the terminal, as long as the view has it.
#[derive(Default)]
struct Painter {
    frame: Vec<u8>,
}

impl Write for Painter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.frame);
        let mut terminal = stderr().lock();
        if !lent().is_taken {
            return Ok(());
        }
        terminal.write_all(&frame).and_then(|()| terminal.flush())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;
    use std::process::Command;

    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};

    use super::*;

    /// The variable with which a test starts this program again, on a terminal of its own, to panic there.
    const ON_A_TERMINAL: &str = "PUSHBENCH_TEST_PANICS_ON_A_TERMINAL";

    fn panic_with_the_terminal() {
        let mut canvas = Canvas::take().unwrap();
        canvas.draw(|frame| frame.render_widget("drawn", frame.area())).unwrap();
        assert!(keep("told meanwhile"));
        let modes = tcgetattr(stderr()).unwrap().local_modes;
        assert!(!modes.contains(LocalModes::ICANON), "keys come one by one");
        panic!("the reason");
    }

    #[test]
    fn a_panic_is_told_on_the_terminal_as_it_was() {
        if std::env::var_os(ON_A_TERMINAL).is_some() {
            panic_with_the_terminal();
        }
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags).unwrap();
        grantpt(&master).and_then(|()| unlockpt(&master)).unwrap();
        let terminal = ioctl_tiocgptpeer(&master, flags).unwrap();
        let end = || terminal.try_clone().unwrap();
        let name = "live::terminal::tests::a_panic_is_told_on_the_terminal_as_it_was";
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", name])
            .env(ON_A_TERMINAL, "1")
            .env("RUST_BACKTRACE", "0")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .status()
            .unwrap();
        assert!(!status.success());
        let modes = tcgetattr(&terminal).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        drop(terminal);
        let mut output = Vec::new();
        // A terminal whose other end is closed ends with an error.
        let _ = File::from(master).read_to_end(&mut output);
        let output = String::from_utf8_lossy(&output);
        let places = ["?1049h", "drawn", "?1049l", "told meanwhile", "the reason"]
            .map(|text| output.find(text).unwrap_or_else(|| panic!("{text}: {output}")));
        assert!(places.is_sorted(), "{places:?}: {output}");
    }
}
