use super::*;

struct World;

impl Outside for World {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some("s3cret".to_owned()),
            "LINES" => Some("a\r\nb".to_owned()),
            _ => None,
        }
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == "f" { Ok(b"$1 {client}".to_vec()) } else { Err("no such file".to_owned()) }
    }
}

fn rendered(text: &str) -> Result<Vec<u8>, String> {
    let mut text: Text = text.parse().map_err(|error: RuleError| error.to_string())?;
    text.resolve(&World, &mut Secrets::default()).map_err(|error| error.to_string())?;
    // What a child gets over its pipe says the same.
    let piped: Text = String::from(text.clone()).parse().unwrap();
    let values = Values { client: 12, cursor: b"c", groups: &[b"all", b"one"] };
    let (mut out, mut again) = (Vec::new(), Vec::new());
    text.render(&values, &mut out);
    piped.render(&values, &mut again);
    assert_eq!(out, again);
    Ok(out)
}

#[test]
fn a_text_has_escapes_variables_and_what_is_outside() {
    let cases: [(&str, &[u8]); 10] = [
        (r"a\r\n\t\0\\\xfF", b"a\r\n\t\0\\\xff"),
        (r#"{"n":{"client":{client}}}"#, br#"{"n":{"client":12}}"#),
        (r"\{client} \$1 \@", b"{client} $1 @"),
        ("$0 $1$1 $ 5$ $x", b"all oneone $ 5$ $x"),
        ("$1\\x32", b"one2"),
        ("{cursor}", b"c"),
        ("${TOKEN}!", b"s3cret!"),
        ("@f", b"$1 {client}"),
        ("é {} { x}", "é {} { x}".as_bytes()),
        ("", b""),
    ];
    for (text, expected) in cases {
        assert_eq!(rendered(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn texts_in_json_are_what_they_look_like() {
    for text in [
        r#"{"type":"connection_init"}"#,
        r#"{"id":"1","type":"subscribe","payload":{"query":"subscription{ tick{ n at } }"}}"#,
        r#"["1","1","room:a","phx_join",{}]"#,
    ] {
        assert_eq!(rendered(text).unwrap(), text.as_bytes());
    }
}

#[test]
fn a_text_that_means_nothing_is_refused() {
    for (text, part) in [
        (r"\q", "`\\q` is no escape"),
        (r"\x4", "is no escape"),
        (r"\x4é", "is no escape"),
        ("a\\", "is no escape"),
        ("{who}", "there is no variable {who}"),
        ("${}", "there is no variable ${"),
        ("${A", "there is no variable ${A"),
        ("${NOT_SET}", "no such variable is set"),
        ("@g", "@g: no such file"),
        ("$99999999999999999999999", "there is no variable $9999"),
    ] {
        let error = rendered(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_pattern_compiles_and_matches_a_sign_at_least() {
    for (text, part) in [
        ("(", "is no regular expression: unclosed group"),
        ("a*", "may match nothing at all"),
        ("^", "may match nothing at all"),
        (r"\b", "may match nothing at all"),
        ("(|x)", "may match nothing at all"),
        ("", "may match nothing at all"),
        (r"[a&&b]", "matches no text whatever"),
        (r"\w{5000}", "is too large"),
        (r"(\d{1000}){1000}", "is too large"),
        ("(?x) a # note", "is no regular expression"),
    ] {
        let error = Pattern::new(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    let whole = Pattern::new("2|3").unwrap().compile_whole();
    assert!(whole.is_match(b"3") && !whole.is_match(b"23") && !whole.is_match(b"3\n"));
}

#[test]
fn an_instant_has_a_place_a_unit_and_a_clock() {
    for (text, place) in [
        ("/at:ms", "/at"),
        ("re:t=(\\d+):us@monotonic", "re:t=(\\d+)"),
        (":ns", ""),
        ("/a:b:s", "/a:b"),
        ("re:(?:x|y)@(.+):rfc3339", "re:(?:x|y)@(.+)"),
    ] {
        let stamp: StampSpec = text.parse().unwrap();
        assert_eq!(stamp.place.to_string(), place);
        assert_eq!(stamp.to_string(), text);
    }
    for text in ["/at", "/at:h", "/at:ms@sundial", "/at:rfc3339@monotonic", "at:ms", "re:(:ms"] {
        assert!(text.parse::<StampSpec>().is_err(), "{text}");
    }
    assert!("/a~2".parse::<Locator>().is_err() && "n".parse::<Locator>().is_err());
    let pointer: Pointer = "/a~1b/~0/~01".parse().unwrap();
    assert_eq!(
        (pointer.steps(), pointer.to_string().as_str()),
        (&["a/b".to_owned(), "~".to_owned(), "~1".to_owned()][..], "/a~1b/~0/~01")
    );
}

#[test]
fn rules_that_do_not_go_together_are_refused() {
    use Transport::{LongPoll, ShortPoll, Sse, Websocket};
    let cases = [
        (Websocket, "", "say where messages have their number"),
        (Websocket, "seq = '/n'\nno-seq = true", "say where messages have their number"),
        (Websocket, "no-seq = true\nkey = '/k'", "--key names counters"),
        (Sse, "no-seq = true\nsend = ['a']", "`-t websocket` alone"),
        (Sse, "no-seq = true\njoined = true\nmessage = 'a'", "`-t websocket` alone"),
        (ShortPoll, "no-seq = true\nready = 'a'", "--ready goes with"),
        (Websocket, "no-seq = true\njoined = true", "--joined needs"),
        (Websocket, "no-seq = true\nmessage-len = '\\d'", "--message-len needs a group"),
        (LongPoll, "no-seq = true\ncursor = '/c'", "one needs the other"),
        (LongPoll, "no-seq = true\npath = '/{cursor}'", "one needs the other"),
        (Sse, "no-seq = true\npath = '/{cursor}'\ncursor = '/c'", "`-t long-poll` alone"),
        (Websocket, "no-seq = true\nevent = 'e'", "server-sent events"),
        (Websocket, "no-seq = true\nsend = ['$1']", "no variable $1"),
        (Websocket, "no-seq = true\npath = '/{client}'", "no variable {client}"),
        (Websocket, "no-seq = true\nsubprotocol = ['a, b']", "--subprotocol"),
        (Websocket, "no-seq = true\norigin = \"a\\r\\nb\"", "--origin"),
    ];
    for (transport, rules, part) in cases {
        let rules: Rules = toml::from_str(rules).unwrap();
        let error = rules.check(transport).unwrap_err().to_string();
        assert!(error.contains(part), "{rules:?}: {error}");
    }
    for malformed in [
        "reply = ['a']",
        "reply = ['a=>$1']",
        "reply = ['(=>b']",
        "each = ['a']",
        "each = ['0s=>a']",
        "each = ['1s=>{cursor}']",
        "header = ['a']",
        "header = ['a b: c']",
        "header = ['Host: x']",
        "header = ['X: {client}']",
        "messages = 'x'",
    ] {
        assert!(toml::from_str::<Rules>(malformed).is_err(), "{malformed}");
    }
}

#[test]
fn secrets_are_hidden_wherever_they_are_repeated() {
    let mut rules: Rules = toml::from_str(
        "no-seq = true\npath = '/a?key=abcdefgh&b=1'\nsend = ['${TOKEN}']\n\
         header = ['authorization: Bearer token-12345', 'Cookie: sid=cookie-1234; b=2', 'X: plain']",
    )
    .unwrap();
    rules.resolve(&World).unwrap();
    let hide = |text: &str| rules.secrets.hide(text);
    assert_eq!(hide("--header=Authorization: Bearer token-12345"), "--header=Authorization: ***");
    assert_eq!(hide("user token-12345, session cookie-1234"), "user ***, session ***");
    assert_eq!(hide("GET /a?key=abcdefgh&b=1"), "GET /a?***");
    assert_eq!(
        (hide("s3cret key abcdefgh"), hide("X: plain")),
        ("*** key ***".to_owned(), "X: plain".to_owned())
    );
    assert!(!format!("{:?}", rules.secrets).contains("token"));
    let mut lines: Rules = toml::from_str("header = ['X: ${LINES}']").unwrap();
    let error = lines.resolve(&World).unwrap_err().to_string();
    assert!(error.contains("header field") && !error.contains('b'.to_string().repeat(2).as_str()));
}
