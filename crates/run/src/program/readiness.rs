//! Whether a program takes connections yet.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use pushbench_core::program::Ready;

/// How long one look may take.
const LOOK: Duration = Duration::from_millis(500);

/// The longest status line that is read.
const MOST: u64 = 1 << 10;

/// Looks whether the program at `address` is ready; what it prints is judged elsewhere.
pub(super) fn is_ready(ready: &Ready, address: SocketAddr) -> bool {
    match ready {
        Ready::Connect => TcpStream::connect_timeout(&address, LOOK).is_ok(),
        Ready::Get { path, status } => answered(path, address) == Some(*status),
        Ready::Line(_) => false,
    }
}

/// The status of the answer to a GET.
fn answered(path: &str, address: SocketAddr) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&address, LOOK).ok()?;
    stream.set_read_timeout(Some(LOOK)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST)).read_line(&mut line).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.trim_end().parse().ok()
}
