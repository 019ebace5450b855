//! A number of bytes: `1KiB`.

use std::fmt;
use std::str::FromStr;

use super::{Problem, UnitError, scaled_exactly, whole};

/// A number of bytes: `64B`, `1KiB` (1024), `1KB` (1000), or a bare number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

const BYTE_UNITS: [(&str, f64); 9] = [
    ("", 1.0),
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("KB", 1e3),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
];

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bytes = scaled_exactly(text, &BYTE_UNITS).and_then(whole);
        bytes.map(Self).map_err(Self::error(text))
    }
}

impl ByteSize {
    /// Bytes that need not be whole, as those of one message on average are not: `99.5B`.
    ///
    /// # Errors
    ///
    /// Where it is no size.
    pub fn average(text: &str) -> Result<f64, UnitError> {
        scaled_exactly(text, &BYTE_UNITS).map_err(Self::error(text))
    }

    fn error(text: &str) -> impl Fn(Problem) -> UnitError {
        UnitError::of(text, "size", "`64B`, `1KiB` or `1KB`")
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::tests::refused;

    #[test]
    fn sizes_read_as_users_write_them() {
        for (text, bytes) in
            [("1KiB", 1024), ("1KB", 1000), ("1kB", 1000), ("2 MB", 2_000_000), ("64", 64)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        assert_eq!(serde_json::from_str::<ByteSize>("64").unwrap(), ByteSize(64));
    }

    #[test]
    fn what_is_no_size_says_why_and_how() {
        refused::<ByteSize>(&[
            ("1kb", "`kb` is not one of B, KiB, MiB, GiB, KB, kB, MB, GB"),
            ("1KiB 5B", "`KiB 5B` is not one of"),
        ]);
    }

    proptest! {
        #[test]
        fn a_size_reads_back_as_written(bytes in 0_u64..1 << 40) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
    }
}
