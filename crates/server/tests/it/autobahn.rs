//! The cases of Autobahn's test suite for WebSockets, 1 to 7, as bytes: what a client says to the echo,
//! and what it hears. `scripts/autobahn` has the suite itself say it.

use crate::client::{Client, Running};
use crate::rooms::enter;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One case: each part is sent in pieces, and what comes of it is to the byte.
struct Case {
    name: String,
    says: Vec<u8>,
    hears: Vec<u8>,
    /// The code of the close that follows, of the client's own or of a protocol that it broke; none where
    /// the close has none.
    closes: Option<u16>,
}

/// The end of a message, or of a control frame.
const FIN: u8 = 0x80;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = FIN | 8;
const PING: u8 = FIN | 9;
const PONG: u8 = FIN | 10;

fn length(mark: u8, length: usize) -> Vec<u8> {
    match length {
        0..126 => vec![mark | length as u8],
        126..0x1_0000 => [&[mark | 126], &(length as u16).to_be_bytes()[..]].concat(),
        _ => [&[mark | 127], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

/// A frame of the client.
fn says(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let masked = payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key);
    let head = [vec![first], length(0x80, payload.len()), MASK.to_vec()].concat();
    head.into_iter().chain(masked).collect()
}

/// A frame of the server.
fn hears(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    [vec![first], length(0, payload.len()), payload.to_vec()].concat()
}

fn code(code: u16) -> [u8; 2] {
    code.to_be_bytes()
}

/// The client says this, then goodbye, and hears that beforehand.
fn sound(name: &str, said: &[Vec<u8>], heard: &[Vec<u8>]) -> Case {
    let says = [said.concat(), says(CLOSE, code(1000))].concat();
    Case { name: name.to_owned(), says, hears: heard.concat(), closes: Some(1000) }
}

/// The client breaks the protocol, is told this before, and then so.
fn broken(name: &str, said: &[Vec<u8>], heard: &[Vec<u8>], closes: u16) -> Case {
    Case { name: name.to_owned(), says: said.concat(), hears: heard.concat(), closes: Some(closes) }
}

/// 1: messages of text and of bytes, of all lengths.
fn messages() -> Vec<Case> {
    let lengths = [0, 125, 126, 127, 128, 65_535, 65_536];
    let of = |(kind, byte): (u8, u8)| {
        lengths.map(|length| {
            let payload = vec![byte; length];
            let name = format!("1.{kind}: {length} bytes");
            sound(&name, &[says(FIN | kind, &payload)], &[hears(FIN | kind, &payload)])
        })
    };
    [(TEXT, b'*'), (BINARY, 0xfe)].into_iter().flat_map(of).collect()
}

/// 2: pings and pongs.
fn pings() -> Vec<Case> {
    let ping = |payload: &[u8]| sound("2.1-4", &[says(PING, payload)], &[hears(PONG, payload)]);
    let numbered = |first: fn(u8, &[u8]) -> Vec<u8>, kind: u8| {
        (0..10_u8).flat_map(|n| first(kind, format!("payload-{n}").as_bytes())).collect::<Vec<u8>>()
    };
    vec![
        ping(b""),
        ping(b"Hello, world!"),
        ping(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
        ping(&[0xfe; 125]),
        broken("2.5: a long ping", &[says(PING, [0xfe; 126])], &[], 1002),
        sound("2.7: a pong", &[says(PONG, "")], &[]),
        sound("2.8: a pong", &[says(PONG, "unsolicited pong payload")], &[]),
        sound("2.9", &[says(PONG, "unsolicited"), says(PING, "ping")], &[hears(PONG, "ping")]),
        sound(
            "2.10: ten pings",
            &[numbered(|kind, it| says(kind, it), PING)],
            &[numbered(|kind, it| hears(kind, it), PONG)],
        ),
    ]
}

/// 3 and 4: bits and operation codes that are reserved.
fn reserved() -> Vec<Case> {
    let hello = || says(FIN | TEXT, "Hello, world!");
    let back = || hears(FIN | TEXT, "Hello, world!");
    let mut cases = vec![broken("3.1", &[says(FIN | 0x40 | TEXT, "x")], &[], 1002)];
    for rsv in 2..=7 {
        for first in [FIN | TEXT, FIN | BINARY, PING, CLOSE] {
            let said = [hello(), says(first | rsv << 4, "Hello"), says(PING, "")];
            cases.push(broken(&format!("3.{rsv} of {first:#x}"), &said, &[back()], 1002));
        }
    }
    for opcode in (3..=7).chain(11..=15) {
        for payload in ["", "reserved opcode payload"] {
            let said = [hello(), says(FIN | opcode, payload), says(PING, "")];
            cases.push(broken(&format!("4: opcode {opcode}"), &said, &[back()], 1002));
        }
    }
    cases
}

/// 5: messages in fragments.
fn fragments() -> Vec<Case> {
    let (first, last) = (says(TEXT, "fragment1"), says(FIN, "fragment2"));
    let whole = || hears(FIN | TEXT, "fragment1fragment2");
    let ping = says(PING, "ping payload");
    let pong = hears(PONG, "ping payload");
    let five = [says(TEXT, "fragment1"), says(0, "fragment2"), ping.clone()];
    let five = [
        &five[..],
        &[says(0, "fragment3"), says(0, "fragment4"), ping.clone(), says(FIN, "fragment5")],
    ];
    let all = hears(FIN | TEXT, "fragment1fragment2fragment3fragment4fragment5");
    let lone = says(FIN, "non-continuation payload");
    let start = says(0, "fragment");
    let text = says(FIN | TEXT, "Hello, world!");
    vec![
        broken("5.1", &[says(9, "fragment1"), last.clone()], &[], 1002),
        broken("5.2", &[says(10, "fragment1"), last.clone()], &[], 1002),
        sound("5.3-5", &[first.clone(), last.clone()], &[whole()]),
        sound("5.6-8", &[first.clone(), ping, last.clone()], &[pong.clone(), whole()]),
        broken("5.9-11", &[lone.clone(), text.clone()], &[], 1002),
        broken("5.12-14", &[start.clone(), text.clone()], &[], 1002),
        broken("5.15", &[first.clone(), last, start.clone(), text.clone()], &[whole()], 1002),
        broken("5.16-17", &[start, says(TEXT, "x"), says(FIN, "y")], &[], 1002),
        broken("5.18", &[first, says(FIN | TEXT, "fragment2")], &[], 1002),
        sound("5.19-20", &five.concat(), &[pong.clone(), pong, all]),
        sound("6.1", &[says(TEXT, ""), says(0, ""), says(FIN, "")], &[hears(FIN | TEXT, "")]),
        sound(
            "6.1.3",
            &[says(TEXT, ""), says(0, "middle"), says(FIN, "")],
            &[hears(FIN | TEXT, "middle")],
        ),
    ]
}

/// 6: text that is UTF-8 (RFC 3629), in whole and in fragments of one byte.
const UTF8: [&[u8]; 32] = [
    "Hello-µ@ßöäüàá-UTF-8!!".as_bytes(),
    b"hello$world",
    b"hello\xc2\xa2world",
    b"hello\xe2\x82\xacworld",
    b"hello\xf0\xa4\xad\xa2world",
    "κόσμε".as_bytes(),
    b"\xce\xba",
    b"\xce\xba\xe1\xbd\xb9",
    b"\x00",
    b"\xc2\x80",
    b"\xe0\xa0\x80",
    b"\xf0\x90\x80\x80",
    b"\x7f",
    b"\xdf\xbf",
    b"\xef\xbf\xbf",
    b"\xf4\x8f\xbf\xbf",
    b"\xed\x9f\xbf",
    b"\xee\x80\x80",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbe",
    b"\xf0\x9f\xbf\xbe",
    b"\xf0\xaf\xbf\xbf",
    b"\xf1\x8f\xbf\xbe",
    b"\xf2\x9f\xbf\xbf",
    b"\xf3\xaf\xbf\xbe",
    b"\xf4\x8f\xbf\xbe",
    b"\xef\xbf\xb9",
    b"\xef\xbf\xba",
    b"\xef\xbf\xbb",
    b"\xef\xbf\xbc",
    b"\xf3\xbf\xbf\xbf",
    b"\xf0\x9f\xbf\xbf",
];

/// 6: text that is none.
const NOT_UTF8: [&[u8]; 54] = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80\x65\x64\x69\x74\x65\x64",
    b"\xce",
    b"\xce\xba\xe1",
    b"\xce\xba\xe1\xbd",
    b"\xce\xba\xe1\xbd\xb9\xcf",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xfb\xbf\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"\xbf",
    b"\x80\xbf",
    b"\x80\xbf\x80\xbf\x80\xbf",
    b"\xc0 \xc1 \xc2 ",
    b"\xc2 ",
    b"\xe0 \xe1 ",
    b"\xf0 \xf1 ",
    b"\xf8 \xf9 ",
    b"\xfc ",
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xf8\x80\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfb\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf",
    b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xfe\xfe\xff\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xf8\x80\x80\x80\xaf",
    b"\xfc\x80\x80\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xfc\x83\xbf\xbf\xbf\xbf",
    b"\xc0\x80",
    b"\xe0\x80\x80",
    b"\xf0\x80\x80\x80",
    b"\xed\xa0\x80",
    b"\xed\xad\xbf",
    b"\xed\xae\x80",
    b"\xed\xaf\xbf",
    b"\xed\xb0\x80",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xed\xaf\xbf\xed\xbf\xbf",
];

fn text() -> Vec<Case> {
    let by_bytes = |text: &[u8]| {
        let first = [says(TEXT, [])].into_iter();
        let rest = text.iter().map(|&byte| says(0, [byte]));
        first.chain(rest).chain([says(FIN, [])]).collect::<Vec<_>>().concat()
    };
    let mut cases = Vec::new();
    for text in UTF8 {
        let (name, back) = (format!("6: {}", text.escape_ascii()), hears(FIN | TEXT, text));
        cases.push(sound(&name, &[says(FIN | TEXT, text)], std::slice::from_ref(&back)));
        cases.push(sound(&name, &[by_bytes(text)], &[back]));
    }
    for text in NOT_UTF8 {
        let name = format!("6: {}", text.escape_ascii());
        cases.push(broken(&name, &[says(FIN | TEXT, text)], &[], 1007));
        cases.push(broken(&name, &[by_bytes(text)], &[], 1007));
    }
    cases
}

/// 7: the end.
fn closes() -> Vec<Case> {
    let hello = || says(FIN | TEXT, "Hello World!");
    let bye = || says(CLOSE, code(1000));
    let long = vec![b'*'; 256 << 10];
    let with = |code: u16, reason: &[u8]| [&code.to_be_bytes(), reason].concat();
    let none = |name: &str, said: Vec<u8>| Case {
        name: name.to_owned(),
        says: said,
        hears: Vec::new(),
        closes: None,
    };
    let mut cases = vec![
        broken("7.1.1", &[hello(), bye()], &[hears(FIN | TEXT, "Hello World!")], 1000),
        broken("7.1.2", &[bye(), bye()], &[], 1000),
        broken("7.1.3", &[bye(), says(PING, "")], &[], 1000),
        broken("7.1.4", &[bye(), hello()], &[], 1000),
        broken("7.1.5", &[says(TEXT, "fragment1"), bye(), says(FIN, "fragment2")], &[], 1000),
        broken(
            "7.1.6",
            &[says(FIN | TEXT, &long), bye(), says(PING, "")],
            &[hears(FIN | TEXT, &long)],
            1000,
        ),
        none("7.3.1", says(CLOSE, "")),
        broken("7.3.2", &[says(CLOSE, "a")], &[], 1002),
        broken("7.3.3", &[bye()], &[], 1000),
        broken("7.3.4", &[says(CLOSE, with(1000, b"Hello World!"))], &[], 1000),
        broken("7.3.5", &[says(CLOSE, with(1000, &[b'*'; 123]))], &[], 1000),
        broken("7.3.6", &[says(CLOSE, with(1000, &[b'*'; 124]))], &[], 1002),
        broken("7.5.1", &[says(CLOSE, with(1000, b"\xce\xba\xed\xa0\x80"))], &[], 1007),
    ];
    for valid in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        cases.push(broken("7.7", &[says(CLOSE, code(valid))], &[], valid));
    }
    for invalid in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535] {
        cases.push(broken("7.9", &[says(CLOSE, code(invalid))], &[], 1002));
        cases.push(broken("7.9", &[says(CLOSE, with(invalid, b"reason"))], &[], 1002));
    }
    cases
}

