//! The schema of records: it has what is written, and only that. Each record that a test of the binary leaves is
//! held against it where it is made (`common`).

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::schema::problems;

fn reference() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/reference/run.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_reference_run_is_a_record() {
    assert_eq!(problems(&reference()), Vec::<String>::new());
}

#[test]
fn what_is_no_record_is_told_by_its_place() {
    let changed = |pointer: &str, value: Value| {
        let mut record = reference();
        *record.pointer_mut(pointer).expect("the reference run has it") = value;
        problems(&record).join("\n")
    };
    for (pointer, value) in [
        ("/format", json!("1")),
        ("/trials/0/connected", json!(-1)),
        ("/trials/0/id/transport", json!(3)),
        ("/trials/0/measured/counters/requests", json!(0.5)),
        ("/scenario/delivery", json!("some")),
        ("/trials/0/resources/server_cpu/total/nanos", json!(1_000_000_000)),
    ] {
        let found = changed(pointer, value);
        let (place, _) = found.split_once(": ").expect("a problem has its place");
        assert!(
            place.len() > 1 && pointer.starts_with(place) || pointer == place,
            "{pointer}: {found}"
        );
    }
    // A member that nobody described, and one that is missing.
    let mut record = reference();
    record["trials"][0]["measured"]["luck"] = json!(1);
    assert!(problems(&record).join("\n").contains("luck"));
    let mut record = reference();
    record.as_object_mut().unwrap().remove("trials");
    assert!(problems(&record).join("\n").contains("trials"));
}
