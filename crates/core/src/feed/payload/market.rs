//! Quotes of a market in JSON, of a few symbols that are much alike, and of many that are not.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::feed::message::{JSON_SEQ_START, SEQ_DIGITS, Seq};
use crate::random;

/// Streams of random numbers, one for each use.
const SYMBOL_STREAM: u64 = 12;
const PRICE_STREAM: u64 = 13;
const QUOTE_STREAM: u64 = 14;

const START: &str = ",\"quotes\":[";
const AT: &str = ",\"at\":";
const END: &str = "]}";

/// The bytes of a message around its quotes.
const AROUND: usize = JSON_SEQ_START.len() + SEQ_DIGITS + 1 + START.len() + END.len();

const PRICE_BYTES: usize = r#"{"sym":"ACME","px":100.00}"#.len();
/// Of the shortest quote, and of the longest.
const QUOTE_BYTES: [usize; 2] = [
    r#"{"sym":"ME","bp":100.00,"bs":9,"ap":100.01,"as":9,"t":34200000}"#.len(),
    r#"{"sym":"ACME","bp":100.00,"bs":99,"ap":100.01,"as":99,"t":34200000}"#.len(),
];

/// The fewest bytes of a message of one price.
pub(super) const TICKER_LEAST: usize = AROUND + PRICE_BYTES;
/// The fewest bytes that any quote fits.
pub(super) const QUOTES_LEAST: usize = AROUND + QUOTE_BYTES[1];

/// Ticker symbols, all of four letters so that every quote has the same size.
const SYMBOLS: [&str; 8] = ["ACME", "BLUE", "CRUX", "DELT", "ECHO", "FLUX", "GRID", "HALO"];

