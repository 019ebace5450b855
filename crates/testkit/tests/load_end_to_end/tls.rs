//! Trials in TLS, with a third party between load generator and server that counts what passes.

use std::sync::LazyLock;

use pushbench_core::contender::{Connection, Security};
use pushbench_core::security::{ClientSecurity, Credentials, ServerSecurity, Trust};
use pushbench_core::tls::{CertificateKey, Tls};
use pushbench_core::{Contender, Delivery, Shape};
use pushbench_metrics::observe::ledger::{Direction, Layer, Ledger, Phase};
use pushbench_metrics::record::control::LoadPlan;
use pushbench_server::{ChannelKind, ServerConfig};
use pushbench_testkit::started::{StartedServer, config};
use pushbench_testkit::tls_relay::{Counts, TlsRelay};
use pushbench_tls::{Acceptor, self_signed};

use super::{CLIENTS, Outcome, RunningLoad, feed, plan, play};

/// Bytes that a record of TLS 1.3 adds to its plaintext: header, content type, tag (RFC 8446 §5.2).
const RECORD: u64 = 22;

/// An alert, which is two bytes (RFC 8446 §6), in a record of its own.
const ALERT: u64 = RECORD + 2;

static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| {
    self_signed(&["localhost".to_owned()], CertificateKey::P256).expect("a certificate is made")
});

/// A server's channels with this certificate.
pub(super) fn channel(credentials: &Credentials, tls: &Tls) -> ChannelKind {
    let security = ServerSecurity { credentials: credentials.clone(), tls: tls.clone() };
    ChannelKind::Tls(Acceptor::new(&security).expect("the certificate can be used"))
}

/// Clients of `host` who trust the certificates of `credentials`.
pub(super) fn trusting(credentials: &Credentials, host: &str, tls: &Tls) -> ClientSecurity {
    let trust = Trust::Authorities(credentials.certificates.clone());
    ClientSecurity { host: host.to_owned(), trust, tls: tls.clone(), key_log: None }
}

fn secured(contender: Contender) -> Contender {
    Contender { stack: contender.stack.with_security(Security::Tls), ..contender }
}

/// A trial, and what passed until all clients were connected, and in all.
struct Relayed {
    outcome: Outcome,
    connected: Counts,
    all: Counts,
}

fn trial(contender: Contender, delivery: Delivery, tls: &Tls) -> Relayed {
    let feed = feed(3);
    let channel = channel(&CREDENTIALS, tls);
    let server = StartedServer::start(ServerConfig { channel, ..config(feed.clone()) });
    let relay = TlsRelay::before(server.addr());
    let security = Some(trusting(&CREDENTIALS, "localhost", tls));
    let load = RunningLoad::start(LoadPlan { security, ..plan(relay.addr(), contender, delivery) });
    load.connect();
    let connected = relay.counts();
    let outcome = play(&feed, server, load);
    let all = relay.rest();
    Relayed { outcome, connected, all }
}

/// Bytes of a layer in these phases.
fn sum(ledger: &Ledger, phases: &[Phase], direction: Direction, layer: Layer) -> u64 {
    phases.iter().map(|phase| ledger.phase(*phase).get(direction, layer)).sum()
}

/// Phases in which the feed runs.
const FEEDING: [Phase; 3] = [Phase::Warmup, Phase::Window, Phase::Drain];

impl Relayed {
    fn ledger(&self) -> &Ledger {
        &self.outcome.load.measured.ledger
    }

    /// Everything that is told of a trial in clear, and that TLS is the only difference.
    fn check(&self, contender: Contender) {
        self.outcome.check(contender);
        let audit = &self.outcome.load.measured.audit;
        assert_eq!(audit.delivered + audit.superseded, audit.expected);
        let agreed = self.outcome.load.agreed.as_ref().expect("it is told");
        assert_eq!((&agreed.version[..], &agreed.group[..]), ("1.3", "X25519MLKEM768"));
        self.check_bytes(Direction::Up, self.all.up.bytes);
        // Bytes may be on their way to a client that leaves.
        if self.all.cut == 0 {
            self.check_bytes(Direction::Down, self.all.down.bytes - self.unheard() * ALERT);
        }
        self.check_records(contender);
    }

