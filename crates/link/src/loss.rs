//! Which packets a line loses.
//!
//! In bursts, losses follow the two states of Gilbert ("Capacity of a Burst-Noise Channel", Bell
//! System Technical Journal, 1960), which Elliott generalised ("Estimates of Error Rates for Codes on
//! Burst-Noise Channels", ibid., 1963): a line is good or bad, goes from one to the other with a
//! probability for each packet, and here loses all packets while it is bad and none while it is good.
//! Those probabilities follow from what a user knows, the share π of packets lost and the mean number L
//! of packets lost in a row: a bad line turns good with r = 1 / L, a good one bad with
//! p = r π / (1 − π).

use pushbench_core::link::BurstLength;
use pushbench_core::units::Share;

/// The losses of one direction of one line. In bursts it has a state, so that it must see all packets
/// of the line in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// A packet is lost if its draw is below this: on a line not yet used, after one that arrived, and
    /// after one that was lost.
    first: u64,
    after_arrived: u64,
    after_lost: u64,
    last: Last,
}

/// The fate of the packet before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    None,
    Arrived,
    Lost,
}

impl Loss {
    /// Losses of a `share` of packets, `burst` in a row on average; each by itself without.
    #[must_use]
    pub fn new(share: Share, burst: Option<BurstLength>) -> Self {
        let lost = share.0;
        let (after_arrived, after_lost) = match burst {
            None => (lost, lost),
            Some(burst) => {
                let turns_good = 1.0 / burst.packets();
                (turns_good * lost / (1.0 - lost), 1.0 - turns_good)
            }
        };
        Self {
            // As on a line that has been in use for long, so that the share holds from the first packet.
            first: bound(lost),
            after_arrived: bound(after_arrived),
            after_lost: bound(after_lost),
            last: Last::None,
        }
    }

    /// Whether the next packet is lost, by 64 random bits.
    pub const fn takes(&mut self, draw: u64) -> bool {
        let bound = match self.last {
            Last::None => self.first,
            Last::Arrived => self.after_arrived,
            Last::Lost => self.after_lost,
        };
        let is_lost = draw < bound;
        self.last = if is_lost { Last::Lost } else { Last::Arrived };
        is_lost
    }
}

/// The number below which a share `probability` of all 64-bit numbers lie, to 2⁻⁵³ of it.
fn bound(probability: f64) -> u64 {
    const ALL: f64 = 18_446_744_073_709_551_616.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a probability times 2⁶⁴; the cast saturates where that is 2⁶⁴ itself"
    )]
    let bound = (probability * ALL) as u64;
    bound
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::observe::ledger::Direction;

    use super::*;
    use crate::random::Stream;

    const PACKETS: u64 = 1_000_000;

    /// Packets lost of a million, and the runs of losses.
    fn million(seed: u64, share: f64, burst: Option<f64>) -> (u64, u64) {
        let burst = burst.map(|packets| BurstLength::of(packets).unwrap());
        let (mut loss, stream) =
            (Loss::new(Share(share), burst), Stream::new(seed, 3, Direction::Down));
        let (mut lost, mut runs, mut before) = (0, 0, false);
        for packet in 0..PACKETS {
            let is_lost = loss.takes(stream.loss(packet));
            lost += u64::from(is_lost);
            runs += u64::from(is_lost && !before);
            before = is_lost;
        }
        (lost, runs)
    }

    /// Half the width of the 99.99 % interval of the losses in a million packets, by the normal
    /// distribution. The variance of a two-state chain is that of independent losses times
    /// (1 + ρ) / (1 − ρ), where ρ = 1 − p − r is by how much a packet's fate hangs on the one before.
    fn half_width(share: f64, burst: Option<f64>) -> f64 {
        let rho = burst.map_or(0.0, |mean| 1.0 - 1.0 / (mean * (1.0 - share)));
        3.8906 * (PACKETS as f64 * share * (1.0 - share) * (1.0 + rho) / (1.0 - rho)).sqrt()
    }

    #[test]
    fn a_million_packets_lose_the_share_in_bursts_of_the_mean_length() {
        let cases = [
            (0.001, None),
            (0.01, None),
            (0.05, None),
            (0.5, None),
            (0.01, Some(1.0)),
            (0.01, Some(4.0)),
            (0.05, Some(10.0)),
            (0.5, Some(2.0)),
        ];
        for (share, burst) in cases {
            for seed in 1..=3 {
                let (lost, runs) = million(seed, share, burst);
                let off = (lost as f64 - share * PACKETS as f64).abs();
                let half = half_width(share, burst);
                assert!(off <= half, "{share} {burst:?} seed {seed}: off by {off}, at most {half}");
                // Independent losses come 1 / (1 − share) in a row.
                let (mean, expected) =
                    (lost as f64 / runs as f64, burst.unwrap_or(1.0 / (1.0 - share)));
                let about = (mean / expected - 1.0).abs();
                assert!(about <= 0.05, "{share} {burst:?} seed {seed}: {mean} in a row");
            }
        }
    }

    #[test]
    fn nothing_is_lost_where_nothing_shall_be() {
        let mut loss = Loss::new(Share(0.0), None);
        assert!(![0, 1, u64::MAX].into_iter().any(|draw| loss.takes(draw)));
        assert_eq!(million(1, 0.0, Some(5.0)).0, 0);
    }

    /// A thousand clients with one packet each lose the share, too.
    #[test]
    fn the_share_holds_from_the_first_packet() {
        let (mut lost, burst) = (0, BurstLength::of(10.0));
        for client in 0..100_000 {
            let stream = Stream::new(1, client, Direction::Up);
            lost += u32::from(Loss::new(Share(0.1), burst).takes(stream.loss(0)));
        }
        // 3.89 standard deviations of √(100,000 × 0.1 × 0.9) = 94.9 are 369.
        assert!(lost.abs_diff(10_000) <= 369, "{lost} of 100,000");
    }
}
