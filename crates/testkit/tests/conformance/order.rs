//! Under `every` each message comes, once, in order, and byte for byte.

use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::units::Rate;
use pushbench_core::{Contender, Seq};
use pushbench_testkit::payload::text;
use pushbench_testkit::reader::Message;
use pushbench_testkit::started::StartedServer;

use super::{close, every, message, over_all_transports, take, take_seqs};

over_all_transports!(
    messages_come_in_order_and_whole,
    without_a_cursor_it_is_from_now_on,
    a_client_resumes_after_its_last_message,
    a_cursor_beyond_the_newest_waits,
    two_clients_see_the_same,
    a_schedule_comes_as_it_is_computed,
);

async fn messages_come_in_order_and_whole(contender: Contender) {
    let server = StartedServer::manual();
    let mut reader = every(&server, contender, None).await;
    let bodies: Vec<Vec<u8>> = (0..200).map(|index| text(20 + index * 7)).collect();
    let mut received = Vec::new();
    // Some wait to be read together, some are waited for.
    for group in [&bodies[..1], &bodies[1..90], &bodies[90..92], &bodies[92..]] {
        server.publish_all(group).await;
        received.extend(take(&mut reader, group.len()).await);
    }
    let expected: Vec<Message> = (1..).zip(&bodies).map(|(seq, body)| message(seq, body)).collect();
    assert_eq!(received, expected);
    close(reader).await;
}

async fn without_a_cursor_it_is_from_now_on(contender: Contender) {
    let server = StartedServer::manual();
    server.publish_all([b"a", b"b", b"c"]).await;
    let mut reader = every(&server, contender, None).await;
    server.publish(b"d").await;
    assert_eq!(take(&mut reader, 1).await, [message(4, b"d")]);
    close(reader).await;
}

async fn a_client_resumes_after_its_last_message(contender: Contender) {
    let server = StartedServer::manual();
    server.publish_all(["0123456789"; 10]).await;
    let mut reader = every(&server, contender, Some(0)).await;
    assert_eq!(take_seqs(&mut reader, 4).await, [1, 2, 3, 4]);
    close(reader).await;
    let mut reader = every(&server, contender, Some(4)).await;
    server.publish(b"and one more").await;
    assert_eq!(take_seqs(&mut reader, 7).await, [5, 6, 7, 8, 9, 10, 11]);
    close(reader).await;
}

async fn a_cursor_beyond_the_newest_waits(contender: Contender) {
    let server = StartedServer::manual();
    server.publish_all(["old"; 2]).await;
    let mut reader = every(&server, contender, Some(5)).await;
    server.publish_all(["passed over"; 3]).await;
    server.has_read_everything().await;
    server.publish_all(["new"; 2]).await;
    assert_eq!(take(&mut reader, 2).await, [message(6, b"new"), message(7, b"new")]);
    close(reader).await;
}

async fn two_clients_see_the_same(contender: Contender) {
    let server = StartedServer::manual();
    let mut first = every(&server, contender, None).await;
    let mut second = every(&server, contender, Some(0)).await;
    server.publish_all((0..50).map(|index| text(30 + index))).await;
    let seen = take(&mut first, 50).await;
    assert_eq!(take(&mut second, 50).await, seen);
    // A third one comes when all is over.
    let mut third = every(&server, contender, Some(0)).await;
    assert_eq!(take(&mut third, 50).await, seen);
    for reader in [first, second, third] {
        close(reader).await;
    }
}

/// Ten bytes, the least, come by schedule only: by hand there is a body behind the number.
async fn a_schedule_comes_as_it_is_computed(contender: Contender) {
    let feeds = [
        (PayloadKind::Text, 10),
        (PayloadKind::Binary, 10),
        (PayloadKind::Binary, 300),
        (PayloadKind::Ticker, 200),
        (PayloadKind::Quotes, 200),
    ];
    for (kind, bytes) in feeds {
        let payload = Payload::Generated { kind, bytes };
        let rate = Rate::from_hz(500.0).expect("500/s is a rate");
        let feed = FeedSpec { seed: 7, schedule: Schedule::Constant { rate }, payload };
        let server = StartedServer::feed(feed.clone());
        let mut reader = every(&server, contender, None).await;
        server.start_schedule();
        let received = take(&mut reader, 50).await;
        let computed = (1..=50).map(Seq).map(|seq| {
            let payload = feed.payload.render(feed.seed, seq);
            Message { seq, payload }
        });
        assert!(received.into_iter().eq(computed), "{kind:?} of {bytes} bytes");
        close(reader).await;
        let measured = server.stop().await;
        assert_eq!(measured.overrun, 0);
    }
}
