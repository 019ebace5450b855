//! Messages are compressed as often as agreements differ, and for nobody who did not agree.

use pushbench_core::Contender;
use pushbench_testkit::http::HttpClient;
use pushbench_testkit::payload::text;
use pushbench_testkit::reader::{Reader, named};
use pushbench_testkit::started::StartedServer;

use super::{every, take_seqs};

/// Messages compressed since the server's start.
async fn compressions(server: &StartedServer) -> u64 {
    let answer = HttpClient::closing(server.target()).get("/metrics").await;
    let page = answer.expect("the server answers").text();
    let count = page.lines().find_map(|line| line.strip_prefix("pushbench_compressions_total "));
    count.expect("it is on the page").parse().expect("it is a number")
}

async fn clients(server: &StartedServer, contenders: &[Contender]) -> Vec<Box<dyn Reader>> {
    let mut readers = Vec::new();
    for contender in contenders {
        readers.push(every(server, *contender, None).await);
    }
    readers
}

/// Publishes five messages, which all of `readers` get.
async fn publish(server: &StartedServer, readers: &mut [Box<dyn Reader>]) {
    let newest = server.publish_all(std::iter::repeat_n(text(500), 5)).await.0;
    for reader in readers {
        assert_eq!(take_seqs(reader, 5).await, (newest - 4..=newest).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_message_is_compressed_once_for_all_who_share_it() {
    let server = StartedServer::manual();
    let mut plain = clients(&server, &[Contender::WEBSOCKET, Contender::SSE]).await;
    publish(&server, &mut plain).await;
    assert_eq!(compressions(&server).await, 0, "nobody agreed to it");

    let mut sharing = clients(&server, &[named("websocket+deflate"); 4]).await;
    publish(&server, &mut sharing).await;
    assert_eq!(compressions(&server).await, 5);
    let mut late = every(&server, named("websocket+deflate"), Some(5)).await;
    assert_eq!(take_seqs(&mut late, 5).await, [6, 7, 8, 9, 10]);
    assert_eq!(compressions(&server).await, 5, "the ring holds them as they were sent");
    drop((sharing, late));

    let mut apart = clients(&server, &[named("websocket+deflate-takeover"); 3]).await;
    publish(&server, &mut apart).await;
    assert_eq!(compressions(&server).await, 5 + 3 * 5);
}
