//! Histograms of durations.
//!
//! A histogram keeps every sample to a fixed relative precision in memory that does not grow
//! with their number, so percentiles of several load processes can be had by adding counts.
//! Underneath is an [HdrHistogram](https://hdrhistogram.org), and the encoding that a run record
//! holds is the one of interval logs: its V2 format, deflated, in base64.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{
    DeserializeError, Deserializer, Serializer as _, V2DeflateSerializeError, V2DeflateSerializer,
};
use pushbench_core::figure::SAMPLES_BEYOND;
use pushbench_core::instant::saturating_nanos;
use serde::{Deserialize, Serialize};

/// The longest duration that is kept as it is: one hour, in nanoseconds.
pub const LONGEST_NS: u64 = 3_600_000_000_000;

/// Points of a [`Histogram::curve`] at most.
const CURVE_POINTS: u32 = 200;

/// Points of a curve from one halving of the samples beyond to the next.
const POINTS_PER_HALVING: f64 = 8.0;

/// Latencies to three significant digits: each figure is within 0.1 % of the exact one.
pub type LatencyHistogram = Histogram<3>;

/// Durations from 0 ns to [`LONGEST_NS`], to `DIGITS` significant decimal digits.
///
/// Whole nanoseconds are told apart up to `2 × 10^DIGITS` ns. A longer duration than the longest
/// is kept as [`LONGEST_NS`] and counted in [`saturated`](Self::saturated). A histogram without
/// samples holds no memory, and all its figures are `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Encoded", into = "Encoded")]
pub struct Histogram<const DIGITS: u8> {
    /// `None` until the first sample, and never empty.
    counts: Option<hdrhistogram::Histogram<u64>>,
    saturated: u64,
}

impl<const DIGITS: u8> Histogram<DIGITS> {
    /// Adds a sample.
    #[inline]
    pub fn record(&mut self, duration: Duration) {
        self.record_ns(saturating_nanos(duration));
    }

    /// Adds a sample of `nanos` nanoseconds.
    #[inline]
    pub fn record_ns(&mut self, nanos: u64) {
        self.saturated += u64::from(nanos > LONGEST_NS);
        let counts = self.counts.get_or_insert_with(Self::no_counts);
        counts.saturating_record(nanos.min(LONGEST_NS));
    }

    /// Adds `count` samples of `nanos` nanoseconds each.
    pub fn record_many_ns(&mut self, nanos: u64, count: u64) {
        if count > 0 {
            self.saturated += count * u64::from(nanos > LONGEST_NS);
            let counts = self.counts.get_or_insert_with(Self::no_counts);
            counts.saturating_record_n(nanos.min(LONGEST_NS), count);
        }
    }

    /// Adds the samples of `other` to its own.
    pub fn merge(&mut self, other: &Self) {
        self.saturated += other.saturated;
        let Some(theirs) = &other.counts else { return };
        match &mut self.counts {
            Some(own) => own.add(theirs).expect("both have the same bounds and digits"),
            None => self.counts = Some(theirs.clone()),
        }
    }

