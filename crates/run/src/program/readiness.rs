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
///
/// # Errors
///
/// The sign of readiness that it lacks.
pub(super) fn look(ready: &Ready, address: SocketAddr) -> Result<(), String> {
    match ready {
        Ready::Connect => connect(address).map(drop),
        Ready::Get { path, status } => match answered(path, connect(address)?) {
            Some(answer) if answer == *status => Ok(()),
            Some(answer) => Err(format!("GET {path} is answered {answer}, not {status}")),
            None => {
                Err(format!("GET {path} gets no HTTP status from {address} within half a second"))
            }
        },
        Ready::Line(word) => Err(format!("no line of it matches `{}`", word.as_str())),
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect_timeout(&address, LOOK)
        .map_err(|error| format!("nothing takes connections at {address} ({error})"))
}

/// The status of the answer to a GET.
fn answered(path: &str, mut stream: TcpStream) -> Option<u16> {
    stream.set_read_timeout(Some(LOOK)).ok()?;
    let host = stream.peer_addr().ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST)).read_line(&mut line).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.trim_end().parse().ok()
}
