//! Bytes of all connections over a window.
//!
//! The total of all connections that there ever were is taken at both edges of the window, and the bytes
//! of the window are their difference. An edge is no instant: a reading takes 0.7 µs for each connection, and
//! a sleep ends up to a millisecond late.

use std::rc::Rc;

use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::served::ServedBytes;
use pushbench_os::time::clock;

use crate::byte_count::{ByteCount, Counting};
use crate::shared::Shared;

/// Counts over `window`, for as long as it is polled. One that has begun begins now.
pub(crate) fn measure(shared: Rc<Shared>, window: Window) -> impl Future<Output = ()> {
    if let Some(count) = &shared.byte_count {
        count.set(Counting::Not);
        begin(count, &shared, window);
    }
    async move {
        let Some(count) = &shared.byte_count else { return };
        tokio::time::sleep(window.start.saturating_since(clock::now())).await;
        begin(count, &shared, window);
        tokio::time::sleep(window.end.saturating_since(clock::now())).await;
        end(&shared);
    }
}

fn begin(count: &ByteCount, shared: &Shared, window: Window) {
    if matches!(count.get(), Counting::Not) && window.start <= clock::now() {
        count.set(Counting::Since(total(count, shared), window.end));
    }
}

/// Takes the end of a window that is over, unless that was done.
pub(crate) fn end(shared: &Shared) {
    if let Some(count) = &shared.byte_count
        && let Counting::Since(before, end) = count.get()
        && end <= clock::now()
    {
        count.set(Counting::Over(total(count, shared).since(&before)));
    }
}

/// The bytes of all connections that there have been.
fn total(count: &ByteCount, shared: &Shared) -> ServedBytes {
    let mut total = count.of_closed();
    shared.each_connection(|connection| {
        if let Some(bytes) = count.bytes(connection.tcp_info().as_ref()) {
            total.merge(&bytes);
        }
    });
    total
}