    /// Its samples but for those of `other`, each of which is one of its own; `None` where one is not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Option<Self> {
        let Some(theirs) = &other.counts else { return Some(self.clone()) };
        let mut counts = self.counts.clone()?;
        counts.subtract(theirs).ok()?;
        let saturated = self.saturated.checked_sub(other.saturated)?;
        Some(Self { counts: Some(counts).filter(|counts| !counts.is_empty()), saturated })
    }

    /// How many samples there are, saturated ones too.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.as_ref().map_or(0, hdrhistogram::Histogram::len)
    }

    /// Whether there is no sample.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.counts.is_none()
    }

    /// How many samples were longer than [`LONGEST_NS`].
    #[must_use]
    pub const fn saturated(&self) -> u64 {
        self.saturated
    }

    /// The mean in microseconds, to the histogram's precision.
    #[must_use]
    pub fn mean_us(&self) -> Option<f64> {
        self.counts.as_ref().map(|counts| counts.mean() / 1e3)
    }

    /// The longest duration in microseconds, to the histogram's precision.
    #[must_use]
    pub fn max_us(&self) -> Option<f64> {
        self.counts.as_ref().map(|counts| micros(counts.max()))
    }

    /// The duration in microseconds that a fraction `quantile` of the samples does not exceed,
    /// however many samples there are: 0.99 is the 99th percentile.
    #[must_use]
    pub fn percentile_us(&self, quantile: f64) -> Option<f64> {
        self.counts.as_ref().map(|counts| micros(counts.value_at_quantile(quantile)))
    }

    /// Whether there are samples enough for a percentile to be more than the luck of a few.
    ///
    /// At least ten must lie beyond it: `(1 - quantile) × count >= 10`. The median and what is
    /// below it, and the maximum, need a single sample: a median of few is rough but not
    /// misleading, and the maximum claims nothing about what was not seen.
    #[must_use]
    pub fn percentile_supported(&self, quantile: f64) -> bool {
        if quantile <= 0.5 || quantile >= 1.0 {
            return !self.is_empty();
        }
        // 1 - 0.9 is a little less than 0.1, and a hundred samples do have ten beyond their p90.
        let rounding = 1e-6;
        (1.0 - quantile) * self.count() as f64 + rounding >= SAMPLES_BEYOND
    }

    /// [`percentile_us`](Self::percentile_us), where it is
    /// [supported](Self::percentile_supported): what tables show.
    #[must_use]
    pub fn supported_percentile_us(&self, quantile: f64) -> Option<f64> {
        if self.percentile_supported(quantile) { self.percentile_us(quantile) } else { None }
    }

    /// Pairs of a quantile in `[0, 1)` and its duration in microseconds, both rising, for a chart
    /// whose axis is `1 / (1 - quantile)` on a logarithmic scale.
    ///
    /// The last is the maximum, at the quantile where it begins. At most 201 points.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let Some(counts) = &self.counts else { return Vec::new() };
        let total = counts.len() as f64;
        let beyond = (0..CURVE_POINTS).map(|i| (-f64::from(i) / POINTS_PER_HALVING).exp2());
        let quantiles: Vec<f64> =
            beyond.take_while(|beyond| beyond * total > 1.0).map(|beyond| 1.0 - beyond).collect();
        let durations = counts.value_at_quantiles(quantiles.clone()).map(micros);
        let mut curve: Vec<(f64, f64)> = quantiles.into_iter().zip(durations).collect();
        curve.push((1.0 - 1.0 / total, micros(counts.max())));
        curve
    }

    /// The histogram underneath, in nanoseconds, for interval logs. `None` where empty.
    #[must_use]
    pub const fn hdr(&self) -> Option<&hdrhistogram::Histogram<u64>> {
        self.counts.as_ref()
    }

    /// As an interval log has it: V2, deflated, base64. Empty text where there is no sample.
    ///
    /// # Errors
    ///
    /// Where the encoder refuses, which it does for a count beyond `i64::MAX`.
    pub fn to_base64(&self) -> Result<String, V2DeflateSerializeError> {
        let Some(counts) = &self.counts else { return Ok(String::new()) };
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(counts, &mut bytes)?;
        Ok(STANDARD.encode(bytes))
    }

    fn no_counts() -> hdrhistogram::Histogram<u64> {
        hdrhistogram::Histogram::new_with_bounds(1, LONGEST_NS, DIGITS)
            .expect("1 to LONGEST_NS are bounds, and DIGITS is 5 at most")
    }
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

/// How a histogram travels: readable by other HdrHistogram tools.
#[derive(Serialize, Deserialize)]
struct Encoded {
    hdr: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    saturated: u64,
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl<const DIGITS: u8> From<Histogram<DIGITS>> for Encoded {
    fn from(histogram: Histogram<DIGITS>) -> Self {
        let hdr = histogram.to_base64().expect("no count is beyond i64::MAX");
        Self { hdr, saturated: histogram.saturated }
    }
}

mod encoded;

/// Why text is no histogram.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    /// It is not base64.
    #[error("histogram is not base64")]
    Base64(#[from] base64::DecodeError),
    /// The base64 holds no HdrHistogram.
    #[error("histogram does not decode")]
    Hdr(#[from] DeserializeError),
    /// It is cut off, or longer than any of its precision.
    #[error("histogram is cut off, or longer than it says")]
    Length,
    /// Counts that nobody can have counted.
    #[error("histogram counts more than can be counted")]
    Counts,
    /// More samples beyond the longest duration than there are.
    #[error("histogram has {samples} samples, and {saturated} of them too long to keep")]
    Saturated {
        /// All.
        samples: u64,
        /// Those kept as [`LONGEST_NS`].
        saturated: u64,
    },
    /// Another range or precision than this program uses.
    #[error(
        "histogram holds {low}..={high} ns to {digits} digits, expected 1..={LONGEST_NS} ns to {expected}"
    )]
    Bounds {
        /// Its lowest discernible value.
        low: u64,
        /// Its highest value.
        high: u64,
        /// Its significant digits.
        digits: u8,
        /// The digits that it should have.
        expected: u8,
    },
}

