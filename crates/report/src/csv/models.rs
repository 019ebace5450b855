//! `models.csv`: what each trial measured beside what its model expected.

use pushbench_core::Figure;
use pushbench_metrics::judge::figures::Figures;
use pushbench_metrics::judge::models::check::Compared;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use super::{Sheet, point_of};
use crate::settings;

/// The first columns of `models.csv`, a line for each trial and quantity that has a model; the
/// settings of the point follow. `p` is how often chance alone is as far from the expected.
const MODELS_COLUMNS: &str =
    "point,transport,trial,order,attempt,valid,quantity,measured,expected,p";

/// A line's quantity, what was measured, what was expected, and what chance makes of it.
type Line = (&'static str, Option<f64>, Option<f64>, Option<f64>);

/// `models.csv`.
pub(crate) fn models(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[MODELS_COLUMNS, &settings::columns(0)]);
    for trial in &record.trials {
        let id = trial.id;
        let settings = settings::fields(point_of(record, id.point));
        for (quantity, measured, expected, p) in lines(trial) {
            let (Some(measured), Some(expected)) = (measured, expected) else { continue };
            let line = [
                id.point.to_string(),
                id.contender.to_string(),
                id.round.to_string(),
                trial.order.to_string(),
                trial.attempt.to_string(),
                trial.is_valid().to_string(),
                quantity.to_owned(),
                format!("{measured:.4}"),
                format!("{expected:.4}"),
                p.map_or_else(String::new, |p| format!("{p:.3}")),
            ];
            sheet.line(line.iter().chain(&settings));
        }
    }
    sheet.finish()
}

fn lines(trial: &TrialRecord) -> [Line; 6] {
    let (check, measured) = (&trial.check, &trial.measured);
    let (model, figures) = (check.latency, Figures::of_trial(trial));
    let share = |name, compared: Option<Compared>| {
        let Some(Compared { measured, expected, p }) = compared else {
            return (name, None, None, None);
        };
        (name, Some(measured), Some(expected), p)
    };
    let p99 = figures.get(Figure::LatencyP99);
    let (ks, p) = (check.distance.map(|far| far.ks), check.distance.and_then(|far| far.p));
    [
        (
            Figure::LatencyMean.column(),
            figures.get(Figure::LatencyMean),
            model.map(|model| model.mean_us()),
            None,
        ),
        (Figure::LatencyP99.column(), p99, model.map(|model| model.quantile(0.99)), None),
        ("latency_ks_distance", ks, Some(0.0), p),
        (Figure::AgeMean.column(), measured.age.mean_us(), check.age_mean_us, None),
        share("missed_share", check.missed),
        share("empty_share", check.empty),
    ]
}
