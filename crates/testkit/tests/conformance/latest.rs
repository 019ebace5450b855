//! Under `latest` a newer message supersedes an older one.

use pushbench_core::{Contender, Delivery, Seq};
use pushbench_testkit::http::Target;
use pushbench_testkit::payload::{numbered, text};
use pushbench_testkit::reader::{Message, Reader};
use pushbench_testkit::started::StartedServer;

use super::{
    SMALL_BUFFER, close, cramped_config, is_stream, latest, message, over_all_transports, take,
};

over_all_transports!(
    the_newest_is_what_counts,
    who_comes_late_gets_the_newest,
    a_slow_client_skips_what_is_superseded,
    it_goes_on_beyond_what_was_skipped,
);

/// The messages that the client gets up to `newest`; never an older one after a newer.
async fn up_to(reader: &mut Box<dyn Reader>, newest: u64) -> Vec<Message> {
    let mut received: Vec<Message> = Vec::new();
    while received.last().is_none_or(|message| message.seq < Seq(newest)) {
        received.extend(take(reader, 1).await);
    }
    assert!(received.is_sorted_by(|one, next| one.seq < next.seq), "an older one after a newer");
    assert_eq!(received.last().map(|message| message.seq), Some(Seq(newest)));
    received
}

async fn the_newest_is_what_counts(contender: Contender) {
    let server = StartedServer::manual();
    let mut reader = latest(&server, contender, None).await;
    let bodies: [&[u8]; 5] = [b"one", b"two", b"three", b"four", b"five"];
    server.publish_all(bodies).await;
    let received = up_to(&mut reader, 5).await;
    if is_stream(contender) {
        for message in &received {
            let body = bodies[usize::try_from(message.seq.0).expect("it is at most five") - 1];
            assert_eq!(message.payload, numbered(message.seq, body));
        }
    } else {
        assert_eq!(received, [message(5, b"five")]);
    }
    server.publish(b"six").await;
    assert_eq!(take(&mut reader, 1).await, [message(6, b"six")]);
    close(reader).await;
}

async fn who_comes_late_gets_the_newest(contender: Contender) {
    let server = StartedServer::manual();
    server.publish_all(["old", "older", "newest"]).await;
    let mut reader = latest(&server, contender, Some(0)).await;
    assert_eq!(take(&mut reader, 1).await, [message(3, b"newest")]);
    close(reader).await;
}

/// 6.5 MB are more than the sockets hold, so a stream that nobody reads has to skip.
async fn a_slow_client_skips_what_is_superseded(contender: Contender) {
    let server = StartedServer::start(cramped_config());
    let target = Target { receive_buffer: Some(SMALL_BUFFER), ..server.target() };
    let opened = <dyn Reader>::open(contender, target, None, Delivery::Latest).await;
    let mut reader = opened.expect("the server subscribes it");
    let body = text(64 << 10);
    server.publish_all(std::iter::repeat_n(&body, 100)).await;
    let received = up_to(&mut reader, 100).await;
    assert!(received.len() < 100, "nothing was skipped");
    for message in &received {
        assert!(message.payload == numbered(message.seq, &body), "message {}", message.seq);
    }
    close(reader).await;
    let skipped = if is_stream(contender) { 100 - received.len() } else { 0 };
    assert_eq!(server.stop().await.superseded, skipped as u64);
}

async fn it_goes_on_beyond_what_was_skipped(contender: Contender) {
    let server = StartedServer::manual();
    let mut reader = latest(&server, contender, None).await;
    for round in 1..=20 {
        server.publish_all(["skipped", "skipped", "kept"]).await;
        let received = up_to(&mut reader, round * 3).await;
        assert_eq!(received.last(), Some(&message(round * 3, b"kept")));
    }
    close(reader).await;
}
