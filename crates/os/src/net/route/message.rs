//! Messages of rtnetlink as bytes (netlink(7), rtnetlink(7)): a header, a structure, attributes.
//!
//! Six kinds of messages are all that is needed. The crate netlink-packet-route knows all of them,
//! and takes a seventh of the time in which all of pushbench is built.

/// The alignment of headers and attributes (`NLMSG_ALIGNTO`, `NLA_ALIGNTO`).
const ALIGNMENT: usize = 4;
/// The bytes of a message's header (`struct nlmsghdr`).
const HEADER: usize = 16;
/// The bytes of an attribute's header (`struct nlattr`).
const ATTRIBUTE: usize = 4;

/// A request that is being written.
#[derive(Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// A request of the type `kind` with `flags`, beside those that every request has, whose
    /// structure is `fixed`.
    pub(super) fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags) as u16;
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend(fixed);
        align(&mut bytes);
        Self { bytes }
    }

    /// Adds `value` as it is.
    pub(super) fn bytes(mut self, value: &[u8]) -> Self {
        self.bytes.extend(value);
        self
    }

    /// Adds an attribute.
    pub(super) fn attribute(self, kind: u16, value: &[u8]) -> Self {
        self.nested(kind, |inside| inside.bytes(value))
    }

    /// Adds an attribute that is a number of 32 bits.
    pub(super) fn number(self, kind: u16, value: u32) -> Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Adds an attribute that is text, with its end.
    pub(super) fn text(self, kind: u16, value: &str) -> Self {
        self.attribute(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// Adds an attribute that holds what `fill` adds.
    pub(super) fn nested(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.bytes.len();
        self.bytes.extend([0; ATTRIBUTE]);
        let mut filled = fill(self);
        let length = (filled.bytes.len() - start) as u16;
        filled.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        filled.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
        align(&mut filled.bytes);
        filled
    }

    /// The whole message, which an answer with the same `sequence` number is to.
    pub(super) fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

/// A part of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply<'a> {
    /// An object, from its structure on.
    Object(&'a [u8]),
    /// The request is done.
    Done,
    /// The request is refused: the error's number and what the kernel says to it, if anything.
    Refused(i32, String),
}

/// The parts of `datagram` that answer the request number `sequence`.
pub(super) fn replies(datagram: &[u8], sequence: u32) -> impl Iterator<Item = Reply<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        loop {
            let length = number(rest, 0)? as usize;
            let message = rest.get(..length).filter(|message| message.len() >= HEADER)?;
            rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
            if number(message, 8) == Some(sequence) {
                return reply(message);
            }
        }
    })
}

fn reply(message: &[u8]) -> Option<Reply<'_>> {
    let kind = u16::from_ne_bytes(message.get(4..6)?.try_into().ok()?);
    let body = message.get(HEADER..)?;
    if i32::from(kind) != libc::NLMSG_ERROR {
        return Some(Reply::Object(body));
    }
    // An error number, negative, then the header of the request (`NETLINK_CAP_ACK`), then words.
    match number(body, 0)?.cast_signed() {
        0 => Some(Reply::Done),
        error => {
            let words = body.get(4 + HEADER..).and_then(|rest| attribute(rest, ERROR_TEXT));
            let words = String::from_utf8_lossy(words.unwrap_or_default());
            Some(Reply::Refused(-error, words.trim_end_matches('\0').to_owned()))
        }
    }
}

/// The kernel's words to an error (`NLMSGERR_ATTR_MSG`).
const ERROR_TEXT: u16 = 1;

/// The value of the first attribute of type `kind` among `attributes`.
pub(super) fn attribute(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    let mut rest = attributes;
    loop {
        let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
        let found = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
        let value = rest.get(ATTRIBUTE..length)?;
        // The two highest bits say how the value is meant.
        if found & 0x3fff == kind {
            return Some(value);
        }
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..)?;
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_is_a_header_a_structure_and_attributes() {
        let request = Request::new(20, libc::NLM_F_CREATE, &[1, 2, 3])
            .text(3, "lo")
            .nested(18, |inside| inside.number(1, 7))
            .finish(9);
        assert_eq!(number(&request, 0), Some(request.len() as u32));
        assert_eq!(number(&request, 8), Some(9));
        assert_eq!(&request[HEADER..HEADER + 4], &[1, 2, 3, 0]);
        let attributes = &request[HEADER + 4..];
        assert_eq!(attribute(attributes, 3), Some(&b"lo\0"[..]));
        let inside = attribute(attributes, 18).unwrap();
        assert_eq!(attribute(inside, 1), Some(&7_u32.to_ne_bytes()[..]));
        assert_eq!(attribute(attributes, 4), None);
    }

    #[test]
    fn a_refusal_comes_with_the_kernels_words() {
        let error = Request::new(libc::NLMSG_ERROR as u16, 0, &(-22_i32).to_ne_bytes());
        let datagram = error.bytes(&[0; HEADER]).text(ERROR_TEXT, "no such thing").finish(4);
        let all: Vec<_> = replies(&datagram, 4).collect();
        assert_eq!(all, [Reply::Refused(22, "no such thing".to_owned())]);
        assert_eq!(replies(&datagram, 5).count(), 0, "an answer to another request");
    }

    #[test]
    fn several_parts_come_in_one_datagram() {
        let object = Request::new(16, 0, b"abcd").finish(4);
        let done = Request::new(libc::NLMSG_ERROR as u16, 0, &0_i32.to_ne_bytes()).finish(4);
        let datagram = [object, done].concat();
        let all: Vec<_> = replies(&datagram, 4).collect();
        assert_eq!(all, [Reply::Object(b"abcd"), Reply::Done]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes: Vec<u8>) {
            prop_assert!(replies(&bytes, 0).count() <= bytes.len());
            prop_assert!(attribute(&bytes, 3).is_none_or(|value| value.len() < bytes.len()));
        }
    }
}
