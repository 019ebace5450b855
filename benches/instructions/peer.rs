//! The other sides, which are not counted: a server that follows a script for the load generator,
//! and clients for the server. Both do one thing at a time, and the next when the process that is
//! counted sleeps again.

mod audience;
mod client;
mod script;
mod socket;

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) use self::audience::Audience;
pub(crate) use self::script::Script;

/// Until a socket's other side is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sets up a socket that is read and written while nobody else does anything.
fn patient(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads more into `bytes`, and whether anything came before the end.
fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 4096];
    let length = stream.read(&mut piece)?;
    bytes.extend_from_slice(&piece[..length]);
    Ok(length > 0)
}
