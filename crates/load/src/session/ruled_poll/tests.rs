use pushbench_core::{Contender, Delivery};

use crate::session::tests::{Heard, call, feed, plan};
use crate::session::*;

fn session(contender: Contender, rules: &str) -> Box<dyn Session> {
    let rules: pushbench_core::rules::Rules = toml::from_str(rules).unwrap();
    rules.check(contender.transport).unwrap();
    let mut plan = plan(contender, Delivery::Every);
    plan.subject.path = Some(rules.plain_path().unwrap_or_else(|| "/price".to_owned()));
    plan.subject.rules = Some(rules);
    Sessions::new(&plan).session(0)
}

fn answer(fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{fields}\r\n{body}").into_bytes()
}

/// All that a client hears of an answer to the poll of its next period.
fn polled(session: &mut dyn Session, wire: &[u8]) -> Heard {
    let asked = call(|out| session.tick(out));
    assert_eq!((asked.requests, asked.skipped), (1, 0));
    let heard = feed(session, wire, 5).unwrap();
    assert_eq!((heard.requests, heard.demand), (0, Demand::Keep), "it waits for its period");
    heard
}

/// Numbers of messages, and whether the poll was for nothing.
fn counts(heard: &Heard) -> (Vec<u64>, u32) {
    let numbers = heard.stamped.iter().map(|message| message.seq.map_or(0, |seq| seq.0));
    (numbers.collect(), heard.empty)
}

#[test]
fn a_value_that_is_polled_is_new_when_its_number_changes() {
    let mut session = session(Contender::SHORT_POLL, "seq = '/n'");
    let asked = call(|out| session.opened(out));
    assert!(asked.text().starts_with("GET /price HTTP/1.1\r\n"), "{}", asked.text());
    let heard = feed(&mut *session, &answer("", "{\"n\":4}"), 3).unwrap();
    assert_eq!((counts(&heard), heard.subscribed), ((vec![4], 0), 1));
    assert_eq!(heard.layers()[0], 7);
    let again = polled(&mut *session, &answer("ETag: \"x\"\r\n", "{\"n\":4, \"p\":1}"));
    assert_eq!(counts(&again), (vec![], 1), "the same number is no news, whatever is beside it");
    assert_eq!(counts(&polled(&mut *session, &answer("", "{\"n\":6}"))), (vec![6], 0));
    assert_eq!(counts(&polled(&mut *session, &answer("", "{\"n\":5}"))), (vec![5], 0));
    let none = b"HTTP/1.1 304 Not Modified\r\n\r\n";
    assert_eq!(counts(&polled(&mut *session, none)), (vec![], 1));
}

#[test]
fn a_value_without_a_number_is_new_when_its_instant_its_tag_or_its_body_changes() {
    let mut by_stamp = session(Contender::SHORT_POLL, "no-seq = true\nstamp = '/t:ms'");
    call(|out| by_stamp.opened(out));
    feed(&mut *by_stamp, &answer("", "{\"t\":1700000000001}"), 1000).unwrap();
    assert_eq!(
        polled(&mut *by_stamp, &answer("", "{\"t\":1700000000001,\"x\":2}")).stamped.len(),
        0
    );
    assert_eq!(polled(&mut *by_stamp, &answer("", "{\"t\":1700000000002}")).stamped.len(), 1);
    let mut session = session(Contender::SHORT_POLL, "no-seq = true");
    call(|out| session.opened(out));
    let first = feed(&mut *session, &answer("ETag: \"1\"\r\n", "a"), 1000).unwrap();
    assert_eq!(first.stamped.len(), 1);
    let cases = [
        ("ETag: \"1\"\r\n", "b", 0),
        ("ETag: \"2\"\r\n", "b", 1),
        ("", "b", 0),
        ("", "c", 1),
        ("", "", 0),
    ];
    for (tag, body, news) in cases {
        let heard = polled(&mut *session, &answer(tag, body));
        assert_eq!((heard.stamped.len(), heard.empty), (news, 1 - news as u32), "{tag}{body}");
    }
}

