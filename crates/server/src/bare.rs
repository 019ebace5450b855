//! The least that a server of WebSockets can do: write each message, encoded once, to every
//! socket at its instant.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use pushbench_core::feed::FeedSpec;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::control::{ServerMeasured, ServerNews, ServerOrder, ServerPlan};
use pushbench_metrics::observer::Window;
use pushbench_probe::clock;
use rustix::net::{SendFlags, send};
use tungstenite::handshake::derive_accept_key;

use crate::orders::{hear, say};

/// How long a client may take over its handshake, or its good-bye.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections whose handshake is done.
type Accepted = Arc<Mutex<Vec<TcpStream>>>;

/// Writes until the window is over.
pub(super) fn play() -> anyhow::Result<()> {
    let plan: ServerPlan = hear()?;
    let listener = TcpListener::bind(plan.listen)?;
    rustix::net::listen(&listener, 4096)?;
    say(&ServerNews::Listening { address: listener.local_addr()? });
    let accepted = Accepted::default();
    let shared = Arc::clone(&accepted);
    thread::spawn(move || {
        while let Ok(stream) = accept(&listener) {
            shared.lock().expect("nobody panics with it").push(stream);
        }
    });
    let ServerOrder::Measure { window } = hear()? else { bail!("expected the window") };
    let ServerOrder::Start { origin } = hear()? else { bail!("expected the order to start") };
    let streams = std::mem::take(&mut *accepted.lock().expect("nobody panics with it"));
    let measured = write_all(&plan.feed, origin, &window, &streams)?;
    // Whoever says good-bye is heard; whoever just goes, too.
    for mut stream in streams {
        let _ = stream.read(&mut [0; 64]);
    }
    let ServerOrder::Stop = hear()? else { bail!("expected the order to stop") };
    say(&ServerNews::Stopped(Box::new(measured)));
    Ok(())
}

/// Writes each message that is due before the window's end to each socket, as one frame; how late
/// it was in the window.
fn write_all(
    feed: &FeedSpec,
    origin: MonoInstant,
    window: &Window,
    streams: &[TcpStream],
) -> anyhow::Result<ServerMeasured> {
    let mut measured = ServerMeasured::default();
    for (number, offset) in (1..).zip(feed.schedule.offsets(feed.seed)) {
        let due = origin.plus_nanos(offset);
        if due >= window.end {
            break;
        }
        let frame = frame(&feed.payload.render(feed.seed, Seq(number)));
        clock::sleep_until(due);
        if due >= window.start {
            measured.publish_lag.record(clock::now().saturating_since(due));
        }
        for stream in streams {
            let written = send(stream, &frame, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
            ensure!(written.context("cannot write")? == frame.len(), "a socket is full");
        }
    }
    Ok(measured)
}

/// A payload as one unmasked text frame (RFC 6455 §5.2).
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// Accepts a connection and its handshake.
fn accept(listener: &TcpListener) -> anyhow::Result<TcpStream> {
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut request, mut piece) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut piece)?;
        ensure!(length > 0, "a client left in its handshake");
        request.extend_from_slice(&piece[..length]);
    }
    let request = String::from_utf8(request)?;
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = derive_accept_key(key.context("a handshake has no key")?.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\nETag: \"0\"\r\n\r\n"
    )?;
    Ok(stream)
}
