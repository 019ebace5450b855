//! Sessions that read by rules, on slices: each transport, and what its clients say.

use std::time::Duration;

use pushbench_core::rules::{Outside, Rules};
use pushbench_core::{Contender, Delivery};

use crate::session::tests::{Heard, call, feed, frame, plan, upgrade};
use crate::session::*;

struct Environment;

impl Outside for Environment {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "TOKEN").then(|| "s3cret-token".to_owned())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == "hello" { Ok(b"file {client}".to_vec()) } else { Err("no such file".to_owned()) }
    }
}

/// Rules in TOML, by the names of the flags.
fn sessions(contender: Contender, rules: &str) -> Sessions {
    let mut rules: Rules = toml::from_str(rules).unwrap();
    rules.check(contender.transport).unwrap();
    rules.resolve(&Environment).unwrap();
    let mut plan = plan(contender, Delivery::Every);
    plan.subject.path = Some(rules.plain_path().unwrap_or_else(|| "/".to_owned()));
    plan.subject.event.clone_from(&rules.event);
    plan.subject.rules = Some(rules);
    Sessions::new(&plan)
}

fn numbers(heard: &Heard) -> Vec<u64> {
    heard.stamped.iter().filter_map(|message| message.seq).map(|seq| seq.0).collect()
}

/// The texts of the masked frames that were sent, by the first byte of each.
fn said(mut sent: &[u8]) -> Vec<(u8, String)> {
    let mut texts = Vec::new();
    while let [first, length, rest @ ..] = sent {
        let (length, rest) = match length & 0x7f {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            short => (usize::from(short), rest),
        };
        let (mask, rest) = rest.split_at(4);
        let text = rest[..length].iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key);
        texts.push((*first, String::from_utf8_lossy(&text.collect::<Vec<_>>()).into_owned()));
        sent = &rest[length..];
    }
    texts
}

/// A client of these rules with its WebSocket open, and what it said then.
fn opened(sessions: &Sessions, client: u32) -> (Box<dyn Session>, Heard) {
    let mut session = sessions.session(client);
    let asked = call(|out| session.opened(out));
    let heard = feed(&mut *session, &upgrade(asked.text(), 0), 1000).unwrap();
    (session, heard)
}