impl<const DIGITS: u8> TryFrom<Encoded> for Histogram<DIGITS> {
    type Error = HistogramError;

    fn try_from(encoded: Encoded) -> Result<Self, Self::Error> {
        let saturated = encoded.saturated;
        let mut histogram = Self { counts: None, saturated };
        if !encoded.hdr.is_empty() {
            let inflated = encoded::inflate(&STANDARD.decode(encoded.hdr)?)?;
            encoded::check(&inflated, DIGITS)?;
            let counts = Deserializer::new().deserialize(&mut inflated.as_slice())?;
            histogram.counts = Some(counts).filter(|counts| !counts.is_empty());
        }
        match histogram.count() {
            samples if samples < saturated => Err(HistogramError::Saturated { samples, saturated }),
            _ => Ok(histogram),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A histogram of `samples`, ns.
    pub(crate) fn of(samples: &[u64]) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        samples.iter().for_each(|&nanos| histogram.record_ns(nanos));
        histogram
    }

    #[test]
    fn an_empty_one_has_no_figures() {
        let empty = LatencyHistogram::default();
        assert!(empty.is_empty() && empty.count() == 0 && empty.curve().is_empty());
        assert_eq!((empty.mean_us(), empty.max_us(), empty.percentile_us(0.5)), (None, None, None));
        assert!(!empty.percentile_supported(0.5) && !empty.percentile_supported(1.0));
        assert_eq!(serde_json::to_string(&empty).unwrap(), r#"{"hdr":""}"#);
        assert_eq!(serde_json::from_str::<LatencyHistogram>(r#"{"hdr":""}"#).unwrap(), empty);
    }

    #[test]
    fn beyond_an_hour_it_saturates_and_says_so() {
        let mut histogram = of(&[u64::MAX, LONGEST_NS]);
        histogram.record(Duration::MAX);
        assert_eq!((histogram.count(), histogram.saturated()), (3, 2));
        assert!((histogram.max_us().unwrap() / 3.6e9 - 1.0).abs() < 1e-3);
        let json = serde_json::to_string(&histogram).unwrap();
        assert_eq!(serde_json::from_str::<LatencyHistogram>(&json).unwrap(), histogram);
    }

    #[test]
    fn a_percentile_needs_ten_samples_beyond_it() {
        let hundred = of(&(1..=100).map(|ms| ms * 1_000_000).collect::<Vec<_>>());
        assert!(hundred.percentile_supported(0.9) && !hundred.percentile_supported(0.91));
        assert_eq!(hundred.supported_percentile_us(0.99), None);
        let p90 = hundred.supported_percentile_us(0.9).unwrap();
        assert!((p90 / 90_000.0 - 1.0).abs() < 1e-3, "{p90}");
        assert!(of(&[5]).percentile_supported(0.5) && of(&[5]).percentile_supported(1.0));
    }

    #[test]
    fn a_curve_rises_from_the_least_to_the_most() {
        let curve = of(&(1..=10_000).map(|us| us * 1_000).collect::<Vec<_>>()).curve();
        assert!((100..=201).contains(&curve.len()), "{}", curve.len());
        assert!(curve.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1));
        let (quantile, max) = curve[curve.len() - 1];
        assert!((quantile - 0.9999).abs() < 1e-12 && (max / 10_000.0 - 1.0).abs() < 1e-3);
        assert_eq!(of(&[1_000]).curve(), [(0.0, 1.0)]);
    }

    /// The size that a text claims is not believed before it is looked at.
    #[test]
    fn what_is_no_histogram_is_refused() {
        let refused =
            |json: &str| serde_json::from_str::<LatencyHistogram>(json).unwrap_err().to_string();
        let encoded = |low: u64, high: u64, digits: u32, length: u32, counts: &[u8]| {
            let mut inner = 0x1c84_9313_u32.to_be_bytes().to_vec();
            for word in [length, 0, digits] {
                inner.extend(word.to_be_bytes());
            }
            inner.extend([low.to_be_bytes(), high.to_be_bytes(), 1_f64.to_be_bytes()].concat());
            inner.extend(counts);
            let mut deflated = Vec::new();
            let mut encoder = flate2::read::ZlibEncoder::new(inner.as_slice(), Default::default());
            std::io::Read::read_to_end(&mut encoder, &mut deflated).unwrap();
            let mut bytes = 0x1c84_9314_u32.to_be_bytes().to_vec();
            bytes.extend((deflated.len() as u32).to_be_bytes());
            bytes.extend(deflated);
            format!(r#"{{"hdr":"{}"}}"#, STANDARD.encode(bytes))
        };
        let most = [0xff; 9];
        let least = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        for (json, part) in [
            (r#"{"hdr":"nonsense!"}"#.to_owned(), "not base64"),
            (r#"{"hdr":"AAAA"}"#.to_owned(), "cut off"),
            (r#"{"hdr":"HISTFAAAAAR42g=="}"#.to_owned(), "does not decode"),
            (r#"{"hdr":"","saturated":1}"#.to_owned(), "0 samples, and 1 of them"),
            (encoded(1, u64::MAX, 5, 0, &[]), "expected 1..=3600000000000 ns to 3"),
            (encoded(1, LONGEST_NS, 3, u32::MAX, &[2]), "longer than it says"),
            (encoded(1, LONGEST_NS, 3, 9, &most), "more than can be counted"),
            (encoded(1, LONGEST_NS, 3, 9, &least), "more than can be counted"),
            (encoded(1, LONGEST_NS, 3, 1, &[0x80]), "cut off"),
            (encoded(1, LONGEST_NS, 3, 1 << 21, &vec![0; 1 << 21]), "longer than it says"),
            (encoded(1, LONGEST_NS, 3, 300_000, &vec![2; 300_000]), "does not decode"),
        ] {
            let error = refused(&json);
            assert!(error.contains(part), "{json:.80}: {error}");
        }
        let one = serde_json::from_str::<LatencyHistogram>(&encoded(1, LONGEST_NS, 3, 1, &[2]));
        assert_eq!(one.unwrap().count(), 1);
    }

    #[test]
    fn another_precision_is_refused() {
        let json = serde_json::to_string(&of(&[1])).unwrap();
        let error = serde_json::from_str::<Histogram<2>>(&json).unwrap_err().to_string();
        assert!(error.contains("expected 1..=3600000000000 ns to 2"), "{error}");
    }

    proptest! {
        #[test]
        fn figures_keep_three_digits_and_survive_json(
            mut samples in prop::collection::vec(100..LONGEST_NS, 1..200)
        ) {
            let (left, right) = samples.split_at(samples.len() / 2);
            let mut merged = of(left);
            merged.merge(&of(right));
            prop_assert_eq!(&merged, &of(&samples));
            let json = serde_json::to_string(&merged).unwrap();
            prop_assert_eq!(&serde_json::from_str::<LatencyHistogram>(&json).unwrap(), &merged);

            samples.sort_unstable();
            for quantile in [0.25_f64, 0.5, 0.9, 1.0] {
                let rank = (quantile * samples.len() as f64).ceil().max(1.0);
                let exact = micros(samples[rank as usize - 1]);
                let got = merged.percentile_us(quantile).unwrap();
                prop_assert!((got / exact - 1.0).abs() <= 1e-3, "{got} for {exact}");
            }
            let mean = samples.iter().map(|&s| s as f64).sum::<f64>() / samples.len() as f64;
            prop_assert!((merged.mean_us().unwrap() * 1e3 / mean - 1.0).abs() <= 1e-3);
        }
    }
}
