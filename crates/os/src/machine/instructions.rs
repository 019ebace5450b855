//! Instructions of the processor that ciphers are made of.

/// Instructions for AES and for Galois/Counter mode that the processor has, by their names, those of
/// AES itself first; `None` on an architecture of which they are not known.
#[must_use]
pub fn of_aes() -> Option<Vec<&'static str>> {
    let found = every()?.into_iter().filter_map(|(name, has)| has.then_some(name));
    Some(found.collect())
}

#[cfg(target_arch = "x86_64")]
fn every() -> Option<Vec<(&'static str, bool)>> {
    use std::is_x86_feature_detected as has;
    Some(vec![
        ("AES-NI", has!("aes")),
        ("PCLMULQDQ", has!("pclmulqdq")),
        ("VAES", has!("vaes")),
        ("VPCLMULQDQ", has!("vpclmulqdq")),
    ])
}

#[cfg(target_arch = "aarch64")]
fn every() -> Option<Vec<(&'static str, bool)>> {
    use std::arch::is_aarch64_feature_detected as has;
    Some(vec![("AES", has!("aes")), ("PMULL", has!("pmull"))])
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn every() -> Option<Vec<(&'static str, bool)>> {
    None
}
