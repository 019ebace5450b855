//! `load` with a feed that a file describes, at a path that the user names.
use std::fs;

use serde_json::Value;

use crate::common::{Serving, outcome};

/// A pushbench server is as good as any other whose streams begin with what is published next: it
/// is asked for nothing but the path.
#[test]
fn streams_of_any_server_are_measured_by_the_schedule_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--rate", "50/s"]);
    let feed = ureq::get(format!("{}/feed", server.url)).call().unwrap();
    let feed = feed.into_body().read_to_string().unwrap();
    fs::write(folder.path().join("feed.json"), feed).unwrap();
    for (contender, path) in [("websocket", "/feed/ws"), ("sse", "/feed/sse")] {
        let (status, stdout, stderr) = outcome(
            folder.path(),
            &[
                "load",
                "--target",
                &server.url,
                "--feed",
                "feed.json",
                "--path",
                path,
                "-t",
                contender,
                "-c",
                "3",
                "-w",
                "200ms",
                "-d",
                "1s",
                "--json",
            ],
        );
        // A machine that stalls makes the trial invalid, and its audit stands.
        assert!(status == 0 || status == 3, "{contender}: {stderr}");
        let record: Value = serde_json::from_str(&stdout).unwrap();
        let audit = &record["trials"][0]["measured"]["audit"];
        assert_eq!(
            (&audit["expected"], &audit["delivered"]),
            (&150.into(), &150.into()),
            "{audit}"
        );
    }
}
