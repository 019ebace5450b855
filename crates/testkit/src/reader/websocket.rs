//! A WebSocket client.

use futures_util::{SinkExt as _, StreamExt as _};
use http::header;
use pushbench_core::feed::message::{Content, SEQ_DIGITS};
use pushbench_core::{Contender, Seq};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{End, Later, Message, Reader, Refused, Subscription, numbered};
use crate::http::{HttpClient, get_with};

/// The close code that stands for HTTP's 410.
const GONE: u16 = 4410;

pub(super) struct Websocket {
    stream: WebSocketStream<TcpStream>,
}

impl Websocket {
    pub(super) async fn open(subscription: Subscription) -> Result<Self, Refused> {
        let path = subscription.path(Contender::WEBSOCKET, subscription.after);
        let url = format!("ws://{}{path}", subscription.target.addr);
        let request = url.into_client_request().map_err(trouble)?;
        let socket = subscription.target.connect().await.map_err(trouble)?;
        match client_async(request, socket).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(_)) => Err(refusal(subscription, &path).await),
            Err(error) => Err(trouble(error)),
        }
    }
}

fn trouble(error: impl std::fmt::Display) -> Refused {
    Refused { status: 0, body: error.to_string() }
}

/// The refusal with its whole body: the library keeps no more of it than came with the head.
pub(super) async fn refusal(subscription: Subscription, path: &str) -> Refused {
    let mut client = HttpClient::keeping(subscription.target);
    let handshake = get_with(path, header::UPGRADE, "websocket").map(|mut request| {
        let fields = [
            (header::CONNECTION, "Upgrade"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        for (name, value) in fields {
            request.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        request
    });
    let answer = match handshake {
        Ok(request) => client.send(request).await,
        Err(error) => Err(error),
    };
    answer.map_or_else(Refused::from, |answer| Refused::by(&answer))
}

/// The message that a frame is; `None` where it is none of the feed's.
fn message(frame: Frame) -> Result<Option<Message>, End> {
    let (payload, content) = match frame {
        Frame::Text(text) => (text.into(), Content::Text),
        Frame::Binary(data) => (data, Content::Binary),
        Frame::Close(frame) => return Err(closed(frame)),
        Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => return Ok(None),
    };
    // Ten digits are text, and are all of the least message of a feed of binary messages.
    if Content::of(&payload) != content && payload.len() > SEQ_DIGITS {
        return Err(End::Broken(format!("a payload came as {content:?} and is not")));
    }
    numbered(payload).map(Some)
}

pub(super) fn closed(frame: Option<CloseFrame>) -> End {
    let Some(CloseFrame { code, reason }) = frame else {
        return End::Broken("a close without a code".to_owned());
    };
    match u16::from(code) {
        GONE => match reason.rsplit(' ').next().and_then(|number| number.parse().ok()) {
            Some(oldest) => End::Gone { oldest: Seq(oldest) },
            None => End::Broken(format!("a close with {GONE} names no message: {reason}")),
        },
        code => End::Stopped(format!("close {code}")),
    }
}

impl Reader for Websocket {
    fn receive(&mut self) -> Later<'_, Result<Message, End>> {
        Box::pin(async {
            loop {
                match self.stream.next().await {
                    Some(Ok(frame)) => {
                        if let Some(message) = message(frame)? {
                            return Ok(message);
                        }
                    }
                    Some(Err(error)) => return Err(End::broken(error)),
                    None => return Err(End::Broken("the stream is over already".to_owned())),
                }
            }
        })
    }

    /// Says close with 1000 and waits for the server to say it too.
    fn close(mut self: Box<Self>) -> Later<'static, Result<(), End>> {
        Box::pin(async move {
            let frame = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
            match self.stream.send(Frame::Close(Some(frame))).await {
                // The server has said close first, and the library has answered.
                Ok(())
                | Err(Error::Protocol(_) | Error::AlreadyClosed | Error::ConnectionClosed) => {}
                Err(error) => return Err(End::broken(error)),
            }
            while let Some(frame) = self.stream.next().await {
                match frame {
                    Ok(Frame::Close(Some(frame))) if frame.code == CloseCode::Normal => {}
                    Ok(Frame::Close(frame)) => {
                        return Err(End::Broken(format!("close is answered with {frame:?}")));
                    }
                    Ok(_) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => {}
                    Err(error) => return Err(End::broken(error)),
                }
            }
            Ok(())
        })
    }
}
