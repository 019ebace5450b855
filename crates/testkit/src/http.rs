//! A small HTTP client over hyper's: one connection, kept or new for each request.

use std::io::Read as _;
use std::net::SocketAddr;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HOST, HeaderMap,
    HeaderName, HeaderValue,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use pushbench_core::Seq;
use pushbench_core::contender::{Coding, Connection, Stack};
use tokio::net::{TcpSocket, TcpStream};

/// Why a request has no answer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How to reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its address.
    pub addr: SocketAddr,
    /// Bytes of the kernel's receive buffer for the connection; `None` leaves the system's own.
    /// A small one makes a client that does not read felt by the server soon.
    pub receive_buffer: Option<u32>,
}

impl Target {
    /// A target with the system's own buffers.
    #[must_use]
    pub const fn new(addr: SocketAddr) -> Self {
        Self { addr, receive_buffer: None }
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// The system's, such as a refused connection.
    pub async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = if self.addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.connect(self.addr).await
    }
}

/// An answer with its whole body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The sequence number in the `ETag`, which is a quoted number on this server.
    #[must_use]
    pub fn etag(&self) -> Option<Seq> {
        etag(&self.headers)
    }

    /// The body as text, for an error to show.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The sequence number in an `ETag`, which is weak where the body is coded.
#[must_use]
pub fn etag(headers: &HeaderMap) -> Option<Seq> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    tag.strip_prefix("W/")
        .unwrap_or(tag)
        .strip_prefix('"')?
        .strip_suffix('"')?
        .parse()
        .ok()
        .map(Seq)
}

/// Whether a body is in gzip, and in nothing else.
#[must_use]
pub fn is_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().eq(["gzip"])
}

/// A body that was asked for in gzip: one member, and nothing behind it.
fn inflated(headers: &HeaderMap, body: &[u8]) -> Result<Bytes, BoxError> {
    if !is_gzip(headers) {
        return Err("an answer that was asked for in gzip is not".into());
    }
    let (mut decoder, mut text) = (GzDecoder::new(body), Vec::new());
    decoder.read_to_end(&mut text)?;
    let rest = decoder.into_inner();
    if rest.is_empty() { Ok(text.into()) } else { Err("bytes follow a gzip member".into()) }
}

type Sender = SendRequest<Full<Bytes>>;

/// A client with at most one connection.
#[derive(Debug)]
pub struct HttpClient {
    target: Target,
    keeps: bool,
    gzip: bool,
    sender: Option<Sender>,
    connections: usize,
}

impl HttpClient {
    /// A client that keeps its connection from one request to the next.
    #[must_use]
    pub const fn keeping(target: Target) -> Self {
        Self { target, keeps: true, gzip: false, sender: None, connections: 0 }
    }

    /// A client that says `Connection: close` with each request.
    #[must_use]
    pub const fn closing(target: Target) -> Self {
        Self { target, keeps: false, gzip: false, sender: None, connections: 0 }
    }

    /// A client of a contender on this stack, in clear.
    #[must_use]
    pub fn on(target: Target, stack: Stack) -> Self {
        let (keeps, gzip) = (stack.connection == Connection::Kept, stack.coding == Coding::Gzip);
        Self { keeps, gzip, ..Self::keeping(target) }
    }

    /// How many connections it has opened.
    #[must_use]
    pub const fn connections(&self) -> usize {
        self.connections
    }

    /// Asks for `path_and_query` and takes the whole answer.
    ///
    /// # Errors
    ///
    /// A connection that cannot be opened or breaks, or an answer that is no HTTP.
    pub async fn get(&mut self, path_and_query: &str) -> Result<Answer, BoxError> {
        self.send(request(Method::GET, path_and_query, Bytes::new())?).await
    }

    /// Sends `body` to `path_and_query`.
    ///
    /// # Errors
    ///
    /// As for [`HttpClient::get`].
    pub async fn post(&mut self, path_and_query: &str, body: &[u8]) -> Result<Answer, BoxError> {
        self.send(request(Method::POST, path_and_query, Bytes::copy_from_slice(body))?).await
    }

    /// Sends a request and takes the whole answer.
    ///
    /// # Errors
    ///
    /// As for [`HttpClient::get`].
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, BoxError> {
        let (parts, body) = self.open(request).await?.into_parts();
        let mut body = body.collect().await?.to_bytes();
        if self.gzip && parts.status == StatusCode::OK {
            body = inflated(&parts.headers, &body)?;
        }
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Sends a request and takes the answer's head: its body is still to be read.
    ///
    /// # Errors
    ///
    /// As for [`HttpClient::get`].
    pub async fn open(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, BoxError> {
        let host = HeaderValue::from_str(&self.target.addr.to_string())?;
        request.headers_mut().insert(HOST, host);
        if !self.keeps {
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.gzip {
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(kept) = self.sender.take()
            && let Some(response) = self.reuse(kept, &request).await?
        {
            return Ok(response);
        }
        let mut sender = self.connect().await?;
        let response = sender.send_request(request).await?;
        self.keep(sender);
        Ok(response)
    }

    /// Sends a request on the connection that was kept; `None` where the server has closed it
    /// meanwhile, which it may at any time (RFC 9112 §9.3.1).
    async fn reuse(
        &mut self,
        mut kept: Sender,
        request: &Request<Full<Bytes>>,
    ) -> Result<Option<Response<Incoming>>, BoxError> {
        if kept.ready().await.is_err() {
            return Ok(None);
        }
        match kept.send_request(request.clone()).await {
            Ok(response) => {
                self.keep(kept);
                Ok(Some(response))
            }
            Err(error) if error.is_canceled() || error.is_incomplete_message() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&mut self, sender: Sender) {
        self.sender = self.keeps.then_some(sender);
    }

    async fn connect(&mut self) -> Result<Sender, BoxError> {
        let stream = self.target.connect().await?;
        self.connections += 1;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // What goes wrong with the connection is told to whoever waits for an answer.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A request to be sent by [`HttpClient::send`] or [`HttpClient::open`].
///
/// # Errors
///
/// A path that is none.
pub fn request(
    method: Method,
    path_and_query: &str,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, BoxError> {
    let mut request = Request::new(Full::new(body.clone()));
    if method == Method::POST {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    *request.method_mut() = method;
    *request.uri_mut() = path_and_query.parse()?;
    Ok(request)
}

/// A `GET` request with one more header.
///
/// # Errors
///
/// A path or a value that is none.
pub fn get_with(
    path_and_query: &str,
    name: HeaderName,
    value: &str,
) -> Result<Request<Full<Bytes>>, BoxError> {
    let mut request = request(Method::GET, path_and_query, Bytes::new())?;
    request.headers_mut().insert(name, HeaderValue::from_str(value)?);
    Ok(request)
}