/// `{"seq":"0000000001","quotes":[{"sym":"ACME","px":412.07}]}`; with an instant,
/// `{"seq":"0000000001","at":1732612345678901,"quotes":[]}`, in the place of a quote or of spaces.
pub(super) fn ticker(seed: u64, seq: Seq, bytes: usize, at_us: Option<u64>) -> Bytes {
    let start = random::bits(seed, SYMBOL_STREAM, seq.0);
    list((seq, at_us), bytes, PRICE_BYTES, |text, index| {
        let symbol = usize::try_from(start.wrapping_add(index) % 8).unwrap_or(0);
        let price = price(seed, symbol, seq.0);
        // Writing to a String cannot fail.
        let _ = write!(text, r#"{{"sym":"{}","px":{price:.2}}}"#, SYMBOLS[symbol]);
    })
}

/// The symbols of [`quotes`], of which few are quoted often and most seldom.
const LISTED: f64 = 256.0;

/// The hours of trade, from 9:30 to 16:00, in milliseconds of a day.
const OPEN: u64 = 34_200_000;
const TRADE: u64 = 23_400_000;

/// Best bid and offer: price and size of each, in lots, and a time of day in milliseconds, which is
/// made up too.
/// `{"seq":"0000000001","quotes":[{"sym":"ME","bp":412.07,"bs":3,"ap":412.09,"as":12,"t":34200040}]}`.
pub(super) fn quotes(seed: u64, seq: Seq, bytes: usize) -> Bytes {
    list((seq, None), bytes, QUOTE_BYTES[0], |text, index| {
        // 2²⁰ is more than the quotes of a message.
        let at = seq.0.wrapping_mul(1 << 20).wrapping_add(index);
        let draw = |stream: u64| random::uniform(seed, QUOTE_STREAM + (stream << 8), at);
        let rank = skewed(LISTED, draw(0));
        let step = seq.0.wrapping_mul(64).wrapping_add(index);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 1000")]
        let bid = ((price(seed, rank, step) * 100.0) as u32).min(99_900);
        let ask = bid + u32::try_from(skewed(9.0, draw(1))).unwrap_or(1);
        let (bid_size, ask_size) = (skewed(99.0, draw(2)), skewed(99.0, draw(3)));
        let time = seq.0.wrapping_mul(200).wrapping_add(index * 3) + skewed(3.0, draw(4)) as u64;
        let time = OPEN + time % TRADE;
        text.push_str(r#"{"sym":""#);
        push_symbol(rank, text);
        let (bid, bid_cents, ask, ask_cents) = (bid / 100, bid % 100, ask / 100, ask % 100);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            r#"","bp":{bid}.{bid_cents:02},"bs":{bid_size},"ap":{ask}.{ask_cents:02},"as":{ask_size},"t":{time}}}"#
        );
    })
}

/// A whole number from 1 to below `limit`, for a `uniform` one: n is drawn about 1/n times as often
/// as 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to `limit`")]
fn skewed(limit: f64, uniform: f64) -> usize {
    limit.powf(uniform) as usize
}

/// The symbol of a rank: two to four letters, seemingly at random.
fn push_symbol(rank: usize, text: &mut String) {
    let mut letters = random::mix(rank as u64);
    for _ in 0..2 + letters % 3 {
        letters = random::mix(letters);
        text.push(char::from(b'A' + (letters % 26) as u8));
    }
}

/// As many quotes as fit, of at least `least` bytes each, written one by one, then spaces, which
/// JSON allows between tokens. Before them the message has its number and, maybe, its instant.
fn list(
    (seq, at_us): (Seq, Option<u64>),
    bytes: usize,
    least: usize,
    mut push: impl FnMut(&mut String, u64),
) -> Bytes {
    let mut text = String::with_capacity(bytes + QUOTES_LEAST);
    text.push_str(JSON_SEQ_START);
    // Ten ASCII digits.
    text.extend(seq.digits().map(char::from));
    text.push('"');
    if let Some(at_us) = at_us {
        // Writing to a String cannot fail.
        let _ = write!(text, "{AT}{at_us}");
    }
    text.push_str(START);
    for index in 0.. {
        let before = text.len();
        if before + usize::from(index > 0) + least + END.len() > bytes {
            break;
        }
        if index > 0 {
            text.push(',');
        }
        push(&mut text, index);
        if text.len() + END.len() > bytes {
            text.truncate(before);
            break;
        }
    }
    let spaces = bytes.saturating_sub(text.len() + END.len());
    text.extend(std::iter::repeat_n(' ', spaces));
    text.push_str(END);
    text.into_bytes().into()
}

/// A price between 100.00 and 999.99, always six characters: a random walk's value at `step`,
/// taken directly. Noise on each power of two of the step, with an amplitude that grows as the
/// square root of its time scale, has a random walk's spectrum without its history.
fn price(seed: u64, symbol: usize, step: u64) -> f64 {
    let stream = PRICE_STREAM + ((symbol as u64) << 8);
    let mut walk = 0.0;
    for level in 0..16 {
        let (index, within) = (step >> level, step & ((1 << level) - 1));
        let knot = |at: u64| 2.0 * random::uniform(seed, stream + (level << 16), at) - 1.0;
        #[expect(clippy::cast_precision_loss, reason = "below 2¹⁶")]
        let fraction = within as f64 / (1_u64 << level) as f64;
        let value = knot(index).mul_add(1.0 - fraction, knot(index + 1) * fraction);
        walk += value * f64::from(1_u32 << level).sqrt() * 0.05;
    }
    let middle = random::uniform(seed, stream, u64::MAX).mul_add(400.0, 300.0);
    (middle + walk).clamp(100.0, 999.99)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::Compression;
    use flate2::bufread::DeflateEncoder;

    use super::*;

    #[test]
    fn prices_walk_in_small_steps_and_go_somewhere() {
        let path: Vec<f64> = (1..5000).map(|step| price(9, 2, step)).collect();
        let largest = path.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
        assert!(largest < 2.0, "largest step {largest}");
        let (low, high) = path.iter().fold((f64::MAX, 0.0_f64), |(l, h), &p| (l.min(p), h.max(p)));
        assert!(high - low > 5.0, "range {low} to {high}");
    }

    /// The ratio at level 6, alone and without a header.
    fn ratio(payload: &[u8]) -> f64 {
        let mut deflated = Vec::new();
        let level = Compression::new(6);
        DeflateEncoder::new(payload, level).read_to_end(&mut deflated).unwrap();
        payload.len() as f64 / deflated.len() as f64
    }

    #[test]
    fn quotes_deflate_as_a_real_feeds_do_and_not_as_a_tickers() {
        for bytes in [1024, 10_240] {
            for (seed, seq) in (0..100).map(|number| (number % 7, 1 + number * number * 1000)) {
                let ratio = ratio(&quotes(seed, Seq(seq), bytes));
                assert!((2.5..=5.0).contains(&ratio), "{ratio} at {bytes} bytes, message {seq}");
            }
        }
        let ticker = ratio(&ticker(1, Seq(1), 10_240, None));
        assert!(ticker > 20.0, "{ticker}");
    }

    #[test]
    fn an_instant_takes_the_place_of_something_and_no_more_bytes() {
        for bytes in [TICKER_LEAST, 64, 80, 1_024] {
            let plain = ticker(1, Seq(7), bytes, None);
            let stamped = ticker(1, Seq(7), bytes, Some(1_732_612_345_678_901));
            assert_eq!((plain.len(), stamped.len()), (bytes, bytes));
            let value: serde_json::Value = serde_json::from_slice(&stamped).unwrap();
            assert_eq!(
                (&value["seq"], &value["at"]),
                (&"0000000007".into(), &1_732_612_345_678_901_u64.into())
            );
        }
    }

    #[test]
    fn quotes_are_of_many_symbols_and_a_bid_is_below_its_offer() {
        let mut symbols = std::collections::HashSet::new();
        for seq in 1..50 {
            let payload = quotes(3, Seq(seq), 10_240);
            let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            let quotes = value["quotes"].as_array().unwrap();
            assert!(quotes.len() > 140, "{} quotes", quotes.len());
            for quote in quotes {
                assert!(quote["bp"].as_f64() < quote["ap"].as_f64(), "{quote}");
                assert!(quote["bs"].as_u64() >= Some(1) && quote["as"].as_u64() >= Some(1));
                assert!((OPEN..OPEN + TRADE).contains(&quote["t"].as_u64().unwrap()));
                symbols.insert(quote["sym"].as_str().unwrap().to_owned());
            }
        }
        assert!(symbols.len() > 200, "{} symbols", symbols.len());
    }
}
