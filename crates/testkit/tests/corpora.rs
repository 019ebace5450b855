//! The corpora of the fuzz targets, on a stable compiler: a fault that was once found stays found.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use pushbench_testkit::properties::PROPERTIES;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    listed.map(|entry| entry.expect("a file of it").path()).collect()
}

#[test]
fn each_property_has_a_corpus_and_holds_of_all_of_it() {
    for (name, holds) in PROPERTIES {
        let inputs = entries(&fuzz().join("corpus").join(name));
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for path in inputs {
            let input = fs::read(&path).unwrap();
            let held = panic::catch_unwind(AssertUnwindSafe(|| holds(&input)));
            assert!(held.is_ok(), "{name} does not hold of {}", path.display());
        }
    }
}

#[test]
fn each_corpus_and_each_fuzz_target_has_a_property() {
    let names = |folder: &str| -> BTreeSet<String> {
        let name = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
        entries(&fuzz().join(folder)).into_iter().map(name).collect()
    };
    let properties: BTreeSet<_> = PROPERTIES.map(|(name, _)| name.to_owned()).into();
    assert_eq!((names("corpus"), names("fuzz_targets")), (properties.clone(), properties));
}
