//! A profile's TOML, and what is refused in it, with its line.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use toml::Spanned;

use super::render::{Side, placeholders};
use super::{ByTransport, Header, HeaderProfile, HeaderSet};
use pushbench_core::feed::message::SEQ_DIGITS;
use pushbench_core::feed::payload::MAX_PAYLOAD;
use pushbench_core::units::ByteSize;
use pushbench_core::{Contender, Delivery, Transport};

/// A profile that cannot be used.
///
/// Knows the line but not the file, which is the caller's: `format!("{file}: {error}")`.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
pub struct ProfileError {
    line: usize,
    problem: String,
}

impl ProfileError {
    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The fault there, and what would be right.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// A problem and the bytes of the text that have it.
type Located = (Range<usize>, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileTable {
    name: Spanned<String>,
    #[serde(default)]
    about: String,
    path: Option<Spanned<String>>,
    delivery: Option<Delivery>,
    body_bytes: Option<Spanned<ByteSize>>,
    request: SideTable,
    response: Option<SideTable>,
}

struct SideTable {
    headers: HeaderList,
    streams: BTreeMap<Transport, ListTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListTable {
    headers: HeaderList,
}

/// Lists, not pairs: a pair would be read from a longer list without a word.
type HeaderList = Spanned<Vec<Spanned<Vec<String>>>>;

/// A key of a side's table: its list for polls, or the table of a stream.
#[derive(Deserialize)]
#[serde(try_from = "String")]
enum SideKey {
    Headers,
    Stream(Transport),
}

impl TryFrom<String> for SideKey {
    type Error = String;

    fn try_from(key: String) -> Result<Self, String> {
        if key == "headers" {
            return Ok(Self::Headers);
        }
        let found = streams().find(|transport| transport.name() == key);
        found.map(Self::Stream).ok_or_else(|| {
            let known = streams().map(|transport| format!(", `{}`", transport.name()));
            format!("unknown field `{key}`, expected one of `headers`{}", known.collect::<String>())
        })
    }
}

/// Transports that may have a list of their own.
fn streams() -> impl Iterator<Item = Transport> {
    Transport::ALL.into_iter().filter(|transport| transport.shape().streams())
}

/// Written out, so that a new transport's table is known by its name.
impl<'de> Deserialize<'de> for SideTable {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = SideTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table with `headers`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SideTable, A::Error> {
                let (mut headers, mut streams) = (None, BTreeMap::new());
                while let Some(key) = map.next_key()? {
                    match key {
                        SideKey::Headers => headers = Some(map.next_value()?),
                        SideKey::Stream(of) => drop(streams.insert(of, map.next_value()?)),
                    }
                }
                let headers = headers.ok_or_else(|| A::Error::missing_field("headers"))?;
                Ok(SideTable { headers, streams })
            }
        }
        reader.deserialize_map(Members)
    }
}

impl HeaderProfile {
    /// Reads a profile and checks every header.
    ///
    /// # Errors
    ///
    /// The first line that is not TOML or not of a profile, is malformed, belongs to the
    /// transport, or is out of range.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let located = |(span, problem): Located| ProfileError {
            line: 1 + text.bytes().take(span.start).filter(|&byte| byte == b'\n').count(),
            problem,
        };
        toml::from_str::<ProfileTable>(text)
            .map_err(|error| (error.span().unwrap_or_default(), error.message().to_owned()))
            .and_then(ProfileTable::check)
            .map_err(located)
    }
}

impl ProfileTable {
    fn check(self) -> Result<HeaderProfile, Located> {
        check_name(&self.name)?;
        if let Some(path) = &self.path {
            check_path(path)?;
        }
        let request = self.request.check(Side::Request)?;
        let response = match self.response {
            Some(response) => response.check(Side::Response)?,
            None => HeaderProfile::minimal().response,
        };
        Ok(HeaderProfile {
            name: self.name.into_inner(),
            about: self.about,
            path: self.path.map(Spanned::into_inner),
            delivery: self.delivery,
            body_bytes: self.body_bytes.map(|size| check_body(&size)).transpose()?,
            request,
            response,
        })
    }
}

