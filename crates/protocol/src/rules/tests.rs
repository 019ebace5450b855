//! Rules at work on what applications send, one at a time.

mod protocols;
mod streams;

use std::sync::{Arc, LazyLock};

use pushbench_core::rules::{Field, Rules};

use super::*;

/// Everything that rules found, in words.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    messages: Vec<(u32, Option<u64>, Option<i64>)>,
    names: Vec<String>,
    unreadable: Vec<String>,
    unmatched: Vec<String>,
    ignored: u32,
    said: Vec<String>,
    ready: u32,
}

impl Sink for Found {
    fn message(&mut self, message: Stamped, _length: usize) {
        let Stamped { sender, seq, stamp } = message;
        self.messages.push((sender.0, seq.map(|seq| seq.0), stamp.map(|stamp| stamp.0)));
    }

    fn sender(&mut self, name: &[u8]) -> Option<Sender> {
        let name = lossy(name);
        let at = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        Some(Sender(at as u32))
    }

    fn unreadable(&mut self, fault: Fault, message: &[u8]) {
        self.unreadable.push(format!("{fault}: {}", lossy(message)));
    }

    fn unmatched(&mut self, text: &[u8], more: bool) {
        match self.unmatched.last_mut().filter(|_| more) {
            Some(last) => last.push_str(&lossy(text)),
            None => self.unmatched.push(lossy(text)),
        }
    }

    fn ignored(&mut self) {
        self.ignored += 1;
    }

    fn say(&mut self, _reply: usize, text: Vec<u8>) {
        self.said.push(lossy(&text));
    }

    fn ready(&mut self) {
        self.ready += 1;
    }
}

/// A letter for each byte, wherever the text is cut.
fn lossy(text: &[u8]) -> String {
    text.iter().copied().map(char::from).collect()
}

/// Rules as somebody types them, `flag value`, a flag without a value, or one value many times.
fn rules(flags: &[(&str, &str)]) -> Rules {
    let mut rules = Rules::default();
    for &(flag, value) in flags {
        match flag {
            "message" => rules.message = Some(value.parse().unwrap()),
            "message-len" => rules.message_len = Some(value.parse().unwrap()),
            "joined" => rules.joined = true,
            "ignore" => rules.ignore = Some(value.parse().unwrap()),
            "seq" => rules.seq = Some(value.parse().unwrap()),
            "stamp" => rules.stamp = Some(value.parse().unwrap()),
            "key" => rules.key = Some(value.parse().unwrap()),
            "ready" => rules.ready = Some(value.parse().unwrap()),
            "reply" => rules.reply.push(value.parse().unwrap()),
            "cursor" => rules.cursor = Some(value.parse().unwrap()),
            other => panic!("no flag {other}"),
        }
    }
    rules
}

fn reader(flags: &[(&str, &str)]) -> Reader {
    Reader::new(Arc::new(Engine::new(&rules(flags)).unwrap()), 7)
}

/// The findings in these texts, one after another.
fn found(flags: &[(&str, &str)], texts: &[&[u8]]) -> Found {
    found_by(reader(flags), texts)
}

fn found_by(mut reader: Reader, texts: &[&[u8]]) -> Found {
    let mut found = Found::default();
    texts.iter().for_each(|text| reader.last(text, &mut found));
    found
}

fn numbers(found: &Found) -> Vec<u64> {
    found.messages.iter().filter_map(|message| message.1).collect()
}

