//! A connection to a browser's DevTools: commands and their answers, one at a time
//! (<https://chromedevtools.github.io/devtools-protocol/>).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket, client};

use crate::error::BrowserError;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of one answer: what a tab has noted in a long window.
const MOST: usize = 256 << 20;

/// A connection to a browser's DevTools.
#[derive(Debug)]
pub(crate) struct Devtools {
    socket: WebSocket<TcpStream>,
    calls: u64,
}

impl Devtools {
    /// Opens the connection to the browser as a whole.
    pub(crate) fn open(address: SocketAddr) -> Result<Self, BrowserError> {
        let url = entrance(address)?;
        let stream = dial(address)?;
        let config =
            WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
        let opened = client::client_with_config(url, stream, Some(config));
        let (socket, _) =
            opened.map_err(|error| BrowserError::Connection("reach", error.to_string()))?;
        Ok(Self { socket, calls: 0 })
    }

    /// The result of a command, to the tab of a session or to the browser. Events that come meanwhile
    /// are nobody's.
    pub(crate) fn call(
        &mut self,
        method: &str,
        session: Option<&str>,
        params: &Value,
    ) -> Result<Value, BrowserError> {
        self.calls += 1;
        let mut command = json!({ "id": self.calls, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let lost = |error: tungstenite::Error| BrowserError::Connection("use", error.to_string());
        self.socket.send(Message::text(command.to_string())).map_err(lost)?;
        loop {
            let Message::Text(text) = self.socket.read().map_err(lost)? else { continue };
            let unclear = |_| BrowserError::Answer(method.to_owned());
            let mut answer: Value = serde_json::from_str(&text).map_err(unclear)?;
            if answer["id"] != self.calls {
                continue;
            }
            return match answer["error"].take() {
                Value::Null => Ok(answer["result"].take()),
                error => Err(BrowserError::Refused(method.to_owned(), error.to_string())),
            };
        }
    }
}

fn dial(address: SocketAddr) -> Result<TcpStream, BrowserError> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(BrowserError::reaching)?;
    let set = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE)));
    set.map_err(BrowserError::reaching)?;
    Ok(stream)
}

/// The address of the WebSocket that is the browser's, which only it knows.
fn entrance(address: SocketAddr) -> Result<String, BrowserError> {
    let mut stream = dial(address)?;
    let request =
        format!("GET /json/version HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(BrowserError::reaching)?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    // It may keep the connection, whatever it is asked: the object's end is the answer's.
    while !answer.trim_ascii_end().ends_with(b"}") {
        match stream.read(&mut piece).map_err(BrowserError::reaching)? {
            0 => break,
            length => answer.extend_from_slice(&piece[..length]),
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let version: Option<Value> = serde_json::from_str(body).ok();
    let url = version.as_ref().and_then(|it| it["webSocketDebuggerUrl"].as_str());
    url.map(str::to_owned).ok_or_else(|| BrowserError::Answer("/json/version".to_owned()))
}
