//! The request for a WebSocket, and what is offered with it.

use std::sync::Arc;

use pushbench_core::contender::Coding;
use pushbench_core::deflate::WindowBits;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_protocol::deflate::Offer;

use super::FeedRequest;

/// Headers that ask for a WebSocket (RFC 6455 §4.1); the key comes behind them.
const UPGRADE: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")];

/// The requests of a plan's clients, and their offers.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: Arc<FeedRequest>,
    pub(super) offer: Option<Offer>,
}

impl Asked {
    pub(super) fn of(plan: &LoadPlan) -> Self {
        let offer = offer(plan);
        let value = offer.as_ref().map(Offer::value);
        let extensions = value.as_deref().map(|value| ("Sec-WebSocket-Extensions", value));
        let own: Vec<_> = UPGRADE.into_iter().chain(extensions).collect();
        Self { request: Arc::new(FeedRequest::new(plan, &[], &own)), offer }
    }
}

/// The offer to read compressed messages (RFC 7692 §7.1): with context takeover or without, and no
/// larger a window than the plan says. Of client's messages, which are control frames alone, it says
/// nothing more than has to be said.
fn offer(plan: &LoadPlan) -> Option<Offer> {
    let takeover = match plan.contender.stack.coding {
        Coding::None | Coding::Gzip => return None,
        Coding::Deflate => false,
        Coding::DeflateTakeover => true,
    };
    let window = Some(plan.deflate_window).filter(|window| *window < WindowBits::MAX);
    Some(Offer {
        server_no_takeover: !takeover,
        client_no_takeover: !takeover,
        server_window: window,
        client_window: true,
    })
}
