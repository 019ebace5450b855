//! Flags of compression: of a server, and of the settings of a run.

use clap::{Args, ValueEnum};
use pushbench_core::compression::{Compression, CompressionTerms};
use pushbench_core::scenario::CompressionTable;
use pushbench_core::units::{ByteSize, Count};

use crate::exit::Failure;

/// The heading of the flags.
const HEADING: &str = "Compression";

/// Who shares a compressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sharing {
    // No docs here: they would be help, and spread it over pages.
    Shared,
    Takeover,
}

/// A server's compression, for clients that take it.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct ServerCodingArgs {
    /// Compress for clients that take it: messages of WebSockets with permessage-deflate, answers and
    /// event streams with gzip. `shared` compresses a message once for all; with `takeover` each
    /// WebSocket that asks has a compressor of its own, which knows what came before
    #[arg(long, value_name = "shared|takeover", hide_possible_values = true)]
    compression: Option<Sharing>,
    /// How hard to compress, 1 to 9 [default: 6]
    #[arg(long, value_name = "LEVEL", requires = "compression")]
    compression_level: Option<u8>,
    /// Logarithm of the bytes that a compressor looks back, 9 to 15 [default: 15]
    #[arg(long, value_name = "BITS", requires = "compression")]
    compression_window_bits: Option<u8>,
    /// Size from which messages are compressed [default: 0B]
    #[arg(long, value_name = "SIZE", requires = "compression")]
    compression_threshold: Option<ByteSize>,
}

impl ServerCodingArgs {
    /// The server's terms; `None` compresses nothing.
    pub(crate) fn terms(&self) -> Result<Option<CompressionTerms>, Failure> {
        let Some(sharing) = self.compression else { return Ok(None) };
        let default = Compression::default();
        let compression = Compression {
            level: self.compression_level.unwrap_or(default.level),
            window_bits: self.compression_window_bits.unwrap_or(default.window_bits),
            threshold: self.compression_threshold.unwrap_or(default.threshold),
        };
        let deflate = compression.deflate().map_err(Failure::usage)?;
        let takeover = sharing == Sharing::Takeover;
        Ok(Some(CompressionTerms { deflate, threshold: compression.threshold, takeover }))
    }
}

/// The settings of codings under the transports of a run.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CompressionSettings {
    /// How hard messages are compressed, 1 to 9; may be a list [default: 6]
    #[arg(long, value_name = "LEVEL", value_delimiter = ',', help_heading = HEADING)]
    compression_level: Vec<Count>,
    /// Logarithm of the bytes that a compressor looks back, 9 to 15; may be a list [default: 15]
    #[arg(long, value_name = "BITS", value_delimiter = ',', help_heading = HEADING)]
    compression_window_bits: Vec<Count>,
    /// Size from which messages are compressed; may be a list [default: 0B]
    #[arg(long, value_name = "SIZE", value_delimiter = ',', help_heading = HEADING)]
    compression_threshold: Vec<ByteSize>,
}

impl CompressionSettings {
    /// Puts the flags that were given in place of the scenario's settings.
    pub(super) fn apply(&self, compression: &mut CompressionTable) {
        compression.level.override_with(&self.compression_level);
        compression.window_bits.override_with(&self.compression_window_bits);
        compression.threshold.override_with(&self.compression_threshold);
    }
}
