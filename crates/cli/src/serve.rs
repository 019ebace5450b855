//! `pushbench serve`: the server alone.

use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::feed::stamp::{StampClock, StampOffset};
use pushbench_core::instant::saturating_nanos;
use pushbench_core::security::ServerSecurity;
use pushbench_core::units::Span;
use pushbench_metrics::record::control::ServerMeasured;
use pushbench_os::machine::limits;
use pushbench_os::net::rx_stamp::ClockOffset;
use pushbench_os::time::clock;
use pushbench_server::{Access, Allowance, ChannelKind, Server, ServerConfig};
use pushbench_tls::{Acceptor, fingerprint};

use crate::args::ServeArgs;
use crate::exit::{Failure, Outcome};
use crate::{interrupt, print, profile, tell};

/// Serves until a signal comes.
pub(crate) fn command(args: &ServeArgs) -> Result<Outcome, Failure> {
    let feed = args.feed.spec()?;
    let headers = profile::read(&args.feed.headers, None)?;
    let scheduled = feed.schedule != Schedule::Manual;
    let about = describe(&feed);
    let payload_stamps = args.stamp.then(|| payload_stamps(&feed)).transpose()?;
    let mut config = ServerConfig { headers, ..ServerConfig::new(feed) };
    config.payload_stamps = payload_stamps;
    config.heartbeat = heartbeat(args.heartbeat)?;
    config.publish_token.clone_from(&args.publish_token);
    config.access = Access::new(args.allow_host.clone(), args.allow_origin.clone());
    config.compression = args.coding.terms()?;
    config.rooms.says = Allowance::of(args.say_limit);
    let security = args.tls.security(args.host)?;
    if let Some(security) = &security {
        let acceptor = Acceptor::new(security).map_err(Failure::usage)?;
        config.channel = ChannelKind::Tls(acceptor);
    }
    let warning = exposure(&config, args.host);
    limits::raise_open_files(u64::MAX);
    let address = SocketAddr::new(args.host, args.port);
    let server = Server::bind(address, config).map_err(Failure::failed)?;
    let handle = server.handle();
    let signal = interrupt::listen()?;
    let listening = server.local_addr();
    if scheduled {
        handle.start(clock::now() + Duration::from_millis(1));
    }
    thread::spawn(move || {
        // An error means that no signal can come any more, which ends the server as well.
        let _ = signal.recv();
        handle.stop();
    });
    let scheme = if security.is_some() { "https" } else { "http" };
    print(&format!("{scheme}://{listening}\n"))?;
    if let Some(ServerSecurity { credentials, .. }) = &security {
        let fingerprint = fingerprint(credentials).map_err(Failure::usage)?;
        tell(format_args!("certificate's SHA-256 fingerprint: {fingerprint}"));
    }
    warning.into_iter().for_each(tell);
    tell(format_args!("serving {about}; Ctrl-C stops it"));
    let measured = server.run();
    tell(farewell(&measured));
    Ok(Outcome::Done)
}

/// The silence after which a stream is shown that the server is there; `None` where it never is.
fn heartbeat(Span(silence): Span) -> Result<Option<Duration>, Failure> {
    match silence {
        Duration::ZERO => Ok(None),
        silence if silence >= Duration::from_millis(100) => Ok(Some(silence)),
        _ => Err(Failure::usage(anyhow!("--heartbeat is 100ms at least, or 0 for none"))),
    }
}

/// The clock by which messages say when they are due: as it is now, also where it is set later.
fn payload_stamps(feed: &FeedSpec) -> Result<StampOffset, Failure> {
    if !feed.payload.has_instants() || feed.schedule == Schedule::Manual {
        return Err(Failure::usage(anyhow!(
            "--stamp goes with a schedule and `--payload-kind ticker`, whose JSON has a place for it"
        )));
    }
    let ClockOffset { nanos, bound } = ClockOffset::now();
    let bound_ns = saturating_nanos(bound);
    Ok(StampOffset { clock: StampClock::Wall, ahead_ns: nanos, bound_ns })
}

/// Warning of a server that others can reach; `None` of one that only this machine can.
fn exposure(config: &ServerConfig, host: IpAddr) -> Option<String> {
    if host.to_canonical().is_loopback() {
        return None;
    }
    let place = if host.is_unspecified() { "an address of this machine" } else { "this address" };
    let is_clear = matches!(config.channel, ChannelKind::Clear);
    let without = if is_clear { ", without encryption" } else { "" };
    let publishing = match (&config.feed.schedule, &config.publish_token) {
        (Schedule::Manual, Some(_)) if is_clear => {
            ", publish with the token, which crosses the network in the clear,"
        }
        (Schedule::Manual, Some(_)) => ", publish with the token,",
        _ => "",
    };
    Some(format!(
        "warning: whoever reaches {place} can read the feed and /metrics{publishing} and hold up to {} \
         connections open{without}; `--host 127.0.0.1` keeps the server to this machine",
        config.max_connections
    ))
}

fn describe(feed: &FeedSpec) -> String {
    let bytes = feed.payload.mean_bytes();
    match feed.schedule.mean_hz() {
        Some(hz) => {
            // To four places, without zeros at the end.
            let hz = (hz * 1e4).round() / 1e4;
            format!("a {} feed of {hz} messages/s of {bytes:.0} bytes", feed.schedule.name())
        }
        None => "a feed that is published by hand with POST /feed/publish".to_owned(),
    }
}

fn farewell(measured: &ServerMeasured) -> String {
    format!(
        "stopped after {} connections and {} requests; {} slow streams cut off, {} messages \
         superseded",
        measured.connections, measured.requests, measured.overrun, measured.superseded
    )
}
