//! Results that cannot be written: what was measured is shown all the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::outcome;

const TRIAL: [&str; 8] = ["run", "-t", "websocket", "-c", "2", "-d", "200ms", "-r"];

/// Runs the binary where no file can grow beyond `blocks` of 512 bytes, which it is told as it
/// would be of a full disk.
fn run_with_small_files(folder: &Path, blocks: u32, args: &[&str]) -> (i32, String, String) {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_pushbench")])
        .args(args)
        .env("PUSHBENCH_ALLOW_BUSY", "1")
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A chart of a disk that is full, then the record itself of one that was full before.
#[test]
fn a_full_disk_ends_with_status_1_behind_the_table() {
    for blocks in [40, 2] {
        let folder = tempfile::tempdir().unwrap();
        let args = [&TRIAL[..], &["1"]].concat();
        let (status, stdout, stderr) = run_with_small_files(folder.path(), blocks, &args);
        assert_eq!(status, 1, "{blocks}: {stdout}{stderr}");
        assert!(
            stderr.contains("error: cannot write") && stderr.contains("free space"),
            "{stderr}"
        );
        assert!(stdout.contains("latency p50") && stdout.contains("websocket"), "{stdout}");
        assert!(stdout.contains("Results: "), "{stdout}");
    }
}

/// A folder stands where the link `latest` should be, as where a file system has no links.
#[test]
fn a_link_that_cannot_be_made_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("results/latest/kept")).unwrap();
    let (status, stdout, stderr) = outcome(folder.path(), &[&TRIAL[..], &["1"]].concat());
    assert!(status == 0 || status == 3, "{status}: {stderr}");
    assert!(stderr.contains("warning: cannot point"), "{stderr}");
    assert!(stdout.contains("latency p50"), "{stdout}");
    assert!(folder.path().join("results/latest/kept").exists());
}
