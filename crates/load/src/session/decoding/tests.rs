use pushbench_core::contender::{Coding, Security};
use pushbench_core::deflate::DeflateSettings;
use pushbench_core::feed::message::Content;
use pushbench_core::{Contender, Delivery, Seq};
use pushbench_protocol::gzip::{self, GzipWriter, Sum};
use pushbench_protocol::headers::HeaderProfile;
use pushbench_protocol::{batch, chunked, sse};

use super::*;
use crate::session::tests::{Heard, call, feed, payload, plan};
use crate::session::{Session, Sessions};

/// The contenders whose answers are in gzip, in clear.
fn contenders() -> impl Iterator<Item = Contender> {
    Contender::all()
        .filter(|it| it.stack.coding == Coding::Gzip && it.stack.security == Security::Clear)
}

fn opened(contender: Contender, delivery: Delivery, threshold: u64) -> (Box<dyn Session>, Heard) {
    let mut plan = plan(contender, delivery);
    plan.compression_threshold = ByteSize(threshold);
    let mut session = Sessions::new(&plan).session(0);
    let heard = call(|out| session.opened(out));
    (session, heard)
}

fn writer() -> GzipWriter {
    GzipWriter::new(DeflateSettings::default())
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    writer().push_body(text, &mut body);
    body
}

fn batch_of(seqs: &[u64]) -> Vec<u8> {
    let mut text = Vec::new();
    seqs.iter().for_each(|&seq| batch::push(&mut text, &payload(seq, 100)));
    text
}

