use super::*;

/// A subject with these lines before its program.
fn parse(lines: &str) -> Result<Subject, String> {
    Subject::parse(&format!("{lines}\n[program]\ncommand = [\"server\", \"{{port}}\"]"))
}

const MINE: &str = "name = \"mine\"\nabout = \"mine\"\n";

#[test]
fn each_file_that_is_built_in_is_a_subject_with_what_it_needs() {
    for subject in Subject::built_in() {
        assert!(!subject.program.needs.is_empty(), "{}", subject.name);
        assert!(subject.program.version.is_some(), "{}", subject.name);
        assert!(Subject::text(subject.name.as_str()).is_some());
        let json = serde_json::to_string(subject).unwrap();
        assert_eq!(&serde_json::from_str::<Subject>(&json).unwrap(), subject);
    }
}

#[test]
fn what_cannot_be_is_refused_by_its_key() {
    let sse = "[transports.sse]\npath = \"/a\"";
    for (text, part) in [
        (format!("{MINE}publish = \"stdin\"\n[transports]"), "transports: there has to be one"),
        (
            format!("{MINE}publish = \"stdin\"\n[transports.short-poll]\npath = \"/a\""),
            "transports.short-poll: say by what an answer that is new",
        ),
        (
            format!("{MINE}publish = \"stdin\"\n[transports.sse]\npath = \"a\""),
            "transports.sse: a path",
        ),
        (
            format!("{MINE}publish = \"stdin\"\n{sse}\nevent = \"a\\nb\""),
            "transports.sse: it is one line",
        ),
        (
            format!(
                "{MINE}publish = \"stdin\"\n[transports.websocket]\npath = \"/a\"\nevent = \"x\""
            ),
            "goes with sse alone",
        ),
        (format!("{MINE}publish = {{ post = {{ path = \"/p q\" }} }}\n{sse}"), "publish: a path"),
        (
            format!("{MINE}publish = {{ post = {{ path = \"/p\", port = \"admin\" }} }}\n{sse}"),
            "no port `admin`",
        ),
        (format!("{MINE}publish = \"mail\"\n{sse}"), "mail"),
        (
            format!("name = \"pushbench\"\nabout = \"x\"\npublish = \"stdin\"\n{sse}"),
            "name: it has 1 to 64",
        ),
        (
            format!("{MINE}publish = \"stdin\"\n{sse}\nrules = {{ seq = \"/n\", send = [\"x\"] }}"),
            "transports.sse.rules: --send, --reply and --each go with",
        ),
        (
            format!("{MINE}publish = \"stdin\"\n{sse}\nrules = {{ seq = \"/n\", path = \"/b\" }}"),
            "transports.sse.rules: path and event stand beside",
        ),
        (
            format!("{MINE}publish = \"stdin\"\n{sse}\nrules = {{ no-seq = true }}"),
            "transports.sse.rules: say where messages have their number",
        ),
        (
            format!(
                "{MINE}publish = \"stdin\"\n[transports.short-poll]\npath = \"/a\"\n\
                 rules = {{ seq = \"/n\" }}"
            ),
            "transports.short-poll: an answer that is one message can promise the newest alone",
        ),
        (format!("{MINE}publish = {{ tcp = {{ port = \"client\" }} }}\n{sse}"), "no port `client`"),
        (format!("name = \"a b\"\nabout = \"x\"\npublish = \"stdin\"\n{sse}"), "name: it has"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

/// A page that says where the next one begins is asked for by that, in the path under its transport.
#[test]
fn a_path_says_where_a_poll_goes_on() {
    let poll = |path: &str| {
        let rules = "{ seq = \"/n\", cursor = \"/next\", message = \"x.\" }";
        parse(&format!(
            "{MINE}publish = \"stdin\"\n[transports.long-poll]\npath = \"{path}\"\nrules = {rules}"
        ))
    };
    assert!(poll("/a?since={cursor}").is_ok());
    let error = poll("/a").unwrap_err();
    assert!(error.contains("--cursor says what {cursor} in --path is"), "{error}");
}

#[test]
fn a_transport_is_offered_in_clear_and_as_it_is_and_in_tls_behind_a_proxy() {
    let text = format!("{MINE}publish = \"stdin\"\n[transports.sse]\npath = \"/a\"");
    let subject = parse(&text).unwrap();
    let offers = |name: &str, behind| {
        subject.endpoint(name.parse().unwrap(), Delivery::Every, behind).is_some()
    };
    assert!(offers("sse", false) && offers("sse", true) && offers("sse+tls", true));
    for name in ["sse+tls", "sse+gzip", "websocket", "long-poll"] {
        assert!(!offers(name, false), "{name}");
    }
}

#[test]
fn a_transport_is_offered_with_its_promise_alone() {
    let polls =
        "[transports.short-poll]\npath = \"/a\"\ndelivery = \"latest\"\nrules = { seq = \"/n\" }";
    let streams = "[transports.sse]\npath = \"/b\"";
    let subject = parse(&format!("{MINE}publish = \"stdin\"\n{polls}\n{streams}")).unwrap();
    let offers = |contender, delivery| subject.endpoint(contender, delivery, false).is_some();
    assert!(offers(Contender::SHORT_POLL, Delivery::Latest));
    assert!(!offers(Contender::SHORT_POLL, Delivery::Every));
    assert!(offers(Contender::SSE, Delivery::Every) && !offers(Contender::SSE, Delivery::Latest));
}

/// Whoever starts from the file that the docs show is not to be stopped by it.
#[test]
fn the_file_that_the_docs_show_is_a_subject() {
    let docs = include_str!("../../../../docs/bring-your-own-server.md");
    let (_, file) = docs.split_once("```toml\n").unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let subject = Subject::parse(file).unwrap();
    let polled = &subject.transports[&Transport::ShortPoll];
    let rules = polled.rules(Transport::ShortPoll, &Variables(|_: &str| None)).unwrap().unwrap();
    assert_eq!(rules.seq.unwrap().to_string(), r"re:(\d{10})");
    // What it shows as comments is as good, in the place of what stands there.
    let rules = file.lines().filter_map(|line| line.strip_prefix("# rules = "));
    let others = file.lines().filter_map(|line| line.strip_prefix("# path = ")).zip(rules);
    for (path, rules) in others {
        let text = format!("path = {path}\nrules = {rules}");
        let endpoint: Endpoint = toml::from_str(&text).unwrap();
        endpoint.check(Transport::LongPoll).unwrap();
    }
}

/// A record holds a subject's description, so that the description holds no token.
#[test]
fn credentials_are_named_by_a_variable_and_kept_in_no_file() {
    let with = |header: &str| {
        let rules = format!("rules = {{ seq = \"/n\", header = [\"{header}\"] }}");
        let sse = format!("[transports.sse]\npath = \"/a\"\n{rules}");
        parse(&format!("{MINE}publish = \"stdin\"\n{sse}")).unwrap()
    };
    for kept in [
        "Authorization: Bearer s3cret",
        "cookie: id=1",
        "Cookie: id=s3cret; theme=${THEME}",
        "Cookie: theme=${THEME}; id=s3cret",
        "X-Api-Key: s3cret",
    ] {
        let error = with(kept).check_file().unwrap_err();
        let name = kept.split(':').next().unwrap();
        assert!(error.contains(&format!("such as `{name}: ${{TOKEN}}`")), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    for fine in ["X-Tenant: seven", "Cookie: id=${TOKEN}; theme=${THEME}", "X-Api-Key: ${TOKEN}"] {
        assert_eq!(with(fine).check_file(), Ok(()), "{fine}");
    }
    let named = with("Authorization: Bearer ${TOKEN}");
    assert_eq!(named.check_file(), Ok(()));
    assert!(serde_json::to_string(&named).unwrap().contains("Bearer ${TOKEN}"));
    let unset = named.check_variables(&Variables(|_: &str| None)).unwrap_err();
    assert!(unset.starts_with("transports.sse.rules: ${TOKEN}: no such variable"), "{unset}");
    let set = Variables(|name: &str| (name == "TOKEN").then(|| "s3cret".to_owned()));
    assert_eq!(named.check_variables(&set), Ok(()));
    let rules = named.transports[&Transport::Sse].rules(Transport::Sse, &set).unwrap().unwrap();
    assert_eq!(rules.header[0].value().unwrap(), "Bearer s3cret");
    assert_eq!(rules.secrets.hide("of Bearer s3cret"), "of ***");
}

#[test]
fn a_stamp_is_refused_where_the_feed_says_when_messages_were_due() {
    let sse = "[transports.sse]\npath = \"/a\"\nrules = { seq = \"/n\", stamp = \"/at:ms\" }";
    let subject = parse(&format!("{MINE}publish = \"stdin\"\n{sse}")).unwrap();
    assert!(subject.check_file().unwrap_err().ends_with("leave stamp out"));
}
