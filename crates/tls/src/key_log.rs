//! A file of secrets, for tools that read captured packets: NSS's format, which tshark reads.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustls::KeyLog;

/// A file that gets the secrets of each connection.
#[derive(Debug)]
pub(crate) struct KeyLogFile(File);

impl KeyLogFile {
    /// A file to which lines are added, and which nobody else may read.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(Self)
    }
}

impl KeyLog for KeyLogFile {
    /// A line in one write, since several processes may share the file. One that cannot be written
    /// is missed by whoever reads the packets, and by nobody else.
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = String::from(label);
        for bytes in [client_random, secret] {
            line.push(' ');
            bytes.iter().for_each(|byte| {
                let _ = write!(line, "{byte:02x}");
            });
        }
        line.push('\n');
        let _ = (&self.0).write_all(line.as_bytes());
    }
}
