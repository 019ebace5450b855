//! The memory of compressors and decompressors, as the allocator counts it.

use std::alloc::System;

use pushbench_core::deflate::{DeflateSettings, MemLevel, WindowBits};
use pushbench_protocol::deflate::{Compressor, Decompressor};
use pushbench_protocol::gzip::{GzipReader, GzipWriter};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The bytes that a value holds, itself and what it has allocated.
fn held<T>(make: impl FnOnce() -> T) -> u64 {
    let region = Region::new(ALLOCATOR);
    let value = make();
    let change = region.change();
    drop(value);
    (change.bytes_allocated - change.bytes_deallocated + size_of::<T>()) as u64
}

fn about(claimed: u64, held: u64, what: &str) {
    let (least, most) = (claimed * 99 / 100, claimed * 101 / 100);
    assert!((least..=most).contains(&held), "{what}: {held} bytes are held, {claimed} are claimed");
}

/// A single test, since whatever runs beside it would be counted too.
#[test]
fn contexts_hold_the_memory_that_they_are_said_to() {
    for window in 9..=15 {
        for level in 1..=9 {
            let (window, memory) =
                (WindowBits::try_from(window).unwrap(), MemLevel::try_from(level).unwrap());
            let settings = DeflateSettings { window, memory, ..DeflateSettings::default() };
            let claimed = Compressor::memory(window, memory);
            let what = format!("{settings:?}");
            about(claimed, held(|| Compressor::new(settings, true)), &what);
            about(claimed, held(|| GzipWriter::new(settings)), &what);
        }
    }
    let worked = held(|| {
        let mut compressor = Compressor::new(DeflateSettings::default(), true);
        let mut out = Vec::new();
        compressor.push(&[7; 200_000], &mut out);
        drop(out);
        compressor
    });
    about(Compressor::memory(WindowBits::MAX, MemLevel::default()), worked, "at work");
    about(Decompressor::memory(), held(|| Decompressor::new(true, 1 << 20)), "inflate");
    about(Decompressor::memory(), held(|| GzipReader::new(1 << 20)), "gzip");
}
