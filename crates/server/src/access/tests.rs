use std::net::{IpAddr, Ipv4Addr};

use super::*;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const LOOPBACK: &str = "127.0.0.1:8080";

fn fields<'a>(fields: &[(&'a str, &'a str)]) -> Claims<'a> {
    let mut claims = Claims::default();
    fields.iter().for_each(|(name, value)| claims.take(name, value.as_bytes()));
    claims
}

fn asked(is_for_people: bool) -> Asked<'static> {
    Asked { is_for_people, version: Version::HTTP_11, authority: None, is_loopback: true }
}

fn access(hosts: &[&str], origins: &[&str]) -> Access {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    Access::new(hosts, origins).listening_on(LOOPBACK.parse().unwrap(), false)
}

/// The status of a refusal; 200 for none.
fn status(access: &Access, claims: &[(&str, &str)], asked: Asked<'_>) -> u16 {
    access.admit(&fields(claims), asked).map_or_else(|refusal| refusal.status().as_u16(), |_| 200)
}

#[test]
fn a_request_says_once_and_rightly_whom_it_is_for() {
    let access = access(&[], &[]);
    let poll = asked(false);
    let old = Asked { version: Version::HTTP_10, ..poll };
    for (claims, asked, expected) in [
        (&[("Host", LOOPBACK)][..], poll, 200),
        (&[("hOST", "localhost")], poll, 200),
        (&[], poll, 400),
        (&[], old, 200),
        (&[("Host", "")], old, 400),
        (&[("Host", LOOPBACK), ("Host", LOOPBACK)], poll, 400),
        (&[("Host", LOOPBACK), ("host", LOOPBACK)], old, 400),
        (&[("Host", "a b")], poll, 400),
        (&[("Host", "127.0.0.1:8080, evil.example")], poll, 400),
    ] {
        assert_eq!(status(&access, claims, asked), expected, "{claims:?}");
    }
}

#[test]
fn over_loopback_only_its_names_are_hosts() {
    let allowing = access(&["dev.example", "api.example:81"], &[]);
    let poll = asked(false);
    for (host, expected) in [
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("0.0.0.0:8080", 421),
        ("dev.example:8080", 200),
        ("DEV.example.", 200),
        ("api.example:81", 200),
        ("api.example", 421),
        ("x.dev.example", 421),
    ] {
        assert_eq!(status(&allowing, &[("Host", host)], poll), expected, "{host}");
        // The page itself too, else its script would run under that name.
        assert_eq!(status(&allowing, &[("Host", host)], asked(true)), expected, "{host}");
        let elsewhere = Asked { is_loopback: false, ..poll };
        assert_eq!(status(&allowing, &[("Host", host)], elsewhere), 200, "{host}");
    }
    let absolute = Asked { authority: Some(b"evil.example"), ..poll };
    assert_eq!(status(&allowing, &[("Host", LOOPBACK)], absolute), 421);
}

#[test]
fn a_page_of_another_origin_is_refused() {
    let none = access(&[], &[]);
    let host = ("Host", "localhost:8080");
    for (claims, expected) in [
        (&[host, ("Origin", "http://localhost:8080")][..], 200),
        (&[host, ("Origin", "http://localhost:3000")], 403),
        (&[host, ("Origin", "http://127.0.0.1:8080")], 403),
        (&[host, ("Origin", "null")], 403),
        (&[host, ("Origin", "")], 403),
        (&[host, ("Origin", "http://localhost:8080"), ("Origin", "http://localhost:8080")], 403),
        (&[host, ("Sec-Fetch-Site", "cross-site")], 403),
        (&[host, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")], 403),
        (&[host, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")], 200),
        (&[host, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors")], 200),
        (&[("Host", LOOPBACK), ("Origin", "http://evil.example")], 403),
    ] {
        assert_eq!(status(&none, claims, asked(false)), expected, "{claims:?}");
        assert_eq!(status(&none, claims, asked(true)), 200, "{claims:?}");
    }
    let old = Asked { version: Version::HTTP_10, ..asked(false) };
    assert_eq!(status(&none, &[("Origin", "http://localhost")], old), 403);
}

#[test]
fn a_page_that_came_in_clear_is_foreign_to_a_server_that_speaks_tls() {
    let secured = |port| Access::default().listening_on(SocketAddr::new(LOCALHOST, port), true);
    for (port, host, origin, expected) in [
        (8443, "localhost:8443", "https://localhost:8443", 200),
        (8443, "localhost:8443", "http://localhost:8443", 403),
        (443, "localhost", "https://localhost", 200),
        (443, "localhost", "https://localhost:443", 200),
        (443, "localhost", "http://localhost", 403),
    ] {
        let claims = [("Host", host), ("Origin", origin)];
        assert_eq!(status(&secured(port), &claims, asked(false)), expected, "{origin}");
    }
    // A proxy may speak TLS where the server does not.
    let claims = [("Host", LOOPBACK), ("Origin", "https://127.0.0.1:8080")];
    assert_eq!(status(&access(&[], &[]), &claims, asked(false)), 200);
}

#[test]
fn an_origin_that_is_allowed_is_told_so() {
    let some = access(&[], &["http://dev.example:3000", "null"]);
    let host = ("Host", LOOPBACK);
    let admitted =
        |access: &Access, origin| access.admit(&fields(&[host, ("Origin", origin)]), asked(false));
    let told = |access: &Access, origin| {
        admitted(access, origin).unwrap().fields(access).first().map(|field| field.1.to_owned())
    };
    assert_eq!(told(&some, "http://dev.example:3000").as_deref(), Some("http://dev.example:3000"));
    assert_eq!(told(&some, "null").as_deref(), Some("null"));
    assert_eq!(told(&some, "http://127.0.0.1:8080"), None);
    assert!(admitted(&some, "http://dev.example").is_err());
    // Which origin it is remains unsaid, so only a rule for all lets it in.
    let unsaid = [host, ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(status(&some, &unsaid, asked(false)), 403);
    let any = access(&[], &["*"]);
    assert_eq!(told(&any, "http://evil.example").as_deref(), Some("*"));
    assert_eq!(status(&any, &unsaid, asked(false)), 200);
}

#[test]
fn the_clients_of_a_profile_are_let_in() {
    let text = "name = 'x'\n[request]\nheaders = [['Host', 'www.example'], ['Origin', 'https://app.example']]\n\
                [response]\nheaders = []";
    let profile = HeaderProfile::parse(text).unwrap();
    let access = Access::of_profile(&profile);
    let claims = fields(&[("Host", "www.example"), ("Origin", "https://app.example")]);
    assert_eq!(access.admit(&claims, asked(false)), Ok(Cors::NONE));
    for name in pushbench_protocol::headers::names() {
        let profile = HeaderProfile::built_in(name).unwrap();
        let access = Access::of_profile(&profile);
        for list in profile.request.lists() {
            let values: Vec<(&str, String)> = list
                .iter()
                .map(|header| {
                    let value = header.value().replace("{host}", LOOPBACK);
                    (header.name(), value.replace("{scheme}", "http"))
                })
                .collect();
            let claims: Vec<(&str, &str)> =
                values.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(access.admit(&fields(&claims), asked(false)), Ok(Cors::NONE), "{name}");
        }
    }
}