#[test]
fn a_websocket_says_its_texts_and_is_connected_once_what_it_waits_for_has_come() {
    let sessions = sessions(
        Contender::WEBSOCKET,
        r#"
        send = ['hello {client}\r\n', '\xff${TOKEN}', '@hello']
        reply = ['ping=>pong']
        ready = 'welcome'
        message = '^\{.*'
        seq = '/n'
        ignore = 'welcome'
        "#,
    );
    let (mut session, heard) = opened(&sessions, 3);
    let expected = [(0x81, "hello 3\r\n"), (0x82, "\u{fffd}s3cret-token"), (0x81, "file {client}")];
    assert_eq!(said(&heard.sent), expected.map(|(first, text)| (first, text.to_owned())));
    assert_eq!(heard.subscribed, 0);
    let wire = [
        frame(0x81, b"welcome"),
        frame(0x81, b"ping"),
        frame(0x01, br#"{"n""#),
        frame(0x89, b"?"),
        frame(0x80, b":7}"),
        frame(0x81, b"s3cret-token, what?"),
    ];
    for step in [1, 5, 1000] {
        let heard = feed(&mut *session, &wire.concat(), step).unwrap();
        assert_eq!((numbers(&heard), heard.messages.len()), (vec![7], 0));
        assert_eq!(said(&heard.sent), [(0x81, "pong".to_owned()), (0x8a, "?".to_owned())]);
        assert_eq!(heard.subscribed, u32::from(step == 1));
    }
    let found = sessions.found();
    assert_eq!((found.unmatched, found.ignored, found.unreadable), (3, 3, 0));
    assert_eq!(found.first_unmatched.as_deref(), Some("***, what?"));
}

#[test]
fn a_text_that_is_due_again_and_again_is_said_on_the_connection_that_it_is_for() {
    let rules = "each = ['25s=>beat {client}', '1s=>tick']\nno-seq = true";
    let sessions = sessions(Contender::WEBSOCKET, rules);
    let (mut session, heard) = opened(&sessions, 5);
    let pauses: Vec<u64> = heard.wakes.iter().map(|(pause, _)| pause.as_secs()).collect();
    assert_eq!((pauses, heard.subscribed), (vec![25, 1], 1));
    let (_, beat) = heard.wakes[0];
    let heard = call(|out| session.woken(beat, out).unwrap());
    assert_eq!(said(&heard.sent), [(0x81, "beat 5".to_owned())]);
    assert_eq!(heard.wakes, [(Duration::from_secs(25), beat)]);
    call(|out| _ = session.closed(out));
    assert_eq!(call(|out| session.woken(beat, out).unwrap()), Heard::default());
}

#[test]
fn a_stream_over_a_websocket_is_one_whatever_its_frames() {
    let sessions = sessions(
        Contender::WEBSOCKET,
        r#"
        joined = true
        message-len = 'MSG \S+ \S+ (?:\S+ )?(\d+)\r\n'
        seq = '/n'
        send = ['CONNECT \{}\r\nSUB a 1\r\n']
        reply = ['PING\r\n=>PONG\r\n']
        ignore = 'INFO [^\n]*\n'
        "#,
    );
    let (mut session, heard) = opened(&sessions, 0);
    assert_eq!(said(&heard.sent), [(0x81, "CONNECT {}\r\nSUB a 1\r\n".to_owned())]);
    let message = |n: u32| format!("MSG a 1 7\r\n{{\"n\":{n}}}\r\n");
    let stream = format!("INFO {{}}\r\nPING\r\n{}{}", message(1), message(2));
    let (front, back) = stream.as_bytes().split_at(stream.len() - 11);
    let wire = [frame(0x82, front), frame(0x82, back)].concat();
    let heard = feed(&mut *session, &wire, 1000).unwrap();
    assert_eq!((numbers(&heard), said(&heard.sent)[0].1.as_str()), (vec![1, 2], "PONG\r\n"));
    let replied = [(r"PING\r\n".to_owned(), 1)].into();
    assert_eq!(sessions.found(), Found { ignored: 1, replied, ..Found::default() });
}

#[test]
fn a_subprotocol_is_asked_for_and_its_choice_is_taken_and_no_other() {
    let rules = "subprotocol = ['graphql-transport-ws', 'b']\norigin = 'https://app.example'\n\
                 header = ['Authorization: Bearer ${TOKEN}']\nno-seq = true\npath = '/g?k=${TOKEN}'";
    let sessions = sessions(Contender::WEBSOCKET, rules);
    let mut session = sessions.session(0);
    let asked = call(|out| session.opened(out));
    assert!(asked.text().starts_with("GET /g?k=s3cret-token HTTP/1.1\r\n"));
    for field in [
        "Sec-WebSocket-Protocol: graphql-transport-ws, b",
        "Origin: https://app.example",
        "Authorization: Bearer s3cret-token",
    ] {
        assert!(asked.text().contains(&format!("\r\n{field}\r\n")), "{}", asked.text());
    }
    let answer = String::from_utf8(upgrade(asked.text(), 0)).unwrap();
    let choosing = |name: &str| {
        answer.replacen("\r\n", &format!("\r\nSec-WebSocket-Protocol: {name}\r\n"), 1).into_bytes()
    };
    let error = feed(&mut *session, &choosing("c"), 1000).unwrap_err().to_string();
    assert!(error.contains("subprotocol `c`") && !error.contains("s3cret"), "{error}");
    let mut session = sessions.session(0);
    let asked = call(|out| session.opened(out));
    let answer = String::from_utf8(upgrade(asked.text(), 0)).unwrap();
    let chosen = answer.replacen("\r\n", "\r\nSec-WebSocket-Protocol: b\r\n", 1);
    assert_eq!(feed(&mut *session, chosen.as_bytes(), 1000).unwrap().subscribed, 1);
}

#[test]
fn events_of_the_named_type_are_looked_at_and_others_are_named() {
    let rules = "event = 'price'\nseq = '/n'\nkey = '/s'\nready = 'welcome'\n\
                 message = '(?s)^\\{.*'\nignore = 'welcome'";
    let sessions = sessions(Contender::SSE, rules);
    let mut session = sessions.session(0);
    call(|out| session.opened(out));
    let wire = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n\
        event: price\ndata: welcome\n\n\
        data: {\"n\":1}\nevent: other\n\n\
        event: price\ndata: {\"n\":2,\ndata: \"s\":\"a\"}\n\n\
        data: {\"n\":2,\"s\":\"b\"}\nevent: price\n\n";
    for step in [1, 7, 1000] {
        let mut session = sessions.session(0);
        call(|out| session.opened(out));
        let heard = feed(&mut *session, wire, step).unwrap();
        let senders: Vec<u32> = heard.stamped.iter().map(|message| message.sender.0).collect();
        assert_eq!((numbers(&heard), senders), (vec![2, 2], vec![0, 1]));
        assert_eq!((heard.subscribed, heard.other_events), (1, vec!["other".to_owned()]));
    }
    assert_eq!(sessions.found().counters, ["a", "b"]);
}

/// Of a text, what no rule takes for a message is around one, however the text is cut.
#[test]
fn what_is_around_a_message_is_framing() {
    let message = br#"{"n":1,"price":100.25}"#;
    let text = [&br#"["prices",17,"#[..], message, b"]"].concat();
    let around = text.len() - message.len();
    let rules = "message = '(\\{.*\\})'\nseq = '/n'\nignore = 'hello'";
    let sessions = sessions(Contender::WEBSOCKET, rules);
    for step in [1, 7, 1000] {
        let (mut session, _) = opened(&sessions, 0);
        let texts = [frame(0x81, &text), frame(0x81, b"hello"), frame(0x81, &text)].concat();
        // What was counted before the end of the last text was known is settled with the next.
        let wire = [texts, frame(0x81, &text)].concat();
        let heard = feed(&mut *session, &wire, step).unwrap();
        let [payload, framing, _] = heard.layers();
        assert_eq!(payload + framing, wire.len() as u64);
        let messages = 3 * message.len() as u64;
        assert!((messages..=messages + around as u64 + 5).contains(&payload), "{step}: {payload}");
        if step == 1000 {
            assert_eq!(payload, messages);
        }
    }
}

#[test]
fn what_is_around_the_messages_of_a_page_or_of_a_stream_is_framing() {
    let sessions_of_polls = sessions(Contender::SHORT_POLL, "message = '\\{[^}]*\\}'\nseq = '/n'");
    let mut session = sessions_of_polls.session(0);
    call(|out| session.opened(out));
    let body = r#"<ul><li>{"n":1}</li><li>{"n":2}</li></ul>"#;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let heard = feed(&mut *session, format!("{head}{body}").as_bytes(), 1000).unwrap();
    assert_eq!(heard.layers(), [14, body.len() as u64 - 14, head.len() as u64]);

    let rules = "joined = true\nmessage-len = 'MSG (\\d+)\\r\\n'\nseq = '/n'";
    let sessions_of_streams = sessions(Contender::WEBSOCKET, rules);
    let (mut session, _) = opened(&sessions_of_streams, 0);
    let stream = b"MSG 7\r\n{\"n\":1}\r\nMSG 7\r\n{\"n\":2}\r\n";
    let (front, back) = stream.split_at(11);
    let wire = [frame(0x82, front), frame(0x82, back)].concat();
    let heard = feed(&mut *session, &wire, 1000).unwrap();
    assert_eq!(heard.layers(), [14, wire.len() as u64 - 14, 0]);
}

/// RFC 6455 §5.5.1: no data behind a close frame.
#[test]
fn nothing_is_replied_behind_the_clients_own_close() {
    let sessions = sessions(
        Contender::WEBSOCKET,
        r"
        reply = ['ping=>pong']
        message = '^\{.*'
        seq = '/n'
        ",
    );
    let (mut session, _) = opened(&sessions, 0);
    let reply = feed(&mut *session, &frame(0x81, b"ping"), 1000).unwrap();
    assert_eq!(said(&reply.sent), [(0x81, "pong".to_owned())]);
    call(|out| session.close(out));
    assert!(feed(&mut *session, &frame(0x81, b"ping"), 1000).unwrap().sent.is_empty());
}
