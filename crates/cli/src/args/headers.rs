//! Flags of `pushbench headers`.

use clap::Args;
use pushbench_core::Contender;
use pushbench_core::contender::UnknownContender;
use pushbench_core::units::{ByteSize, Count};

use super::{LinkArgs, OutputArgs, known};

/// `pushbench headers`.
#[derive(Debug, Args)]
#[command(
    after_help = "Counts the same exchange at five levels: characters of headers, bytes of headers, TCP payload,
IP packets, Ethernet frames. Packets are captured where that is allowed (root, or the privilege
CAP_NET_RAW); else the kernel's own count for each connection is taken. Over a link that is taken too, and
told beside what the link's router counted; packets are there as large as its MTU has them.

Examples:
  pushbench headers                                       every built-in profile
  pushbench headers --reproduce                           \"871 bytes against 2\", at its own scale
  pushbench headers --profile chromium --cookie-bytes 0,400,2000
  pushbench headers --profile mine.toml --payload 1KiB -t short-poll -t long-poll
  pushbench headers --delay 50ms --payload 10KiB          over a link, in packets of 1,500 bytes"
)]
pub(crate) struct HeadersArgs {
    /// Header profile to measure: minimal, kaazing-2009, curl, chromium, firefox, or a file;
    /// repeat for several [default: all built-in]
    #[arg(
        long = "profile",
        visible_alias = "headers",
        value_name = "PROFILE",
        value_delimiter = ',',
        value_parser = known::profile(),
        hide_possible_values = true
    )]
    pub(crate) profiles: Vec<String>,
    /// Bytes of cookies that each request has beside its profile's; may be a list
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "0")]
    pub(crate) cookie_bytes: Vec<Count>,
    /// Size of a message, 11B to 1MiB, where the profile states none
    #[arg(long, value_name = "SIZE", default_value = "21B")]
    pub(crate) payload: ByteSize,
    /// Transport to measure beside websocket, to which all are compared; repeat for several
    /// [default: all]
    #[arg(short = 't', long = "transport", value_name = "NAME", value_delimiter = ',', value_parser = known::basic(basic), hide_possible_values = true)]
    pub(crate) contenders: Vec<Contender>,
    /// Reproduce the published claim: run its 1,000 and 10,000 clients, and its 100,000 where the
    /// machine can, with its own headers, a poll or a message a second each; takes minutes more
    #[arg(long)]
    pub(crate) reproduce: bool,
    /// Have all connections in TLS 1.3, and count what it takes: handshakes, tickets, records
    #[arg(long, conflicts_with = "reproduce")]
    pub(crate) tls: bool,
    /// Use IPv6, whose header is 20 bytes longer
    #[arg(long)]
    pub(crate) ipv6: bool,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A contender whose exchange can be played by hand.
fn basic(name: &str) -> Result<Contender, String> {
    let contender: Contender = name.parse().map_err(|error: UnknownContender| error.to_string())?;
    if contender.stack.is_basic() {
        return Ok(contender);
    }
    let basic = Contender { stack: contender.stack.basic(), ..contender };
    Err(format!("headers are counted without a coding, and with --tls in TLS; name {basic}"))
}
