//! Memory of compression: the contexts that each end of a contender's connections holds.

use pushbench_core::contender::Coding;
use pushbench_core::deflate::DeflateSettings;
use pushbench_core::{Contender, Shape};

use crate::deflate::{Compressor, Decompressor};

/// The bytes of one end's contexts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contexts {
    /// For each client.
    pub each: u64,
    /// For all clients together.
    pub shared: u64,
}

impl Contexts {
    /// Those of a server.
    #[must_use]
    pub const fn of_server(contender: Contender, settings: DeflateSettings) -> Self {
        let bytes = Compressor::memory(settings.window, settings.memory);
        match contender.stack.coding {
            Coding::None => Self { each: 0, shared: 0 },
            // A message, a block or a body is compressed once for all.
            Coding::Deflate | Coding::Gzip => Self { each: 0, shared: bytes },
            Coding::DeflateTakeover => Self { each: bytes, shared: 0 },
        }
    }

    /// Those of a load process.
    #[must_use]
    pub const fn of_load(contender: Contender) -> Self {
        let bytes = Decompressor::memory();
        match (contender.stack.coding, contender.shape()) {
            (Coding::None, _) => Self { each: 0, shared: 0 },
            // A message refers to nothing before it, so that one context serves all connections.
            (Coding::Deflate, _) => Self { each: 0, shared: bytes },
            (Coding::Gzip, Shape::Asks | Shape::Waits) => Self { each: 0, shared: bytes },
            (Coding::DeflateTakeover, _) | (Coding::Gzip, Shape::Streams) => {
                Self { each: bytes, shared: 0 }
            }
        }
    }

    /// The bytes of each of `clients`, rounded up.
    #[must_use]
    pub fn per_client(self, clients: u32) -> u64 {
        self.each + self.shared.div_ceil(u64::from(clients).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_context_takeover_has_a_compressor_for_each_client() {
        let of = |name: &str| {
            let contender = name.parse().unwrap();
            let (server, load) = (
                Contexts::of_server(contender, DeflateSettings::default()),
                Contexts::of_load(contender),
            );
            (server.per_client(1000) / 1000, load.per_client(1000) / 1000)
        };
        assert_eq!(of("websocket"), (0, 0));
        assert_eq!(of("websocket+tls+deflate"), (0, 0));
        assert_eq!(of("websocket+deflate-takeover"), (380, 47));
        assert_eq!(of("sse+gzip"), (0, 47));
    }
}
