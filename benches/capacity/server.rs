//! A server of event streams whose writes go out on a grid: each line of its standard input goes to each
//! client, one write at each instant.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use pushbench_core::MonoInstant;

use crate::grid::Grid;

/// The head of its answers.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
    Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

type Clients = Arc<Mutex<Vec<Arc<TcpStream>>>>;

/// Serves until its standard input ends, `until` the next instant before each write.
pub(crate) fn serve(host: &str, port: u16, until: fn(MonoInstant)) -> io::Result<()> {
    let listener = TcpListener::bind((host, port))?;
    let clients = Clients::default();
    let joined = Arc::clone(&clients);
    thread::spawn(move || accept(&listener, &joined));
    writeln!(io::stdout(), "listening")?;
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let mut grid = Grid::default();
    for (number, line) in (1..).zip(io::stdin().lock().lines()) {
        let event = event(number, &line?);
        let all = clients.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for client in all {
            until(grid.next());
            // One that has gone is told by its load generator.
            let _ = (&*client).write_all(&event);
        }
    }
    Ok(())
}

fn accept(listener: &TcpListener, clients: &Clients) {
    for client in listener.incoming().map_while(Result::ok) {
        if subscribe(&client).is_ok() {
            clients.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(client));
        }
    }
}

/// Reads the request's head, and answers with its own.
fn subscribe(mut client: &TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    client.write_all(HEAD)
}

/// An event, as a chunk.
fn event(number: u64, line: &str) -> Vec<u8> {
    let event = format!("id: {number}\ndata: {line}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}
