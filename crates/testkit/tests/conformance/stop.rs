//! A server that stops says so to each client in the way of its transport, and then is gone.

use std::time::Duration;

use pushbench_core::{Contender, Delivery, Shape, Transport};
use pushbench_server::ServerConfig;
use pushbench_testkit::reader::{End, Reader};
use pushbench_testkit::started::{StartedServer, manual_config};

use super::{close, every, message, over_all_transports, subscribe, take};

over_all_transports!(
    a_client_is_told_that_the_server_stops,
    what_was_published_comes_before_the_end,
    a_client_that_leaves_is_no_trouble,
);

/// How the server says on each transport that it stops.
fn farewell(contender: Contender) -> End {
    End::Stopped(
        match contender.shape() {
            // Nobody waits for an answer that could say so; the next question finds nobody.
            Shape::Asks => "connection refused",
            Shape::Waits => "204 with connection: close",
            Shape::Streams if contender.transport == Transport::Websocket => "close 1001",
            Shape::Streams => "the body ended",
        }
        .to_owned(),
    )
}

/// A server that waits for its clients as long as it takes: it may stop only because they went.
fn patient() -> StartedServer {
    let close_timeout = Duration::from_secs(3600);
    StartedServer::start(ServerConfig { close_timeout, ..manual_config() })
}

async fn a_client_is_told_that_the_server_stops(contender: Contender) {
    let server = patient();
    let mut reader = every(&server, contender, None).await;
    server.publish(b"last").await;
    assert_eq!(take(&mut reader, 1).await, [message(1, b"last")]);
    let target = server.target();
    let end = if contender.shape().asks() {
        // Between two polls: with one under way, how far it comes would be left to chance.
        server.stop().await;
        reader.next().await
    } else {
        let stopping = async {
            server.has_read_everything().await;
            server.begin_stop();
        };
        let (end, ()) = tokio::join!(reader.next(), stopping);
        close(reader).await;
        server.stop().await;
        end
    };
    assert_eq!(end, Err(farewell(contender)));
    let again = <dyn Reader>::open(contender, target, None, Delivery::Every);
    assert!(again.await.is_err(), "a stopped server serves");
}

/// Streams get what was published before the stop; a poll can ask no more.
async fn what_was_published_comes_before_the_end(contender: Contender) {
    let server = patient();
    let mut reader = every(&server, contender, None).await;
    server.publish_all(["x"; 20]).await;
    if super::is_stream(contender) {
        server.begin_stop();
    }
    let received = take(&mut reader, 20).await;
    assert_eq!(received.last(), Some(&message(20, b"x")));
    if super::is_stream(contender) {
        assert_eq!(reader.next().await, Err(farewell(contender)));
    }
    close(reader).await;
    let measured = server.stop().await;
    assert_eq!((measured.overrun, measured.superseded), (0, 0));
}

async fn a_client_that_leaves_is_no_trouble(contender: Contender) {
    let server = patient();
    let polite = every(&server, contender, None).await;
    let rude = every(&server, contender, None).await;
    let mut staying = every(&server, contender, None).await;
    close(polite).await;
    drop(rude);
    server.publish(b"still here").await;
    assert_eq!(take(&mut staying, 1).await, [message(1, b"still here")]);
    assert!(subscribe(&server, contender, None, Delivery::Every).await.is_ok());
    close(staying).await;
    server.stop().await;
}
