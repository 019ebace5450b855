//! Turns of tasks: whoever has more to do than one turn holds goes on behind all others.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};

/// Has a task go on once all who are ready have had a turn, those included whom sockets and timers are
/// about to wake.
///
/// A task that wakes itself has its next turn at once: the runtime has up to 61 of them one after another
/// before it looks at sockets, timers and the publisher again, and a client that floods would be all that is
/// served meanwhile.
pub(crate) fn again(waker: &Waker) {
    // Whoever yields leaves its waker with the runtime until that has looked; it is not asked again.
    let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(waker));
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::io::ErrorKind;
    use std::rc::Rc;
    use std::task::Poll;

    use tokio::net::UnixStream;
    use tokio::runtime::Builder;
    use tokio::task::{LocalSet, spawn_local};

    use super::*;

    /// The turns that a task which always has more to do takes while others pass a byte to and fro so
    /// often.
    fn turns(times: u32, wake: fn(&Waker)) -> u32 {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let taken = Rc::new(Cell::new(0));
            let counted = Rc::clone(&taken);
            spawn_local(poll_fn::<(), _>(move |cx| {
                counted.set(counted.get() + 1);
                wake(cx.waker());
                Poll::Pending
            }));
            let (one, other) = UnixStream::pair().unwrap();
            for _ in 0..times {
                assert_eq!(one.try_write(b"x").unwrap(), 1);
                other.readable().await.unwrap();
                assert_eq!(other.try_read(&mut [0]).unwrap(), 1);
                // That nothing is left has the next one waited for.
                assert_eq!(other.try_read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
            }
            taken.get()
        })
    }

    #[test]
    fn a_task_with_more_to_do_has_one_turn_for_each_look_at_sockets() {
        let taken = turns(100, again);
        assert!((1..=400).contains(&taken), "{taken} turns");
        // Otherwise it has dozens.
        let taken = turns(100, Waker::wake_by_ref);
        assert!(taken > 1_000, "{taken} turns");
    }
}
