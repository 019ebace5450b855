//! Keeping a stream open, ending it, and giving it up.

use pushbench_core::{Delivery, Seq};
use tungstenite::protocol::frame::coding::CloseCode;

use super::protocol::Protocol;
use super::{Phase, Stream, Surroundings, Wire, sse, websocket};

/// Why the server ends a stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The cursor fell off the ring, whose oldest message is this.
    Gone { oldest: Seq },
    /// The server stops.
    Stop,
}

impl Stream {
    /// Ends the stream because the server stops.
    pub(crate) fn stop(&mut self, with: Surroundings<'_>) {
        if self.phase == Phase::Open {
            self.end(End::Stop);
            self.write(with);
        }
    }

    /// Says the last words: the client gets them after the message that is being written.
    pub(super) fn end(&mut self, why: End) {
        match (&mut self.wire, why) {
            (Wire::Sse, End::Gone { oldest }) => {
                sse::end_gone(&mut self.control, oldest, self.cursor);
                self.phase = Phase::Ending;
            }
            (Wire::Sse, End::Stop) => {
                sse::end(&mut self.control);
                self.phase = Phase::Ending;
            }
            (Wire::Websocket(protocol), why) => {
                let protocol = protocol.get_or_insert_with(|| Box::new(Protocol::new()));
                let (code, reason) = match why {
                    End::Gone { oldest } => {
                        let code = CloseCode::Library(websocket::CLOSE_GONE);
                        (code, format!("oldest held is {oldest}"))
                    }
                    End::Stop => (CloseCode::Away, "the server stops".to_owned()),
                };
                protocol.close(code, &reason, &mut self.control);
                self.phase = Phase::Closing;
            }
        }
    }

    /// Looks at what time it is: keeps a silent stream open, and gives up one whose client
    /// takes nothing, or does not leave.
    pub(crate) fn tick(&mut self, with: Surroundings<'_>) {
        let waited = with.now.saturating_since(self.sent_at);
        match self.phase {
            Phase::Dead => {}
            _ if self.behind => {
                if waited >= with.config.write_timeout {
                    self.give_up(with);
                }
            }
            Phase::Open => self.keep_alive(with),
            Phase::Closing | Phase::Ending | Phase::Draining => {
                if waited >= with.config.close_timeout {
                    self.die();
                }
            }
        }
    }

    fn give_up(&mut self, with: Surroundings<'_>) {
        with.counters.stalled.add(1);
        let open = self.phase == Phase::Open;
        if open && self.delivery == Delivery::Every && !with.ring.holds_after(self.cursor) {
            with.counters.overrun.add(1);
        }
        self.die();
    }

    fn keep_alive(&mut self, with: Surroundings<'_>) {
        let silence = with.now.saturating_since(self.sent_at);
        match &self.wire {
            Wire::Sse if silence >= with.config.sse_keep_alive => {
                sse::keep_alive(&mut self.control)
            }
            Wire::Websocket(_) if with.config.ping_interval.is_some_and(|ping| silence >= ping) => {
                self.control.extend_from_slice(websocket::PING);
            }
            _ => return,
        }
        self.write(with);
    }

    /// Shuts the server's side and waits for the client's.
    pub(super) fn shut(&mut self) {
        match rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Write) {
            Ok(()) => self.phase = Phase::Draining,
            Err(_) => self.die(),
        }
    }
}
