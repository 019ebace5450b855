//! Payloads of every size, and more of them than go into one answer.

use http::StatusCode;
use pushbench_core::{Contender, Seq};
use pushbench_protocol::batch::MAX_BATCH;
use pushbench_testkit::http::HttpClient;
use pushbench_testkit::payload::{SIZES, binary, text};
use pushbench_testkit::reader::Message;
use pushbench_testkit::started::StartedServer;

use super::{close, every, message, over_all_transports, take};

over_all_transports!(
    text_of_every_size_comes_whole,
    binary_of_every_size_comes_whole,
    text_and_binary_may_mix,
    more_than_a_batch_comes_without_loss,
);

async fn text_of_every_size_comes_whole(contender: Contender) {
    comes_whole(contender, SIZES.map(text).to_vec()).await;
}

async fn binary_of_every_size_comes_whole(contender: Contender) {
    comes_whole(contender, SIZES.map(binary).to_vec()).await;
}

async fn text_and_binary_may_mix(contender: Contender) {
    let mixed = [text(64), binary(64), b"\r\n".to_vec(), b"\n\n\n".to_vec(), b" ".to_vec()];
    comes_whole(contender, mixed.to_vec()).await;
}

/// 7 MB in messages of which ten fit into a batch, and one that fits into none with another.
async fn more_than_a_batch_comes_without_loss(contender: Contender) {
    let mut bodies: Vec<Vec<u8>> = (0..60).map(|index| text(100_000 + index)).collect();
    bodies.insert(30, text(1 << 20));
    comes_whole(contender, bodies).await;
}

/// Publishes all of `bodies` before anything is read, then reads, and compares byte for byte.
async fn comes_whole(contender: Contender, bodies: Vec<Vec<u8>>) {
    let server = StartedServer::manual();
    let mut reader = every(&server, contender, Some(0)).await;
    server.publish_all(&bodies).await;
    let expected: Vec<Message> = (1..).zip(&bodies).map(|(seq, body)| message(seq, body)).collect();
    for (received, expected) in take(&mut reader, bodies.len()).await.iter().zip(&expected) {
        assert_eq!(received.seq, expected.seq);
        let size = expected.payload.len();
        // Not `assert_eq`, which would print a mebibyte.
        assert!(received.payload == expected.payload, "message {} of {size} bytes", expected.seq);
    }
    close(reader).await;
}

/// How the polls get more than a batch: in answers that are each within the bound, but for a
/// message that is larger than it on its own, and the `ETag` says how far each goes.
#[tokio::test]
async fn a_batch_is_bounded_and_never_empty() {
    let server = StartedServer::manual();
    let sizes = [400_000, 400_000, 400_000, 1 << 20, 10_000, 500_000];
    server.publish_all(sizes.map(text)).await;
    let mut client = HttpClient::keeping(server.target());
    for endpoint in ["poll", "long-poll"] {
        let (mut cursor, mut cursors) = (Seq::NONE, Vec::new());
        while cursor < Seq(6) {
            let path = format!("/feed/{endpoint}?after={cursor}");
            let answer = client.get(&path).await.expect("the server answers");
            assert_eq!(answer.status, StatusCode::OK);
            let next = answer.etag().expect("a batch has a tag");
            let alone = next == cursor.next();
            assert!(next > cursor && (alone || answer.body.len() <= MAX_BATCH));
            cursor = next;
            cursors.push(cursor.0);
        }
        assert_eq!(cursors, [2, 3, 4, 6], "{endpoint}");
    }
    assert_eq!(client.connections(), 1, "keep-alive is honoured");
}
