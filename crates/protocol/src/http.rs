//! HTTP/1.1 from the client's side (RFC 9110, RFC 9112): requests as text, responses as heads and
//! pieces of bodies.

mod coding;
pub(crate) mod field;
mod head;
mod request;
mod response;
mod retry_after;

pub use self::coding::ContentCoding;
pub use self::field::is_event_stream;
pub use self::head::{BodyLength, HEAD_LIMIT, HeadError, ResponseHead};
pub use self::request::RequestTemplate;
pub use self::response::{CutShort, Piece, ResponseError, ResponseReader};
pub use self::retry_after::RetryAfter;
