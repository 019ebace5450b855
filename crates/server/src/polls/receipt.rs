//! Answers to those who have said something: the number of the message.

use std::rc::Rc;

use http::StatusCode;
use pushbench_core::Seq;
use pushbench_protocol::http::ContentCoding;

use super::reply::{Reply, connection};
use super::request::Persistence;
use super::template::{Outline, Template};
use crate::config::ServerConfig;
use crate::http::answer;

/// Makes these answers.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// Their heads, each made once.
    templates: Vec<(Persistence, Template)>,
    /// The memory of the last one, for the next.
    bytes: Rc<Vec<u8>>,
}

impl Receipts {
    /// 201 with the number (RFC 9110 §15.3.2).
    pub(super) fn reply(
        &mut self,
        seq: Seq,
        persistence: Persistence,
        config: &ServerConfig,
    ) -> Reply<'_> {
        if Rc::get_mut(&mut self.bytes).is_none() {
            self.bytes = Rc::default();
        }
        let bytes = Rc::get_mut(&mut self.bytes).expect("nobody else has it");
        let template = template(&mut self.templates, persistence, config);
        let body = answer::number(seq);
        bytes.clear();
        template.render(bytes, body.len(), seq);
        bytes.extend_from_slice(body.as_bytes());
        let (status, len) = (StatusCode::CREATED, self.bytes.len());
        Reply { status, bytes: &self.bytes, len, holds: None }
    }
}

fn template<'a>(
    templates: &'a mut Vec<(Persistence, Template)>,
    persistence: Persistence,
    config: &ServerConfig,
) -> &'a Template {
    let index =
        templates.iter().position(|&(known, _)| known == persistence).unwrap_or_else(|| {
            let outline = Outline {
                status: StatusCode::CREATED.as_u16(),
                media_type: Some(answer::JSON),
                tagged: false,
                coding: ContentCoding::Identity,
                negotiated: false,
                connection: connection(persistence),
            };
            templates.push((persistence, Template::new(&config.headers, outline)));
            templates.len() - 1
        });
    &templates[index].1
}
