//! A running server, and a client that knows nothing of the server's code.

use std::cell::RefCell;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_metrics::record::control::ServerMeasured;
use pushbench_server::{Server, ServerConfig, ServerHandle};
use rustls::ClientConnection;

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A feed that is published by hand.
pub(crate) fn manual() -> ServerConfig {
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes: 64 };
    let feed = FeedSpec { seed: 1, schedule: Schedule::Manual, payload };
    ServerConfig { channel: crate::channel(), ..ServerConfig::new(feed) }
}

/// A server on a thread of its own.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: ServerHandle,
    thread: Option<JoinHandle<ServerMeasured>>,
    publisher: RefCell<Option<Client>>,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::with(manual())
    }

    pub(crate) fn with(config: ServerConfig) -> Self {
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
        let (address, handle) = (server.local_addr(), server.handle());
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { address, handle, thread, publisher: RefCell::new(None) }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    /// Sends one request on a connection of its own.
    pub(crate) fn ask(&self, request: &str) -> Response {
        let mut client = self.connect();
        client.send(request);
        client.response()
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        self.ask(&get(target))
    }

    /// Publishes a message: ten digits and `body`.
    pub(crate) fn publish(&self, body: impl AsRef<[u8]>) -> u64 {
        let body = body.as_ref();
        let mut publisher = self.publisher.borrow_mut();
        let client = publisher.get_or_insert_with(|| self.connect());
        client.send(format!(
            "POST /feed/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ));
        client.send(body);
        let response = client.response();
        assert_eq!(response.status, 201, "{}", response.text());
        let text = response.text();
        let number = text.strip_prefix("{\"seq\":").and_then(|rest| rest.strip_suffix('}'));
        number.and_then(|digits| digits.parse().ok()).expect(text)
    }

    /// A figure of `GET /metrics`, under its name with labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics");
        let line = page.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn stop(mut self) -> ServerMeasured {
        self.handle.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

/// A connection.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    /// Above the socket, where there is something.
    secured: Option<Arc<Mutex<ClientConnection>>>,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn new(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let secured = crate::secured().map(|mut secured| {
            secured.complete_io(&mut &socket).unwrap();
            Arc::new(Mutex::new(secured))
        });
        Self { socket, secured, buffer: Vec::new() }
    }

    /// The same connection for somebody who sends while this one reads.
    pub(crate) fn sender(&self) -> Self {
        let (socket, secured) = (self.socket.try_clone().unwrap(), self.secured.clone());
        Self { socket, secured, buffer: Vec::new() }
    }

    /// Plaintext as it travels.
    pub(crate) fn sealed(&self, plaintext: &[u8]) -> Vec<u8> {
        let Some(secured) = &self.secured else { return plaintext.to_vec() };
        let mut secured = secured.lock().unwrap();
        secured.writer().write_all(plaintext).unwrap();
        let mut sealed = Vec::new();
        while secured.wants_write() {
            secured.write_tls(&mut sealed).unwrap();
        }
        sealed
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    /// Sends to a server that may have closed.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        let sealed = self.sealed(bytes.as_ref());
        self.socket.write_all(&sealed)
    }

    /// Reads more; whether there was any.
    fn fill(&mut self) -> bool {
        let mut piece = [0; 64 << 10];
        match self.socket.read(&mut piece) {
            Ok(0) => {
                assert!(self.was_told_of_the_end(), "the end came without a close_notify");
                false
            }
            Ok(bytes) => {
                self.open(&piece[..bytes]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}, with {:?} in hand", shown(&self.buffer)),
        }
    }

    /// Whether the server has said that it sends no more, where there is a word for it (RFC 8446
    /// §6.1).
    fn was_told_of_the_end(&self) -> bool {
        let Some(secured) = &self.secured else { return true };
        secured.lock().unwrap().process_new_packets().unwrap().peer_has_closed()
    }

    /// Takes bytes as they travel.
    fn open(&mut self, mut bytes: &[u8]) {
        let Some(secured) = &self.secured else { return self.buffer.extend_from_slice(bytes) };
        let mut secured = secured.lock().unwrap();
        while !bytes.is_empty() {
            secured.read_tls(&mut bytes).unwrap();
            let plaintext = secured.process_new_packets().unwrap().plaintext_bytes_to_read();
            let before = self.buffer.len();
            self.buffer.resize(before + plaintext, 0);
            secured.reader().read_exact(&mut self.buffer[before..]).unwrap();
        }
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.fill(), "the connection ended after {:?}", shown(&self.buffer));
        }
        self.buffer.drain(..count).collect()
    }

    /// Everything up to and including `end`.
    pub(crate) fn take_until(&mut self, end: &str) -> String {
        let mut searched = 0;
        loop {
            let unseen = &self.buffer[searched..];
            let found = unseen.windows(end.len()).position(|part| part == end.as_bytes());
            if let Some(start) = found {
                return String::from_utf8(self.take(searched + start + end.len())).unwrap();
            }
            searched = (self.buffer.len() + 1).saturating_sub(end.len());
            assert!(self.fill(), "no {end:?} in {:?}", shown(&self.buffer));
        }
    }

    /// The next bytes are exactly these.
    pub(crate) fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let expected = bytes.as_ref();
        let taken = self.take(expected.len());
        assert!(taken == expected, "got {:?} instead of {:?}", shown(&taken), shown(expected));
    }

    /// The rest until the server closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.fill() {}
        std::mem::take(&mut self.buffer)
    }

    /// The server closes, and sends nothing before.
    pub(crate) fn expect_end(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "then came {:?}", shown(&rest));
    }

    /// Whether nothing has come up to now.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let peeked = self.socket.peek(&mut [0]);
        self.socket.set_nonblocking(false).unwrap();
        self.buffer.is_empty() && peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    pub(crate) fn response(&mut self) -> Response {
        let head = self.take_until("\r\n\r\n");
        let (line, fields) = head.split_once("\r\n").unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head: fields.to_owned(), body: Vec::new() };
        if let Some(length) = response.header("content-length") {
            response.body = self.take(length.parse().unwrap());
        }
        response
    }
}

/// A response.
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.head.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn etag(&self) -> &str {
        self.header("etag").unwrap_or("none")
    }
}

pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// The start of `bytes`, for a message.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned()
}
