//! Duties that all transports share: one suite, run over all of them against a real server
//! through client libraries that share no code with it.
//!
//! A test is named `behaviour::transport`, so that a failure names both.

mod compressed;
mod latest;
mod order;
mod overrun;
mod sizes;
mod stop;

use pushbench_core::compression::CompressionTerms;
use pushbench_core::deflate::{DeflateSettings, Level};
use pushbench_core::{Contender, Delivery, Seq};
use pushbench_server::ServerConfig;
use pushbench_testkit::payload::numbered;
use pushbench_testkit::reader::{Message, Reader, Refused};
use pushbench_testkit::started::{StartedServer, manual_config};

/// Makes a test of each behaviour on each contender: `module::behaviour::contender`.
macro_rules! over_all_transports {
    ($($behaviour:ident),+ $(,)?) => {$(
        mod $behaviour {
            use crate::case;
            pushbench_testkit::each_contender!(case, $behaviour);
        }
    )+};
}

macro_rules! case {
    ($name:ident, $behaviour:ident, $contender:expr) => {
        #[tokio::test]
        async fn $name() {
            super::$behaviour($contender).await;
        }
    };
}

use case;
use over_all_transports;

/// Bytes of a client's receive buffer and of the server's send buffer where a test needs both to
/// be full soon. The kernel doubles them.
const SMALL_BUFFER: u32 = 16 << 10;

/// The settings of a server whose sockets have little room, which codings do not make more of: at
/// level 0 they store.
fn cramped_config() -> ServerConfig {
    let deflate = DeflateSettings { level: Level::MIN, ..DeflateSettings::default() };
    let terms = CompressionTerms { deflate, takeover: true, ..CompressionTerms::default() };
    let send_buffer = Some(SMALL_BUFFER as usize);
    ServerConfig { send_buffer, compression: Some(terms), ..manual_config() }
}

/// Whether the server holds the connection and writes to it as messages come.
fn is_stream(contender: Contender) -> bool {
    contender.shape().streams()
}

/// A client that must receive every message.
async fn every(
    server: &StartedServer,
    contender: Contender,
    after: Option<u64>,
) -> Box<dyn Reader> {
    subscribe(server, contender, after, Delivery::Every).await.expect("the server subscribes it")
}

/// A client that wants the newest message.
async fn latest(
    server: &StartedServer,
    contender: Contender,
    after: Option<u64>,
) -> Box<dyn Reader> {
    subscribe(server, contender, after, Delivery::Latest).await.expect("the server subscribes it")
}

async fn subscribe(
    server: &StartedServer,
    contender: Contender,
    after: Option<u64>,
    delivery: Delivery,
) -> Result<Box<dyn Reader>, Refused> {
    <dyn Reader>::open(contender, server.target(), after.map(Seq), delivery).await
}

/// The message that publishing `body` as number `seq` makes.
fn message(seq: u64, body: &[u8]) -> Message {
    Message { seq: Seq(seq), payload: numbered(Seq(seq), body).into() }
}

/// The next `count` messages of a client that nothing may keep from getting them.
async fn take(reader: &mut Box<dyn Reader>, count: usize) -> Vec<Message> {
    reader.take(count).await.expect("the messages come")
}

/// The numbers of the next `count` messages.
async fn take_seqs(reader: &mut Box<dyn Reader>, count: usize) -> Vec<u64> {
    take(reader, count).await.iter().map(|message| message.seq.0).collect()
}

/// Ends a client as it should.
async fn close(reader: Box<dyn Reader>) {
    reader.close().await.expect("the connection ends as it should");
}
