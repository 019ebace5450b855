//! The ring is bounded: a client is told where it has lost its place, and is never left with a
//! silent gap. One that is slow holds up nobody.

use std::time::Duration;

use pushbench_core::{Contender, Delivery, Seq};
use pushbench_server::{RingLimits, ServerConfig};
use pushbench_testkit::PATIENCE;
use pushbench_testkit::http::Target;
use pushbench_testkit::payload::text;
use pushbench_testkit::reader::{End, Reader};
use pushbench_testkit::started::StartedServer;

use super::{
    SMALL_BUFFER, close, cramped_config, every, is_stream, latest, over_all_transports, subscribe,
    take_seqs,
};

over_all_transports!(
    a_cursor_too_old_is_refused_with_the_oldest,
    a_cursor_at_the_edge_is_served,
    who_falls_off_the_ring_is_told,
    reading_that_takes_its_time_is_no_reason_not_to_be_told,
    a_slow_client_gets_everything_and_holds_up_nobody,
);

/// A ring of so many messages, whatever their bytes, and little room in the sockets. A client
/// that is told why its stream ends has time to read it, on a busy machine too.
fn ring_of(messages: usize) -> ServerConfig {
    let ring = RingLimits { messages, bytes: usize::MAX };
    ServerConfig { ring, close_timeout: PATIENCE, ..cramped_config() }
}

/// A client that must receive every message, and has little room for what it does not read.
async fn cramped(server: &StartedServer, contender: Contender) -> Box<dyn Reader> {
    let target = Target { receive_buffer: Some(SMALL_BUFFER), ..server.target() };
    let opened = <dyn Reader>::open(contender, target, None, Delivery::Every).await;
    opened.expect("the server subscribes it")
}

async fn a_cursor_too_old_is_refused_with_the_oldest(contender: Contender) {
    let server = StartedServer::start(ring_of(4));
    server.publish_all(["x"; 10]).await;
    assert_eq!(server.describe().await.oldest, Seq(7));
    for after in [0, 2, 5] {
        let refused = subscribe(&server, contender, Some(after), Delivery::Every).await;
        let refused = refused.err().expect("what it wants is no longer held");
        assert_eq!(refused.status, 410, "after={after}: {}", refused.body);
        assert!(refused.body.contains("\"oldest\":7"), "after={after}: {}", refused.body);
    }
    // Whoever wants the newest only has lost nothing.
    let mut reader = latest(&server, contender, Some(0)).await;
    assert_eq!(take_seqs(&mut reader, 1).await, [10]);
    close(reader).await;
    assert_eq!(server.stop().await.overrun, 0, "what is refused was never a stream");
}

async fn a_cursor_at_the_edge_is_served(contender: Contender) {
    let server = StartedServer::start(ring_of(4));
    server.publish_all(["x"; 10]).await;
    let mut reader = every(&server, contender, Some(6)).await;
    assert_eq!(take_seqs(&mut reader, 4).await, [7, 8, 9, 10]);
    close(reader).await;
    server.stop().await;
}

async fn who_falls_off_the_ring_is_told(contender: Contender) {
    falls_off(contender, ring_of(16)).await;
}

/// The timeout of a closing connection begins when its peer has been sent everything: until
/// then it is a client that reads slowly, for which there is another timeout.
async fn reading_that_takes_its_time_is_no_reason_not_to_be_told(contender: Contender) {
    let close_timeout = Duration::from_millis(1);
    falls_off(contender, ServerConfig { close_timeout, ..ring_of(16) }).await;
}

/// 13 MB are more than the sockets, the client library and a ring of 16 messages hold together.
async fn falls_off(contender: Contender, config: ServerConfig) {
    let server = StartedServer::start(config);
    let mut reader = cramped(&server, contender).await;
    server.publish(b"seen").await;
    assert_eq!(take_seqs(&mut reader, 1).await, [1]);
    let body = text(64 << 10);
    server.publish_all(std::iter::repeat_n(&body, 200)).await;
    let (cursor, end) = until_the_end(&mut reader, Seq(1)).await;
    drop(reader);
    let End::Gone { oldest } = end else { panic!("after {cursor}: {end:?}") };
    // A stream may have been ended as soon as it fell off, and what was the oldest then is gone.
    assert!(cursor.next() < oldest, "nothing is missing between {cursor} and {oldest}");
    assert!(is_stream(contender) || oldest == Seq(186), "{oldest} is not the oldest");
    let oldest = server.describe().await.oldest;
    let mut reader = every(&server, contender, Some(oldest.0 - 1)).await;
    let rest: Vec<u64> = (186..=201).collect();
    assert_eq!(take_seqs(&mut reader, 16).await, rest);
    close(reader).await;
    assert_eq!(server.stop().await.overrun, u64::from(is_stream(contender)));
}

/// Reads on after `cursor` for as long as there is something, without a gap: the last message,
/// and why there are no more.
async fn until_the_end(reader: &mut Box<dyn Reader>, mut cursor: Seq) -> (Seq, End) {
    loop {
        match reader.next().await {
            Ok(message) => {
                assert_eq!(message.seq, cursor.next(), "a silent gap");
                cursor = message.seq;
            }
            Err(end) => return (cursor, end),
        }
    }
}

/// 2 MB are more than the sockets hold.
async fn a_slow_client_gets_everything_and_holds_up_nobody(contender: Contender) {
    let server = StartedServer::start(ring_of(1000));
    let mut slow = cramped(&server, contender).await;
    let mut fast = every(&server, contender, None).await;
    let body = text(64 << 10);
    for seq in 1..=30 {
        server.publish(&body).await;
        assert_eq!(take_seqs(&mut fast, 1).await, [seq]);
    }
    let all: Vec<u64> = (1..=30).collect();
    assert_eq!(take_seqs(&mut slow, 30).await, all);
    // Once it has caught up it is a client like any other.
    server.publish(b"next").await;
    assert_eq!(take_seqs(&mut slow, 1).await, [31]);
    assert_eq!(take_seqs(&mut fast, 1).await, [31]);
    close(slow).await;
    close(fast).await;
    assert_eq!(server.stop().await.overrun, 0);
}