impl SideTable {
    fn check(mut self, side: Side) -> Result<ByTransport, Located> {
        let poll = check_list(self.headers, side)?;
        let own = streams().map(|transport| {
            let table = self.streams.remove(&transport);
            let list = table.map(|table| check_list(table.headers, side)).transpose();
            list.map(|list| (transport, list))
        });
        Ok(ByTransport { poll, streams: own.collect::<Result<_, _>>()? })
    }
}

fn check_list(list: HeaderList, side: Side) -> Result<HeaderSet, Located> {
    let whole = list.span();
    let mut headers: Vec<Header> = Vec::new();
    for pair in list.into_inner() {
        let span = pair.span();
        let header = check_header(pair.into_inner(), side).map_err(|why| (span.clone(), why))?;
        let single = ["Host", "Content-Length", "Content-Type", "ETag"];
        if single.iter().any(|name| header.is(name)) && headers.iter().any(|h| h.is(header.name()))
        {
            return Err((span, format!("`{}` is there twice", header.name())));
        }
        headers.push(header);
    }
    let mut set = HeaderSet::try_from(headers);
    if side == Side::Request {
        set = set.and_then(|mut set| set.ensure_host().map(|()| set));
    }
    set.map_err(|error| (whole, error.to_string()))
}

fn check_header(pair: Vec<String>, side: Side) -> Result<Header, String> {
    let [name, value] = <[String; 2]>::try_from(pair).map_err(|list| {
        format!("a header is `[\"Name\", \"value\"]`, two strings; here are {}", list.len())
    })?;
    let header = Header::new(name, value).map_err(|error| error.to_string())?;
    if is_owned(&header, side) {
        let name = header.name();
        return Err(format!("`{name}` belongs to the transport, which sends it where it must"));
    }
    for found in placeholders(header.value()) {
        if !side.placeholders().contains(&found) {
            let known: Vec<_> =
                side.placeholders().iter().map(|name| format!("`{{{name}}}`")).collect();
            return Err(format!(
                "`{}`: nothing fills in `{{{found}}}`; a {} has {}",
                header.name(),
                side.name(),
                known.join(", ")
            ));
        }
    }
    // What clients go by cannot be made up.
    for (name, value) in [("Content-Length", "{content-length}"), ("ETag", "{etag}")] {
        if side == Side::Response && header.is(name) && header.value() != value {
            return Err(format!("the value of `{name}` is the server's: write `{value}`"));
        }
    }
    Ok(header)
}

/// Whether only the transport can know the header's value, or whether to send it at all.
fn is_owned(header: &Header, side: Side) -> bool {
    const PREFIX: &str = "Sec-WebSocket-";
    let start = header.name().get(..PREFIX.len());
    header.is("Transfer-Encoding")
        || header.is("Upgrade")
        || start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        || (side == Side::Request && (header.is("Content-Length") || header.is("If-None-Match")))
}

fn check_name(name: &Spanned<String>) -> Result<(), Located> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let text = name.get_ref();
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        return Ok(());
    }
    let text = text.escape_debug();
    let problem = format!("name: `{text}` is not 1 to 64 letters, digits, `-`, `_` or `.`");
    Err((name.span(), problem))
}

/// The path of a request target, as RFC 3986 §3.3 has it.
fn check_path(path: &Spanned<String>) -> Result<(), Located> {
    let text = path.get_ref();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=:@/".contains(c);
    let others = Contender::all().filter(|contender| !contender.shape().asks());
    let problem = if !text.starts_with('/') {
        "a path begins with `/`".to_owned()
    } else if others.map(|contender| contender.path()).any(|other| other == text) {
        format!("`{text}` is where another transport goes")
    } else if text.len() > 1024 {
        format!("{} bytes are too many; a path has at most 1024", text.len())
    } else if let Some(wrong) = text.chars().find(|&c| !allowed(c)) {
        format!("a path has no `{}`; the query is the transport's", wrong.escape_debug())
    } else {
        return Ok(());
    };
    Err((path.span(), format!("path: {problem}")))
}

fn check_body(size: &Spanned<ByteSize>) -> Result<usize, Located> {
    let bytes = usize::try_from(size.get_ref().0).unwrap_or(usize::MAX);
    if (SEQ_DIGITS..=MAX_PAYLOAD).contains(&bytes) {
        return Ok(bytes);
    }
    let problem = format!(
        "body_bytes: {} is not within {SEQ_DIGITS}B, which a message needs for its number, \
         and 1MiB",
        size.get_ref()
    );
    Err((size.span(), problem))
}
