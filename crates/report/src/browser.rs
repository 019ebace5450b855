//! The browsers of a run, in words.

use std::time::Duration;

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::browser::BrowserMeasured;

/// The browsers that played clients, and how such a row differs from others.
pub(crate) fn of_run(record: &RunRecord) -> Vec<String> {
    let browsers: Vec<&BrowserMeasured> =
        record.standing().filter_map(|trial| trial.browser.as_ref()).collect();
    let Some(first) = browsers.first() else { return Vec::new() };
    let bound = |of: fn(&BrowserMeasured) -> Duration| {
        browsers.iter().map(|browser| of(browser)).max().unwrap_or_default().as_secs_f64() * 1e3
    };
    let sandbox = if first.sandboxed { "" } else { ", without its sandbox as root has it" };
    let place = if first.hides { "behind another, out of sight" } else { "in a window of its own" };
    let name = &first.version;
    vec![
        format!(
            "Browser {name}{sandbox}: each client a tab {place}, all of one browser. \
             Its instants are known to {:.2} ms before the window and to {:.2} ms behind it.",
            bound(|it| it.bound_before),
            bound(|it| it.bound_after)
        ),
        "Its load CPU and memory are those of all its processes, without what it takes when it has \
         no tabs. Its bytes are those that the server's kernel counted, which are not told apart by layer above TCP."
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_browser_is_told_with_its_version_and_the_bounds_of_its_clock() {
        let mut record = fixture::quick();
        assert_eq!(of_run(&record), [""; 0]);
        record.trials[0].browser = Some(BrowserMeasured {
            version: "Chrome/1.2".to_owned(),
            sandboxed: false,
            bound_before: Duration::from_micros(150),
            bound_after: Duration::from_micros(90),
            ..BrowserMeasured::default()
        });
        let lines = of_run(&record);
        assert!(lines[0].starts_with("Browser Chrome/1.2, without its sandbox"), "{lines:?}");
        assert!(lines[0].contains("0.15 ms before the window and to 0.09 ms behind"), "{lines:?}");
    }
}
