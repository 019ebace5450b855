//! Ciphers of TLS: which instructions the processor has for them, and what sealing costs here.

use std::io;
use std::time::Duration;

use pushbench_core::tls::Cipher;
use pushbench_os::machine::instructions;
use pushbench_os::time::clock;
use pushbench_report::human;
use pushbench_tls::{MAX_PLAINTEXT, MAX_RECORD, Sealer};
use serde::Serialize;

use super::check::Check;

const TLS: &str = "TLS";

/// Bytes of a small message.
const SMALL: usize = 64;

/// Time for each cipher and size.
const SLICE: Duration = Duration::from_millis(20);

/// Parts of it: the fastest one counts, since nothing makes a cipher faster than it is.
const PARTS: u32 = 10;

/// Records sealed between two readings of the clock.
const BATCH: u32 = 16;

/// A variable that has the library of ciphers do without the processor's instructions, also where
/// it is empty.
const MASK: &str = "OPENSSL_ia32cap";

/// The ciphers on this machine.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Ciphers {
    /// Instructions for AES that the processor has; nothing where they are not known.
    instructions: Option<Vec<&'static str>>,
    /// The environment may keep them from being used.
    masked: bool,
    sealing: Vec<Sealing>,
}

/// The cost of sealing a record with a cipher.
#[derive(Debug, Clone, Serialize)]
struct Sealing {
    cipher: Cipher,
    /// Of 64 bytes, ns.
    small_ns: f64,
    /// Of 16 KiB, ns.
    large_ns: f64,
}

impl Ciphers {
    /// Looks, and measures each cipher for a moment.
    pub(super) fn measure() -> io::Result<Self> {
        let known = [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::Chacha20Poly1305];
        let sealing: io::Result<Vec<Sealing>> = known.into_iter().map(Sealing::measure).collect();
        Ok(Self {
            instructions: instructions::of_aes(),
            masked: std::env::var_os(MASK).is_some(),
            sealing: sealing?,
        })
    }

    /// The findings, and what to change.
    pub(super) fn checks(&self) -> Vec<Check> {
        let in_hardware = self.instructions.as_ref().is_none_or(|found| found.len() > 1);
        let found = match &self.instructions {
            None => "not known on this architecture".to_owned(),
            Some(found) if found.is_empty() => "none".to_owned(),
            Some(found) => found.join(", "),
        };
        let mut checks = vec![Check::new(TLS, "instructions for AES", found).limited_unless(
            in_hardware,
            "use a processor that has them, or --tls-cipher chacha20-poly1305, which needs none",
        )];
        if self.masked {
            let found = format!("{MASK} is set, which turns instructions for AES off");
            checks.push(
                Check::new(TLS, "environment", found)
                    .limited_unless(false, format!("unset {MASK}")),
            );
        }
        checks.extend(self.sealing.iter().map(Sealing::check));
        checks
    }
}

impl Sealing {
    fn measure(cipher: Cipher) -> io::Result<Self> {
        let mut sealer = Sealer::to_measure(cipher)?;
        let small_ns = ns_each(&mut sealer, SMALL)?;
        let large_ns = ns_each(&mut sealer, MAX_PLAINTEXT)?;
        Ok(Self { cipher, small_ns, large_ns })
    }

    fn check(&self) -> Check {
        let [small, large] = [self.small_ns, self.large_ns].map(|ns| human::time(ns / 1e3));
        let megabytes = MAX_PLAINTEXT as f64 / self.large_ns * 1e3;
        let found = format!("64 B sealed in {small}, 16 KiB in {large}: {megabytes:.0} MB/s");
        Check::new(TLS, self.cipher.to_string(), found)
    }
}

/// The cost of sealing a record of so many bytes, ns.
fn ns_each(sealer: &mut Sealer, bytes: usize) -> io::Result<f64> {
    let (plaintext, mut record) = (vec![b'x'; bytes], vec![0; MAX_RECORD]);
    let mut least = f64::INFINITY;
    for _ in 0..PARTS {
        let (begin, mut now, mut count) = (clock::now(), clock::now(), 0);
        while now.saturating_since(begin) < SLICE / PARTS {
            for _ in 0..BATCH {
                sealer.seal(&plaintext, &mut record)?;
            }
            (now, count) = (clock::now(), count + BATCH);
        }
        least = least.min(now.saturating_since(begin).as_secs_f64() * 1e9 / f64::from(count));
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckStatus;
    use super::*;

    #[test]
    fn each_cipher_is_measured_and_a_processor_without_instructions_is_told() {
        let measured = Ciphers::measure().unwrap();
        assert_eq!(measured.sealing.len(), 3);
        for sealing in &measured.sealing {
            assert!(0.0 < sealing.small_ns && sealing.small_ns < sealing.large_ns, "{sealing:?}");
        }
        let amiss = |instructions: &[&'static str], masked| {
            let instructions = Some(instructions.to_vec());
            let ciphers = Ciphers { instructions, masked, ..measured.clone() };
            let checks = ciphers.checks();
            assert!(checks.iter().all(|it| it.remedy.is_some() == (it.status != CheckStatus::Ok)));
            let amiss = checks.into_iter().filter(|check| check.status != CheckStatus::Ok);
            amiss.map(|check| check.name).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(amiss(&["AES-NI", "PCLMULQDQ"], false), "");
        // Without those of the mode, AES alone does not help.
        assert_eq!(amiss(&["AES-NI"], false), "instructions for AES");
        assert_eq!(amiss(&[], false), "instructions for AES");
        assert_eq!(amiss(&["AES-NI", "PCLMULQDQ"], true), "environment");
    }
}
