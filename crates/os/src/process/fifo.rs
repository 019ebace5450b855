//! A pipe with a name: the standard input of a program that another process writes to.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

/// Makes a pipe at `path` for this user alone, and opens it so that it has no end whoever writes to it
/// goes.
///
/// # Errors
///
/// What the system answers.
pub fn make(path: &Path) -> io::Result<File> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    // To read and to write: to open it does not wait then (fifo(7)).
    OpenOptions::new().read(true).write(true).open(path)
}