#[test]
fn every_match_is_a_message_and_its_first_group_if_it_has_one() {
    let text: &[u8] = br#"[{"n":1},{"n":2}] {"n":3}"#;
    for expression in [r#"\{[^}]*\}"#, r#"(\{"n":\d+\})[,\]]?"#] {
        let found = found(&[("message", expression), ("seq", "/n")], &[text]);
        assert_eq!(numbers(&found), [1, 2, 3], "{expression}");
    }
    let whole = found(&[("seq", "/n")], &[br#"{"n":18446744073709551615}"#, b"", b" "]);
    assert_eq!(numbers(&whole), [u64::MAX]);
    assert_eq!(whole.unreadable, ["--seq finds nothing:  "], "all that comes is a message");
}

#[test]
fn a_text_in_pieces_is_one_text() {
    let (mut reader, mut found) = (reader(&[("seq", "/n")]), Found::default());
    for piece in [&br#"{"n":"#[..], b"4", b"2"] {
        reader.push(piece, &mut found);
    }
    reader.last(b"}", &mut found);
    reader.last(br#"{"n":43}"#, &mut found);
    reader.push(br#"{"n":9"#, &mut found);
    reader.restart();
    reader.last(br#"{"n":44}"#, &mut found);
    assert_eq!(numbers(&found), [42, 43, 44]);
}

#[test]
fn what_is_left_is_ignored_by_name_only_and_never_instead_of_a_message() {
    let flags = [("message", r#"\{.*\}"#), ("seq", "/n"), ("ignore", "hello|n")];
    let found = found(&flags, &[b"hello", br#"{"n":1}"#, b"what?", br#"bye {"n":2} hello "#]);
    assert_eq!(numbers(&found), [1, 2]);
    assert_eq!((found.ignored, found.unmatched), (2, vec!["what?".to_owned(), "bye".to_owned()]));
}

/// The commonest design: a greeting, and then messages that are the whole of what comes.
#[test]
fn where_all_that_comes_is_a_message_what_is_ignored_is_none() {
    let texts: [&[u8]; 3] =
        [br#"{"type":"hello"}"#, br#"{"type":"price","n":1}"#, b" {\"type\":\"hello\"}\n"];
    let greeted = found(&[("seq", "/n"), ("ignore", r#"^\{"type":"hello"\}$"#)], &texts);
    assert_eq!((numbers(&greeted), greeted.ignored), (vec![1], 2));
    assert_eq!((greeted.unmatched, greeted.unreadable), (vec![], vec![]));
    let arrivals = found(&[("ignore", "hello")], &texts);
    assert_eq!(arrivals.messages, [(0, None, None)]);
    assert_eq!(found(&[("seq", "/n")], &texts).unreadable.len(), 2, "else it is one");
}

#[test]
fn a_number_an_instant_and_a_name_are_read_exactly() {
    let text = br#"{"s":"BTC\/EUR","id":"9007199254740993","t":1700000000.000000001}"#;
    let flags = [("seq", "/id"), ("stamp", "/t:s"), ("key", "/s")];
    let read = found(&flags, &[text, &text.map(|byte| if byte == b'B' { b'L' } else { byte })]);
    let at = Some(1_700_000_000_000_000_001);
    let number = Some(9_007_199_254_740_993);
    assert_eq!(read.messages, [(0, number, at), (1, number, at)]);
    assert_eq!(read.names, ["BTC/EUR", "LTC/EUR"]);
    let flags = [("seq", r"re:seq=(\d+)"), ("stamp", r"re:at=(\S+):rfc3339")];
    let text = b"seq=5 at=2023-11-14T23:13:20.5+01:00";
    assert_eq!(found(&flags, &[text]).messages, [(0, Some(5), Some(1_700_000_000_500_000_000))]);
    let arrivals = found(&[], &[b"x"]);
    assert_eq!(arrivals.messages, [(0, None, None)]);
}

#[test]
fn a_message_that_cannot_be_counted_says_which_rule_and_why() {
    let flags = [("seq", "/n"), ("stamp", "/at:ms"), ("key", "/k")];
    let cases: [(&[u8], &str); 7] = [
        (br#"{"m":1}"#, "--seq finds nothing"),
        (br#"{"n":1.5}"#, "--seq finds no whole number"),
        (br#"{"n":1,"at":"soon"}"#, "--stamp finds no number"),
        (br#"{"n":1,"at":1700000000}"#, "--stamp finds no date of this century, which with :s"),
        (
            br#"{"n":1,"at":1700000000001000}"#,
            "--stamp finds no date of this century, which with :us",
        ),
        (br#"{"n":1,"at":1700000000001}"#, "--key finds nothing"),
        (b"hello", "--seq finds nothing"),
    ];
    for (text, expected) in cases {
        let found = found(&flags, &[text]);
        assert!(found.unreadable[0].starts_with(expected), "{:?}", found.unreadable);
        assert_eq!(found.messages, []);
    }
}

#[test]
fn an_answer_is_to_a_whole_text_and_has_its_groups() {
    let flags = [
        ("message", r"^42(\[.*)"),
        ("seq", "/1/n"),
        ("reply", "2=>3"),
        ("reply", r"(?s)MESSAGE\n.*ack:(\S+)\n.*=>ACK\nid:$1 {client}\x0a\n\0"),
    ];
    let ping = found(&flags, &[b"2", br#"42["tick",{"n":2}]"#, b"22"]);
    assert_eq!((ping.said.clone(), numbers(&ping)), (vec!["3".to_owned()], vec![2]));
    assert_eq!(ping.unmatched, ["22"]);
    let ack = found(&flags, &[b"MESSAGE\nack:a1\n\nbody\0"]);
    assert_eq!(ack.said, ["ACK\nid:a1 7\n\n\0"]);
    assert_eq!(ack.unmatched, [""; 0], "what is answered is taken");
}

#[test]
fn a_client_is_ready_once_what_it_waits_for_has_come_on_each_connection() {
    let (mut reader, mut found) = (reader(&[("ready", "ack"), ("seq", "/n")]), Found::default());
    reader.last(b"hello", &mut found);
    assert_eq!(found.ready, 0);
    reader.last(br#"{"type":"connection_ack"}"#, &mut found);
    reader.last(br#"{"type":"connection_ack"}"#, &mut found);
    assert_eq!(found.ready, 1);
    reader.restart();
    reader.last(br#"{"type":"connection_ack"}"#, &mut found);
    assert_eq!(found.ready, 2);
}

#[test]
fn a_payload_is_as_long_as_what_goes_before_it_says() {
    let flags = [("message-len", r"#(\d+):"), ("seq", "/n")];
    let read = found(&flags, &[br#"#7:{"n":1}#7:{"n":2}"#, b"x #99:{}"]);
    assert_eq!((numbers(&read), read.unmatched), (vec![1, 2], vec!["x #99:{}".to_owned()]));
    let flags = [("message-len", r"#(\d+):"), ("message", r"\d"), ("seq", "")];
    let read = found(&flags, &[b"#5:1 2 3#2:xx"]);
    assert_eq!((numbers(&read), read.unmatched), (vec![1, 2, 3], vec!["#2:xx".to_owned()]));
}

/// NATS, as its server writes it.
const NATS: [(&str, &str); 6] = [
    ("joined", ""),
    ("message-len", r"MSG \S+ \S+ (?:\S+ )?(\d+)\r\n"),
    ("seq", "/n"),
    ("reply", r"PING\r\n=>PONG\r\n"),
    ("ready", r"\+OK\r\n|MSG "),
    ("ignore", r"\+OK\r\n|INFO [^\r\n]*\r\n"),
];

fn nats() -> Vec<u8> {
    let mut stream =
        b"INFO {\"server_id\":\"A\",\"max_payload\":1048576} \r\n+OK\r\nPING\r\n".to_vec();
    for n in 1..=20 {
        // The payload looks like what it is not, and its length alone says where it ends.
        let payload = format!("{{\"n\":{n},\"x\":\"\r\nPING\r\nMSG a 1 3\r\n\"}}");
        let to = if n % 2 == 0 { "_INBOX.1 " } else { "" };
        stream.extend(format!("MSG a.b 1 {to}{}\r\n{payload}\r\n", payload.len()).bytes());
        if n == 7 {
            stream.extend(b"-ERR 'Slow Consumer'\r\nPING\r\n");
        }
    }
    stream
}

/// Whoever hands messages on may count them too, from another number on.
#[test]
fn a_number_that_a_message_was_not_published_with_is_none_of_ours() {
    let ours = |flags: &[_]| {
        let engine = Engine::new(&rules(flags)).unwrap().of_our_messages();
        Reader::new(Arc::new(engine), 7)
    };
    let text: &[u8] = br#"{"id":7,"m":{"seq":"0000000007"}}"#;
    let off: &[u8] = br#"{"id":6,"m":{"seq":"0000000007"}}"#;
    assert_eq!(numbers(&found_by(ours(&[("seq", "/id")]), &[text])), [7]);
    assert_eq!(numbers(&found_by(ours(&[("seq", "/m/seq")]), &[text, off])), [7, 7]);
    let refused = found_by(ours(&[("seq", "/id")]), &[off]);
    assert_eq!((numbers(&refused), refused.unreadable.len()), (vec![], 1));
    assert_eq!(numbers(&found(&[("seq", "/id")], &[off])), [6], "of somebody else's it is his own");
}

#[test]
fn a_cursor_is_where_the_body_says() {
    let engine = Engine::new(&rules(&[("cursor", "/next")])).unwrap();
    assert_eq!(engine.cursor(br#"{"next":"a\u0026b"}"#).as_deref(), Some(&b"a&b"[..]));
    assert_eq!(engine.cursor(br#"{"next":12}"#).as_deref(), Some(&b"12"[..]));
    assert_eq!(engine.cursor(b"{}"), None);
}

#[test]
fn rules_keep_through_the_pipe_to_a_child() {
    let mut sent = rules(&NATS);
    sent.send.push(r#"CONNECT \{"user":"\\x"}\r\n{client}"#.parse().unwrap());
    sent.reply.push(r"a(\d)=>$1\x32\xff\$\@".parse().unwrap());
    sent.each.push("1500ms=>ping".parse().unwrap());
    sent.header.push("X-A: b{c".parse::<Field>().unwrap());
    sent.stamp = Some("re:a:b(\\d+):us@monotonic".parse().unwrap());
    let json = serde_json::to_string(&sent).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), sent, "{json}");
}
