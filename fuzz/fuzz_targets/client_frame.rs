#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pushbench_testkit::properties::hold("client_frame", input));