/// An answer with these fields.
fn answer(cursor: u64, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nETag: W/\"{cursor}\"\r\n{fields}\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

const CODED: &str = "Content-Encoding: gzip\r\n";

#[test]
fn gzip_is_asked_for_unless_the_profile_asks_for_it_already() {
    for contender in contenders() {
        for (profile, expected) in [
            ("minimal", "Accept-Encoding: gzip\r\n"),
            ("chromium", "Accept-Encoding: gzip, deflate, br, zstd\r\n"),
            ("kaazing-2009", "Accept-Encoding: gzip,deflate\r\n"),
        ] {
            let mut plan = plan(contender, Delivery::Every);
            plan.headers = HeaderProfile::built_in(profile).unwrap();
            let ask = |plan: &_| {
                let mut session = Sessions::new(plan).session(0);
                call(|out| session.opened(out)).text().to_owned()
            };
            let sent = ask(&plan);
            assert!(sent.contains(&format!("\r\n{expected}")), "{contender}: {sent}");
            assert_eq!(sent.matches("Accept-Encoding").count(), 1, "{sent}");
            plan.contender = Contender { stack: contender.stack.basic(), ..contender };
            let plain = ask(&plan);
            assert_eq!(plain == sent, profile != "minimal", "{plain}");
        }
    }
}

#[test]
fn messages_are_read_out_of_a_coded_body_however_it_arrives() {
    for contender in contenders().filter(|it| !it.shape().streams()) {
        let (text, small) = (batch_of(&[1, 2, 3]), batch_of(&[4]));
        let (body, next) = (gzipped(&text), gzipped(&small));
        for step in [1, 7, 30, 10_000] {
            let (mut session, _) = opened(contender, Delivery::Every, 0);
            let wire = answer(3, CODED, &body);
            let heard = feed(&mut *session, &wire, step).unwrap();
            assert_eq!((&heard.messages[..], heard.subscribed), (&[1, 2, 3][..], 1));
            let [travelled, framing, _] = heard.layers();
            assert_eq!((travelled, framing), (body.len() as u64, 0), "{contender}");
            assert_eq!(heard.received.messages(), 3 * 100, "without the batch's lengths");
            if heard.requests == 0 {
                call(|out| session.tick(out));
            }
            // Another member, of which nothing is left from the first.
            let heard = feed(&mut *session, &answer(4, CODED, &next), step).unwrap();
            assert_eq!(heard.messages, [4]);
        }
        let (mut session, _) = opened(contender, Delivery::Latest, 0);
        let wire = answer(7, CODED, &gzipped(&payload(7, 300)));
        let heard = feed(&mut *session, &wire, 5).unwrap();
        assert_eq!((&heard.messages[..], heard.received.messages()), (&[7][..], 300));
    }
}

#[test]
fn events_are_read_out_of_a_member_at_each_flush() {
    let mut contenders = contenders().filter(|it| it.shape().streams());
    let (mut session, _) = opened(contenders.next().expect("there is one"), Delivery::Every, 0);
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nETag: W/\"0\"\r\n\
        Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut wire = head.to_vec();
    chunked::push(&mut wire, &gzip::HEADER);
    feed(&mut *session, &wire, 3).unwrap();
    let (mut writer, mut all) = (writer(), Sum::default());
    for seq in 1..=20 {
        let (mut event, mut block, mut chunk) = (Vec::new(), Vec::new(), Vec::new());
        sse::push(&mut event, Seq(seq), Content::Text, &payload(seq, 500));
        all = all.then(writer.push_block(&event, &mut block));
        chunked::push(&mut chunk, &block);
        let heard = feed(&mut *session, &chunk, 1 + seq as usize * 3).unwrap();
        assert_eq!(heard.messages, [seq], "as soon as it is there");
        let [travelled, framing, http] = heard.layers();
        assert_eq!((travelled, http), (block.len() as u64, 0));
        assert_eq!(framing, (chunk.len() - block.len()) as u64);
        assert_eq!(heard.received.messages(), 500);
    }
    let (mut trailer, mut end) = (Vec::new(), Vec::new());
    gzip::push_trailer(all, &mut trailer);
    chunked::push(&mut end, &trailer);
    end.extend_from_slice(chunked::LAST_CHUNK);
    let error = feed(&mut *session, &end, 1).unwrap_err();
    assert!(matches!(error, ProtocolError::StreamEnded(_)), "{error}");
}

#[test]
fn an_answer_that_is_not_compressed_although_asked_for_is_told_by_name() {
    for contender in contenders() {
        let (mut session, _) = opened(contender, Delivery::Every, 0);
        let error = feed(&mut *session, &answer(1, "", &batch_of(&[1])), 9).unwrap_err();
        assert!(matches!(error, ProtocolError::Uncoded { .. }), "{error}");
        assert!(error.to_string().contains("GET /feed/"), "{error}");
        // No size excuses a stream.
        let may_be_small = !contender.shape().streams();
        assert_eq!(error.to_string().contains("compression.threshold"), may_be_small, "{error}");
        let (mut session, _) = opened(contender, Delivery::Every, 0);
        let wire = answer(1, "Content-Encoding: br\r\n", b"\xff");
        let error = feed(&mut *session, &wire, 9).unwrap_err();
        assert!(matches!(error, ProtocolError::Encoded { .. }), "{error}");
    }
}

#[test]
fn small_bodies_and_answers_without_one_need_no_coding() {
    for contender in contenders().filter(|it| !it.shape().streams()) {
        let text = batch_of(&[1]);
        let (mut session, _) = opened(contender, Delivery::Every, text.len() as u64 + 1);
        let heard = feed(&mut *session, &answer(1, "", &text), 9).unwrap();
        assert_eq!((&heard.messages[..], heard.received.saved), (&[1][..], 0));
        assert_eq!(heard.layers()[0], 100);
        let (mut session, _) = opened(contender, Delivery::Every, text.len() as u64);
        let error = feed(&mut *session, &answer(1, "", &text), 9).unwrap_err();
        assert!(matches!(error, ProtocolError::Uncoded { .. }), "{error}");
        let (mut session, _) = opened(contender, Delivery::Every, 0);
        let none = b"HTTP/1.1 204 No Content\r\nETag: \"4\"\r\n\r\n";
        assert_eq!(feed(&mut *session, none, 9).unwrap().subscribed, 1);
    }
}

#[test]
fn a_coded_body_that_is_damaged_too_long_or_cut_short_is_told() {
    let body = gzipped(&batch_of(&[1]));
    let mut damaged = body.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let cut = &body[..body.len() - 1];
    let bomb = gzipped(&vec![b'0'; usize::try_from(BODY_LIMIT).unwrap() + 1]);
    for contender in contenders().filter(|it| !it.shape().streams()) {
        for (body, source) in [
            (&damaged[..], GzipError::Invalid),
            (cut, GzipError::CutShort),
            (&bomb, GzipError::TooLarge(BODY_LIMIT)),
        ] {
            let (mut session, _) = opened(contender, Delivery::Latest, 0);
            let error = feed(&mut *session, &answer(1, CODED, body), 999).unwrap_err();
            match error {
                ProtocolError::Gzip { source: found, .. } => assert_eq!(found, source),
                other => panic!("{other}"),
            }
        }
    }
}