/// The server closes with this code and ends.
fn expect_close(client: &mut Client, expected: Option<u16>, name: &str) {
    let [first, length] = client.take(2).try_into().unwrap();
    let payload = client.take(usize::from(length));
    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
    assert_eq!((first, code), (CLOSE, expected), "{name}");
    let reason = std::str::from_utf8(payload.get(2..).unwrap_or_default());
    assert!(reason.is_ok(), "{name}: {payload:?}");
    client.expect_end();
}

#[test]
fn the_echo_passes_the_cases_one_to_seven() {
    let server = Running::start();
    let groups = [messages(), pings(), reserved(), fragments(), text(), closes()];
    for case in groups.into_iter().flatten() {
        // Case by case in one piece, and byte by byte where they are few; else as 1.1.8 chops them.
        let step = if case.says.len() < 300 { 1 } else { 997 };
        for step in [usize::MAX, step] {
            let mut client = enter(&server, "/echo");
            let mut sender = client.sender();
            let says = case.says.clone();
            let saying = std::thread::spawn(move || {
                for piece in says.chunks(step) {
                    // Whoever has closed takes no more.
                    if sender.try_send(piece).is_err() {
                        break;
                    }
                }
            });
            let heard = client.take(case.hears.len());
            assert!(heard == case.hears, "{} in pieces of {step}", case.name);
            expect_close(&mut client, case.closes, &case.name);
            saying.join().unwrap();
        }
    }
}
