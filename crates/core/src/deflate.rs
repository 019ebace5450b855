//! Settings of DEFLATE (RFC 1951), by the names that zlib has given them.

use serde::{Deserialize, Serialize};

/// A setting of DEFLATE that is out of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{given} is no {what} of deflate; it is from {least} to {most}")]
pub struct DeflateRangeError {
    what: &'static str,
    given: u8,
    least: u8,
    most: u8,
}

/// A type for a whole number of zlib's within its range.
macro_rules! setting {
    ($(#[$doc:meta])* $name:ident, $what:literal, $least:literal..=$most:literal, $default:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        pub struct $name(u8);

        impl $name {
            /// The smallest value.
            pub const MIN: Self = Self($least);
            /// The largest value.
            pub const MAX: Self = Self($most);

            /// The number.
            #[must_use]
            pub const fn get(self) -> u8 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<u8> for $name {
            type Error = DeflateRangeError;

            fn try_from(given: u8) -> Result<Self, DeflateRangeError> {
                let (least, most) = ($least, $most);
                match (least..=most).contains(&given) {
                    true => Ok(Self(given)),
                    false => Err(DeflateRangeError { what: $what, given, least, most }),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(setting: $name) -> Self {
                setting.0
            }
        }
    };
}

setting!(
    /// The compression level: from 0, which stores, over 1, the fastest, to 9, the smallest; 6 where
    /// nothing is said.
    Level, "level", 0..=9, 6
);
setting!(
    /// The base-2 logarithm of the window that matches are looked for in, 512 B to 32 KiB. RFC 7692
    /// has 8 too, of which zlib makes no raw stream.
    WindowBits, "window", 9..=15, 15
);
setting!(
    /// The share of memory that symbols are gathered in (zlib's memLevel).
    MemLevel, "memory level", 1..=9, 8
);

/// The settings of a compressor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeflateSettings {
    /// Compression level.
    pub level: Level,
    /// Size of the window.
    pub window: WindowBits,
    /// Memory for symbols.
    pub memory: MemLevel,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_refused_out_of_its_range_whoever_wrote_it() {
        assert_eq!(serde_json::from_str::<WindowBits>("9").unwrap(), WindowBits::MIN);
        for (json, part) in [("8", "8 is no window of deflate; it is from 9 to 15"), ("16", "16")] {
            let error = serde_json::from_str::<WindowBits>(json).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(Level::try_from(10).is_err() && MemLevel::try_from(0).is_err());
        let settings: DeflateSettings =
            serde_json::from_str(r#"{"level":0,"window":15,"memory":8}"#).unwrap();
        assert_eq!(settings, DeflateSettings { level: Level::MIN, ..Default::default() });
    }
}
