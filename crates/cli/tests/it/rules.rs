//! `load` against an application: rules that are none are refused before anything starts, and what
//! is secret shows nowhere.
use std::net::TcpListener;
use std::process::Output;

use crate::common::{outcome, pushbench};

/// Runs `load` on a port of this machine, where nobody must be asked: its output, and whether anybody
/// was.
fn load(flags: &[&str], variables: &[(&str, &str)]) -> (Output, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let args = [&["load", "--target", &target, "-c", "1", "-d", "1s"], flags].concat();
    let output = pushbench(folder.path(), &args).envs(variables.iter().copied()).output().unwrap();
    let written = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(written, 0, "nothing is written where nothing is measured");
    (output, listener.accept().is_ok())
}

#[test]
fn rules_that_are_none_are_refused_before_anything_starts() {
    let cases: [(&[&str], &str); 23] = [
        (&["--seq", "/n"], "name it with `-t`"),
        (&["-t", "websocket", "-t", "sse", "--seq", "/n"], "name it with `-t`"),
        (&["-t", "websocket", "--stamp", "/at:ms"], "--stamp goes with --seq"),
        (&["-t", "websocket", "--send", "x"], "--send goes with --seq"),
        (&["-t", "websocket", "--seq", "n"], "is no place in a message"),
        (&["-t", "websocket", "--seq", "re:("], "is no regular expression"),
        (&["-t", "websocket", "--no-seq", "--message", ".*"], "may match nothing at all"),
        (&["-t", "websocket", "--no-seq", "--message", r"\w{9999}"], "is too large"),
        (&["-t", "websocket", "--no-seq", "--stamp", "/at:hours"], "says no instant"),
        (&["-t", "websocket", "--no-seq", "--send", "{user}"], "there is no variable {user}"),
        (&["-t", "websocket", "--no-seq", "--send", "$1"], "there is no variable $1"),
        (&["-t", "websocket", "--no-seq", "--send", "${NOT_SET_HERE}"], "no such variable is set"),
        (&["-t", "websocket", "--no-seq", "--send", "@none"], "@none: No such file"),
        (&["-t", "websocket", "--no-seq", "--reply", "2"], "write REGEX=>TEXT"),
        (&["-t", "websocket", "--no-seq", "--reply", "2=>$1"], "there is no variable $1"),
        (
            &["-t", "websocket", "--no-seq", "--reply", "hi=>a", "--reply", "hi=>b"],
            "only the first would answer",
        ),
        (&["-t", "websocket", "--no-seq", "--each", "2=ping"], "write TIME=>TEXT"),
        (&["-t", "sse", "--no-seq", "--send", "x"], "`-t websocket` alone"),
        (
            &["-t", "websocket", "--no-seq", "--joined", "--message", "^a"],
            "with --joined there is no beginning",
        ),
        (&["-t", "long-poll", "--no-seq", "--path", "/{cursor}"], "one needs the other"),
        (&["-t", "websocket", "--no-seq", "--path", "ws?k=s3cret"], "--path ws?***: it begins"),
        (&["-t", "websocket", "--no-seq", "--header", "Authorization s3cret"], "`Name: value`"),
        (&["-t", "websocket", "--no-seq", "--path", "/x", "--feed", "feed.json"], "leave one out"),
    ];
    for (flags, part) in cases {
        let (output, was_asked) = load(flags, &[]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {errors}");
        assert!(errors.contains(part), "{flags:?}: {errors}");
        assert!(!errors.contains("s3cret") && !was_asked, "{flags:?}: {errors}");
    }
}

#[test]
fn a_secret_shows_in_no_error() {
    let secret = [("TOKEN", "s3cret\nline")];
    let header = ["-t", "sse", "--no-seq", "--header", "X-Token: ${TOKEN}"];
    for flags in [&header[..], &["-t", "sse", "--no-seq", "--path", "/x?${TOKEN}"]] {
        let (output, _) = load(flags, &secret);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(!errors.contains("s3cret"), "{errors}");
    }
}

/// 192.0.2.1 is an address of nobody's (RFC 5737), which is never asked.
#[test]
fn an_application_elsewhere_is_loaded_only_where_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let run = |yes: &[&str]| {
        let load = ["load", "--target", "http://192.0.2.1:80", "-c", "700", "-t", "short-poll"];
        let rules = ["--poll-interval", "500ms", "--no-seq"];
        let (status, _, errors) = outcome(folder.path(), &[&load[..], &rules, yes].concat());
        (Some(status), errors)
    };
    let (status, errors) = run(&[]);
    assert_eq!(status, Some(2), "{errors}");
    assert!(errors.contains("700 clients") && errors.contains("1400 requests/s"), "{errors}");
    assert!(errors.contains("--yes-load 192.0.2.1 says that it may be loaded"), "{errors}");
    let (status, errors) = run(&["--yes-load", "app.example"]);
    assert_eq!(status, Some(2), "{errors}");
    assert!(errors.contains("is not the target's host, which is 192.0.2.1"), "{errors}");
}
