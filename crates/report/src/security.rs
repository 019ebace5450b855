//! The security of a run's connections in words: what both ends agreed on.

use pushbench_core::security::{Agreed, Secured};
use pushbench_core::tls::Tls;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::csv::point_of;
use crate::human;

/// The agreement of all connections of a run; `None` where none is in TLS, and where they differ,
/// so that it is said [point by point](of_point).
pub(crate) fn of_run(record: &RunRecord) -> Option<String> {
    match kinds(record, |_| true).as_slice() {
        [(only, _)] => Some(format!("TLS {only}.")),
        _ => None,
    }
}

/// The agreement of the connections at a point; `None` where none is in TLS, and where those of all
/// points are alike. That the trials of one point differ is told with how many had which.
pub(crate) fn of_point(record: &RunRecord, point: u32) -> Option<String> {
    if of_run(record).is_some() {
        return None;
    }
    match kinds(record, |trial| trial.id.point == point).as_slice() {
        [] => None,
        [(only, _)] => Some(format!("TLS {only}.")),
        several => {
            let each = several.iter().map(|(kind, trials)| {
                format!("{} agreed on {kind}", human::plural(*trials, "trial"))
            });
            let each = each.collect::<Vec<_>>().join("; ");
            Some(format!("TLS was not the same in all trials, compare with care: {each}."))
        }
    }
}

/// The agreements of the valid trials that `are_meant`, each once, with how many trials had it.
fn kinds(record: &RunRecord, are_meant: impl Fn(&TrialRecord) -> bool) -> Vec<(String, usize)> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    let trials = record.standing().filter(|trial| trial.is_valid() && are_meant(trial));
    let texts = trials.filter_map(|trial| {
        Some(words(trial.secured.as_ref()?, &point_of(record, trial.id.point)?.tls))
    });
    for text in texts {
        match kinds.iter_mut().find(|(kind, _)| *kind == text) {
            Some((_, trials)) => *trials += 1,
            None => kinds.push((text, 1)),
        }
    }
    kinds
}

/// `1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, certificate p256, resumption on`.
fn words(secured: &Secured, tls: &Tls) -> String {
    let Secured { agreed: Agreed { version, cipher, group, certificate }, verified } = secured;
    let doubt = if *verified { "" } else { " (not verified)" };
    let certificate = format!("certificate {certificate}").trim_end().to_owned() + doubt;
    let resumption = format!("resumption {}", if tls.resumption { "on" } else { "off" });
    let parts = [version.as_str(), cipher, group, &certificate, &resumption];
    // What is not known is empty.
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
