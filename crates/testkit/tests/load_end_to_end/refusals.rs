//! Connections that cannot be secured: found at once, tried once, and told with a remedy.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use pushbench_core::security::{ClientSecurity, Credentials};
use pushbench_core::tls::{CertificateKey, Tls, Version};
use pushbench_core::{Contender, Delivery};
use pushbench_metrics::record::control::{LoadNews, LoadOrder, LoadPlan};
use pushbench_server::ServerConfig;
use pushbench_testkit::started::{StartedServer, config};
use pushbench_tls::self_signed;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::tls::{channel, trusting};
use super::{RunningLoad, feed, plan};

const EVERY_SHAPE: [Contender; 5] = [
    Contender::SHORT_POLL,
    Contender::SHORT_POLL_CLOSE,
    Contender::LONG_POLL,
    Contender::SSE,
    Contender::WEBSOCKET,
];

fn credentials() -> Credentials {
    self_signed(&["localhost".to_owned()], CertificateKey::P256).expect("a certificate is made")
}

fn server(credentials: &Credentials, tls: &Tls) -> StartedServer {
    let channel = channel(credentials, tls);
    StartedServer::start(ServerConfig { channel, ..config(feed(3)) })
}

/// What the load generator says to clients of each kind, none of whom connects, and none of whom tries
/// again, although there is all the time of the world.
fn refusals(target: SocketAddr, security: Option<&ClientSecurity>) -> Vec<String> {
    let refusal = |contender| {
        let load = RunningLoad::start(LoadPlan {
            security: security.cloned(),
            connect_timeout: Duration::from_secs(3_600),
            ..plan(target, contender, Delivery::Every)
        });
        assert_eq!(load.hear(), LoadNews::Ready);
        load.orders.send(LoadOrder::Connect);
        let LoadNews::Connected { clients, error, attempts } = load.hear() else {
            panic!("connecting has an end")
        };
        assert_eq!((clients, attempts.repeated), (0, 0));
        load.orders.send(LoadOrder::Stop);
        load.thread.join().expect("the load generator does not panic");
        let error = error.expect("it says why");
        let (client, reason) = error.split_once(": ").expect("it says who");
        assert!(client.starts_with("client "), "{error}");
        reason.to_owned()
    };
    EVERY_SHAPE.map(refusal).into()
}

/// What all of them say behind `cannot secure the connection to …`.
fn unsecured(target: SocketAddr, security: &ClientSecurity) -> String {
    let said = refusals(target, Some(security));
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:#?}");
    let reason = said[0].strip_prefix(&format!("cannot secure the connection to {target}: "));
    reason.unwrap_or_else(|| panic!("{}", said[0])).to_owned()
}

#[test]
fn a_certificate_that_nobody_known_has_issued() {
    let (own, other, tls) = (credentials(), credentials(), Tls::default());
    let server = server(&own, &tls);
    let said = unsecured(server.addr(), &trusting(&other, "localhost", &tls));
    assert_eq!(
        said,
        "the server's certificate is not trusted: no known authority has issued it; name its \
         authority with --ca FILE, or pass --insecure"
    );
}

#[test]
fn a_certificate_for_another_name() {
    let (own, tls) = (credentials(), Tls::default());
    let server = server(&own, &tls);
    let said = unsecured(server.addr(), &trusting(&own, "example.org", &tls));
    assert_eq!(
        said,
        "the server's certificate is for another name: DnsName(\"localhost\") and not example.org; \
         ask for that, or pass --insecure"
    );
}

/// A certificate for localhost that is valid between these years.
fn valid(from: i32, until: i32) -> Credentials {
    let key = KeyPair::generate().expect("a key is made");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("the name is one");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    let certificate = params.self_signed(&key).expect("a certificate is made");
    Credentials { certificates: certificate.pem(), key: key.serialize_pem() }
}

#[test]
fn a_certificate_whose_time_is_over_or_has_not_come() {
    let tls = Tls::default();
    for (credentials, begins) in [
        (valid(2000, 2001), "the server's certificate expired "),
        (valid(3000, 3001), "the server's certificate will be valid in "),
    ] {
        let server = server(&credentials, &tls);
        let said = unsecured(server.addr(), &trusting(&credentials, "localhost", &tls));
        assert!(said.starts_with(begins) && said.contains(" days"), "{said}");
        let remedy = "; renew it, look at this machine's clock, or pass --insecure";
        assert!(said.ends_with(remedy), "{said}");
    }
}

#[test]
fn a_server_that_speaks_http_in_clear() {
    let server = StartedServer::feed(feed(3));
    let security = trusting(&credentials(), "localhost", &Tls::default());
    let said = unsecured(server.addr(), &security);
    assert_eq!(said, "the other end does not speak TLS at this address; is it http:// or ws://?");
}

#[test]
fn ends_that_have_no_version_in_common() {
    let of = |version: Version| Tls {
        versions: version.to_string().parse().expect("it is one"),
        ..Tls::default()
    };
    let own = credentials();
    let server = server(&own, &of(Version::V1_2));
    let said = unsecured(server.addr(), &trusting(&own, "localhost", &of(Version::V1_3)));
    assert_eq!(
        said,
        "the other end refused with the TLS alert ProtocolVersion: it has no version, cipher or \
         group of the key exchange in common with this end"
    );
}

#[test]
fn a_server_of_tls_that_is_asked_in_clear() {
    let server = server(&credentials(), &Tls::default());
    for said in refusals(server.addr(), None) {
        assert!(said.starts_with("the server answered 400 Bad Request to GET /feed/"), "{said}");
        let remedy = ": this port speaks TLS; ask for https:// or wss:// of it";
        assert!(said.ends_with(remedy), "{said}");
    }
}

#[test]
fn another_server_of_tls_that_is_asked_in_clear() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback is free");
    let target = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(b"\x15\x03\x03\x00\x02\x02\x0a");
        }
    });
    for said in refusals(target, None) {
        assert!(said.contains("(it is TLS: ask for https:// or wss://)"), "{said}");
    }
}
