//! The servers of a run that are somebody else's, in words.

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::subject::SubjectRecord;

/// A line for each of them, with its version, and one for what is the same of all.
pub(crate) fn of_run(record: &RunRecord) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for subject in record.standing().filter_map(|trial| trial.subject.as_ref()) {
        let about = record.subjects.iter().find(|it| it.name == subject.name);
        let line = words(subject, about.map(|subject| subject.about.as_str()));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if !lines.is_empty() {
        let cost = "The CPU and memory of such a server are those of all its processes; what it cost to \
                    give it the messages is no part of them.";
        lines.push(cost.to_owned());
    }
    lines
}

fn words(subject: &SubjectRecord, about: Option<&str>) -> String {
    let version = subject.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let about = about.map(|about| format!(": {about}")).unwrap_or_default();
    format!("Server {}{version}{about}.", subject.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_with_its_version_and_how_it_is_set_up() {
        let name = "mine".parse().unwrap();
        let mut subject = SubjectRecord { name, version: Some("1.2".to_owned()) };
        assert_eq!(words(&subject, Some("one process")), "Server mine 1.2: one process.");
        subject.version = None;
        assert_eq!(words(&subject, None), "Server mine.");
    }
}
