//! `load --target`: names, prefixes, and servers that are none.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::common::{Serving, outcome};
use serde_json::Value;

/// Reads up to the end of a request's head.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Takes the prefix off the request's path and hands all else on, both ways.
fn forward(mut client: TcpStream, server: SocketAddr, prefix: &str, seen: &Sender<String>) {
    let Ok(asked) = head(&mut client) else { return };
    let Ok(mut server) = TcpStream::connect(server) else { return };
    // Whoever listened may have seen enough.
    let _ = seen.send(asked.clone());
    let _ = server.write_all(asked.replacen(prefix, "", 1).as_bytes());
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let up = thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    let _ = io::copy(&mut server, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = up.join();
}

/// A front of `server` that serves it below `prefix`: where it listens, and the heads it saw.
fn front(server: SocketAddr, prefix: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (sender, seen)) = (listener.local_addr().unwrap(), channel());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let seen = sender.clone();
            thread::spawn(move || forward(client, server, prefix, &seen));
        }
    });
    (address, seen)
}

/// The name is what requests say, the address is what is connected to: where the name has others
/// before it, such as `::1`, they are tried first. The prefix stands before each path.
#[test]
fn a_name_and_a_prefix_are_used_as_typed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--rate", "50/s"]);
    let (address, seen) = front(server.address().parse().unwrap(), "/base/x");
    let port = address.port();
    let target = format!("http://localhost:{port}/base/x/");
    let args = ["load", "--target", &target, "-t", "websocket", "-c", "2", "-d", "500ms"];
    let (_, stdout, stderr) =
        outcome(folder.path(), &[&args[..], &["-w", "100ms", "--json"]].concat());
    let record: Value = serde_json::from_str(&stdout).unwrap();
    let audit = &record["trials"][0]["measured"]["audit"];
    assert_eq!((&audit["expected"], &audit["delivered"]), (&50.into(), &50.into()), "{stderr}");
    let question = record["scenario"]["question"].as_str().unwrap();
    assert!(question.contains(&format!("at {address}")), "{question}");
    assert!(stderr.contains(&format!("{target} at {address}")), "{stderr}");

    let heads: Vec<String> = seen.try_iter().collect();
    // The feed before and after the trial, and two clients.
    assert_eq!(heads.len(), 4, "{heads:?}");
    for head in &heads {
        assert!(head.starts_with("GET /base/x/feed"), "{head}");
        let hosts = head.lines().filter(|line| line.to_ascii_lowercase().starts_with("host:"));
        let hosts: Vec<&str> = hosts.map(|line| line[5..].trim()).collect();
        assert_eq!(hosts, [format!("localhost:{port}")], "{head}");
    }
}

/// Words of `load` on a server that gives this answer to everything: its exit status and words.
fn answered_by(answer: &'static str) -> (i32, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            if head(&mut client).is_ok() {
                let _ = client.write_all(answer.as_bytes());
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (status, _, stderr) = outcome(folder.path(), &["load", "--target", &url]);
    (status, stderr)
}

#[test]
fn a_server_without_a_feed_is_told_by_its_answer() {
    let cases = [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "404 Not Found: an application of yours takes `--path PATH --seq PLACE`",
        ),
        (
            "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "301 Moved Permanently: --target names where",
        ),
        (
            "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n",
            "it answered 426 Upgrade Required",
        ),
        (
            "HTTP/1.1 505 No\r\nContent-Length: 0\r\n\r\n",
            "it answered 505 HTTP Version Not Supported",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "its /feed is no feed"),
        ("SSH-2.0-OpenSSH_9\r\n", "cannot get the feed"),
    ];
    for (answer, expected) in cases {
        let (status, stderr) = answered_by(answer);
        assert_eq!(status, 1, "{answer}: {stderr}");
        assert!(stderr.contains(expected), "{answer}: {stderr}");
        assert!(!stderr.contains("fewer clients"), "{stderr}");
    }
}
