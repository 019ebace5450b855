//! Streams of bytes: their messages are the same however they are cut.

use proptest::prelude::*;

use super::*;

#[test]
fn a_message_of_a_stream_is_told_with_its_last_byte() {
    let lines = [("joined", ""), ("message", r"tick (\d+)\n"), ("seq", "")];
    for (flags, stream) in [(&NATS[..], &b"MSG a 1 7\r\n{\"n\":5}"[..]), (&lines, b"tick 5\n")] {
        let (mut reader, mut found) = (reader(flags), Found::default());
        let (last, first) = stream.split_last().unwrap();
        reader.last(first, &mut found);
        assert_eq!(numbers(&found), [0; 0]);
        reader.last(&[*last], &mut found);
        assert_eq!(numbers(&found), [5]);
    }
    // One that may go on is told once it does not.
    let (mut reader, mut found) =
        (reader(&[("joined", ""), ("message", r"\d+"), ("seq", "")]), Found::default());
    reader.last(b"12", &mut found);
    reader.last(b"34", &mut found);
    assert_eq!(numbers(&found), [0; 0]);
    reader.last(b" ", &mut found);
    assert_eq!(numbers(&found), [1234]);
}

#[test]
fn an_answer_in_a_stream_is_told_at_once_and_never_to_what_is_in_a_payload() {
    let (mut reader, mut found) = (reader(&NATS), Found::default());
    reader.last(b"PI", &mut found);
    reader.last(b"NG\r\n", &mut found);
    assert_eq!(found.said, ["PONG\r\n"]);
    reader.last(b"MSG a 1 15\r\n{\"n\":1}\nPING\r\n", &mut found);
    assert_eq!(found.said.len(), 1);
    reader.last(b"\r\r\n", &mut found);
    assert_eq!(numbers(&found), [1]);
}

#[test]
fn an_expression_that_asks_for_an_end_is_refused_for_a_stream() {
    for expression in [r"^MSG", r"x$", r"\bx", r"(?m)x$"] {
        let error = Engine::new(&rules(&[("joined", ""), ("message", expression)])).unwrap_err();
        assert!(error.to_string().contains("with --joined there is no"), "{error}");
    }
    let large = r"[ab]*a[ab]{18}c";
    let error = Engine::new(&rules(&[("joined", ""), ("message", large)])).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
}

/// Rules for streams in the manner of NATS, and some whose matches go on as they are cut.
static ENGINES: LazyLock<[Arc<Engine>; 3]> = LazyLock::new(|| {
    let lines = [
        ("joined", ""),
        ("message", r"N[A-Z]*\r?\n?|MSG \S+"),
        ("reply", r"P(I?)=>$1"),
        ("ignore", r"\+OK(?:\r\n)?|G+"),
    ];
    let engine = |flags: &[_]| Arc::new(Engine::new(&rules(flags)).unwrap());
    [engine(&NATS), engine(&lines), engine(&NATS[..3])]
});

/// Streams in the manner of NATS, with what looks like messages and is none.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"PING\r\n".to_vec()),
        Just(b"+OK\r\n".to_vec()),
        Just(b"INFO {}\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"MSG a 1 x\r\n".to_vec()),
        Just(b"MSG a 1 99999999999\r\n".to_vec()),
        "[PINGMSO +\r\n0-9]{0,6}".prop_map(String::into_bytes),
        any::<[u8; 3]>().prop_map(Vec::from),
        (0..9_u32, "[\r\nPING ]{0,8}").prop_map(|(n, more)| {
            let payload = format!("{{\"n\":{n},\"m\":\"{more}\"}}");
            format!("MSG a 1 {}\r\n{payload}\r\n", payload.len()).into_bytes()
        }),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_stream_means_the_same_however_it_is_cut(
        stream in streams(),
        cuts in prop::collection::vec(1..20_usize, 1..40),
        which in 0..3_usize,
    ) {
        // A message at its end, behind which nothing is undecided.
        let stream = [&stream[..], b"\nN\n MSG a 1 7\r\n{\"n\":0}"].concat();
        let reader = || Reader::new(ENGINES[which].clone(), 7);
        let whole = found_by(reader(), &[&stream]);
        let (mut reader, mut cut, mut rest) = (reader(), Found::default(), &stream[..]);
        for length in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at(rest.len().min(*length));
            reader.push(piece, &mut cut);
            rest = behind;
        }
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn a_line_of_a_stream_is_found_as_a_search_in_all_of_it_finds_it(
        stream in "[abz\n]{0,60}",
        which in 0..4_usize,
    ) {
        let expression = [r"a+b\n", r"a[^\n]*\n", r"(?:ab|a)z?b\n", r"b(?:a|z){1,3}\n"][which];
        let expected: Vec<String> = expression
            .parse::<Pattern>().unwrap().compile()
            .find_iter(stream.as_bytes()).map(|it| lossy(it.as_bytes())).collect();
        let flags = [("joined", ""), ("message", &format!("(?:{expression})")), ("key", "re:(?s).+")];
        let found = found(&flags, &[stream.as_bytes()]);
        let names: Vec<String> =
            found.messages.iter().map(|it| found.names[it.0 as usize].clone()).collect();
        prop_assert_eq!(names, expected);
    }
}