#[test]
fn of_several_values_in_a_body_those_are_told_that_changed() {
    let rules = "message = '\\{[^}]*\\}'\nseq = '/n'\nkey = '/s'";
    let mut session = session(Contender::SHORT_POLL, rules);
    call(|out| session.opened(out));
    let body = |a: u32, b: u32| format!("[{{\"s\":\"a\",\"n\":{a}}},{{\"s\":\"b\",\"n\":{b}}}]");
    let heard = feed(&mut *session, &answer("", &body(1, 1)), 1000).unwrap();
    assert_eq!(counts(&heard), (vec![1, 1], 0));
    assert_eq!(counts(&polled(&mut *session, &answer("", &body(1, 2)))), (vec![2], 0));
}

#[test]
fn a_long_poll_goes_on_from_the_place_that_its_answer_names() {
    let rules = "path = '/poll?since={cursor}'\ncursor = '/next'\nmessage = '\\{\"n\":\\d+\\}'\n\
                 seq = '/n'";
    let mut session = session(Contender::LONG_POLL, rules);
    let asked = call(|out| session.opened(out));
    assert!(asked.text().starts_with("GET /poll?since= HTTP/1.1\r\n"), "{}", asked.text());
    assert_eq!(asked.subscribed, 1);
    let body = "{\"next\":\"a b+c\",\"m\":[{\"n\":1},{\"n\":2}]}";
    let heard = feed(&mut *session, &answer("", body), 5).unwrap();
    assert_eq!((counts(&heard), heard.requests), ((vec![1, 2], 0), 1));
    assert!(heard.text().starts_with("GET /poll?since=a%20b%2Bc HTTP/1.1\r\n"), "{}", heard.text());
    // What comes twice in pages was sent twice.
    let heard = feed(&mut *session, &answer("", body), 5).unwrap();
    assert_eq!(counts(&heard), (vec![1, 2], 0));
    let heard = feed(&mut *session, &answer("", "{\"next\":\"d\",\"m\":[]}"), 5).unwrap();
    assert_eq!((counts(&heard), heard.demand), ((vec![], 1), Demand::AskAgain));
    let error = feed(&mut *session, b"", 5);
    assert!(error.is_ok());
    let again = call(|out| session.ask_again(out));
    assert!(again.text().starts_with("GET /poll?since=d "), "{}", again.text());
}

#[test]
fn a_page_that_does_not_say_where_it_goes_on_is_told() {
    let rules = "path = '/poll?since={cursor}'\ncursor = '/nxt'\nmessage = '\\{\"n\":\\d+\\}'\n\
                 seq = '/n'";
    let rules: pushbench_core::rules::Rules = toml::from_str(rules).unwrap();
    let mut plan = plan(Contender::LONG_POLL, Delivery::Every);
    plan.subject.path = Some("/poll?since=".to_owned());
    plan.subject.rules = Some(rules);
    let sessions = Sessions::new(&plan);
    let mut session = sessions.session(0);
    call(|out| session.opened(out));
    feed(&mut *session, &answer("", "{\"next\":3,\"m\":[]}"), 100).unwrap();
    assert_eq!(sessions.found().unreadable, 0, "there was nothing to go on from");
    call(|out| session.ask_again(out));
    feed(&mut *session, &answer("", "{\"next\":4,\"m\":[{\"n\":3}]}"), 100).unwrap();
    let found = sessions.found();
    assert_eq!(found.unreadable, 1);
    let first = found.first_unreadable.unwrap();
    assert!(first.starts_with("--cursor finds nothing in `{\"next\":4"), "{first}");
}

#[test]
fn a_long_poll_without_a_cursor_gives_back_the_tag_if_there_is_one() {
    let mut session = session(Contender::LONG_POLL, "seq = '/n'");
    call(|out| session.opened(out));
    let heard = feed(&mut *session, &answer("", "{\"n\":1}"), 5).unwrap();
    assert!(heard.requests == 1 && !heard.text().contains("If-None-Match"), "{}", heard.text());
    let heard = feed(&mut *session, &answer("ETag: W/\"2\"\r\n", "{\"n\":2}"), 5).unwrap();
    assert!(heard.text().contains("\r\nIf-None-Match: W/\"2\"\r\n"), "{}", heard.text());
    let stale = feed(&mut *session, &answer("ETag: W/\"2\"\r\n", "{\"n\":2}"), 5).unwrap();
    assert_eq!((counts(&stale), stale.demand), ((vec![], 0), Demand::AskAgain));
}