    /// Goodbyes of the server in answer to those of clients, which have left by then.
    fn unheard(&self) -> u64 {
        let layers = [Layer::Payload, Layer::Framing, Layer::Http, Layer::Tls];
        let heard = layers.map(|layer| sum(self.ledger(), &Phase::ALL, Direction::Down, layer));
        let unheard = (self.all.down.bytes - heard.iter().sum::<u64>()) / ALERT;
        unheard.min(u64::from(CLIENTS))
    }

    /// The third party's count is the ledger's: what is not plaintext is TLS's.
    fn check_bytes(&self, direction: Direction, relayed: u64) {
        let of = |layer| sum(self.ledger(), &Phase::ALL, direction, layer);
        let plaintext: u64 = [Layer::Payload, Layer::Framing, Layer::Http].map(of).iter().sum();
        assert_eq!(plaintext + of(Layer::Tls), relayed, "{direction:?}: {:?}", self.all);
        assert_eq!(of(Layer::Tls), relayed - plaintext);
    }

    fn check_records(&self, contender: Contender) {
        assert_eq!((self.all.up.alert, self.all.down.alert), (0, 0), "nothing fails in clear");
        if contender.stack.connection == Connection::Closed {
            return;
        }
        let tls = |phases: &[_], direction| sum(self.ledger(), phases, direction, Layer::Tls);
        for direction in [Direction::Up, Direction::Down] {
            let window = tls(&[Phase::Window], direction);
            assert_eq!(window % RECORD, 0, "{direction:?}: {window} bytes");
        }
        let requests = self.outcome.load.measured.counters.requests;
        assert_eq!(tls(&[Phase::Window], Direction::Up), RECORD * requests);
        assert!(tls(&[Phase::Window], Direction::Down) > 0);
        // Goodbyes: of either end of a WebSocket a close frame, and whoever leaves says so.
        let clients = u64::from(CLIENTS);
        let (up, down) = match contender {
            it if it.shape() != Shape::Streams => (ALERT, 0),
            it if it.transport == pushbench_core::Transport::Websocket => {
                (RECORD + ALERT, RECORD + ALERT)
            }
            _ => (ALERT, 0),
        };
        assert_eq!(tls(&[Phase::Close], Direction::Up), clients * up);
        if self.all.cut > 0 {
            return;
        }
        // Messages may still come while clients leave.
        let late = tls(&[Phase::Close], Direction::Down) - clients * down;
        assert_eq!(late % RECORD, 0, "{late} bytes");
        let records = self.all.down.application_data - self.connected.down.application_data;
        let goodbyes = clients * if down > 0 { 2 } else { 0 };
        let fed = tls(&FEEDING, Direction::Down) + late;
        assert_eq!(fed, RECORD * (records - goodbyes - self.unheard()));
    }

    /// Handshakes, and those that took up an earlier session.
    fn handshakes(&self) -> (u64, u64) {
        let counters = &self.outcome.load.measured.counters;
        assert!(counters.handshakes <= self.all.connections);
        (counters.handshakes, counters.resumed)
    }
}

fn check_trial(contender: Contender, delivery: Delivery) -> Relayed {
    let contender = secured(contender);
    let relayed = trial(contender, delivery, &Tls::default());
    relayed.check(contender);
    let (clients, (handshakes, resumed)) = (u64::from(CLIENTS), relayed.handshakes());
    match contender.stack.connection {
        Connection::Kept => assert_eq!((handshakes, resumed), (clients, 0)),
        Connection::Closed => {
            assert!(handshakes > clients);
            assert_eq!(resumed, handshakes - clients, "all but the first of each client");
        }
    }
    relayed
}

fn check_every(contender: Contender) {
    let Relayed { outcome, .. } = check_trial(contender, Delivery::Every);
    assert_eq!(outcome.load.measured.audit.superseded, 0);
    assert_eq!((outcome.server.superseded, outcome.server.overrun), (0, 0));
}

fn check_latest(contender: Contender) {
    let Relayed { outcome, .. } = check_trial(contender, Delivery::Latest);
    if contender.shape().asks() {
        assert!(outcome.load.measured.audit.superseded > 0);
    }
}

over_all_transports!(every => check_every, latest => check_latest);

#[test]
fn without_resumption_each_connection_is_opened_anew() {
    let contender = secured(Contender::SHORT_POLL_CLOSE);
    let tls = Tls { resumption: false, ..Tls::default() };
    let relayed = trial(contender, Delivery::Every, &tls);
    relayed.check(contender);
    let (handshakes, resumed) = relayed.handshakes();
    assert!(handshakes > u64::from(CLIENTS));
    assert_eq!(resumed, 0);
}
