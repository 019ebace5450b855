use pushbench_core::figure::Judging;
use pushbench_core::scenario::Scenario;
use pushbench_core::{Contender, Figure};

use super::super::{WORTH, changes};
use super::*;

/// A comparison of websocket's judged figures, `runs` trials each, the first of them `moved` times
/// as large after, and `framing` bytes of 2 before.
fn comparison(runs: [usize; 2], figures: usize, moved: f64, framing: f64) -> Comparison {
    let trials = |count: usize, level: f64| -> Vec<f64> {
        (0..count).map(|n| level + n as f64 / 100.0).collect()
    };
    let mut samples: Vec<([Vec<f64>; 2], Judging)> = (0..figures)
        .map(|index| {
            let factor = if index == 0 { moved } else { 1.0 };
            ([trials(runs[0], 10.0), trials(runs[1], 10.0 * factor)], Judging::Ranks)
        })
        .collect();
    samples.push(([vec![2.0; runs[0]], vec![framing; runs[1]]], Judging::Ranges));
    let changes = changes(samples, WORTH);
    let point = Scenario::default().points(None).remove(0);
    let power = Power::of(&changes);
    let row = |(index, change)| ComparedFigure {
        point: point.clone(),
        contender: Contender::WEBSOCKET,
        figure: if index == figures { Figure::FramingBytes } else { Figure::WireBytes },
        change,
        latency_from: Default::default(),
    };
    let rows = changes.into_iter().enumerate().map(row).collect();
    let (lacking, bounded, notes) = Default::default();
    Comparison { rows, power, worth: WORTH, lacking, bounded, notes }
}

fn refused(comparison: &Comparison) -> String {
    comparison.gate(0.05).unwrap_err().to_string()
}

#[test]
fn what_no_change_of_one_figure_could_break_is_refused_with_the_trials_that_would_do() {
    // 3 + 3: never. 4 + 4 of 20: only where 12 change together.
    for (runs, both, second) in [([3, 3], 6, 15), ([4, 4], 6, 10), ([5, 5], 6, 8)] {
        for moved in [1.0, 2.19] {
            let refused = refused(&comparison(runs, 20, moved, 2.0));
            let parts = [
                "--threshold 5% could not be broken by websocket wire_bytes_per_msg",
                &format!("with {} and {} trials", runs[0], runs[1]),
                &format!("run both with --runs {both}, or the second with --runs {second} beside"),
            ];
            assert!(parts.iter().all(|part| refused.contains(part)), "{runs:?}: {refused}");
        }
    }
    let advised = [comparison([6, 6], 20, 2.19, 2.0), comparison([4, 10], 20, 2.19, 2.0)];
    for comparison in advised {
        assert_eq!(comparison.gate(0.05).unwrap().len(), 1, "what was advised does");
    }
    assert_eq!(comparison([6, 6], 20, 1.0, 2.0).gate(0.05).unwrap().len(), 0);
    assert_eq!(comparison([4, 4], 1, 2.19, 2.0).gate(0.05).unwrap().len(), 1);
}

#[test]
fn a_figure_that_breaks_it_stands_for_all_that_could_not() {
    for runs in [[1, 1], [3, 3], [4, 4]] {
        let comparison = comparison(runs, 20, 1.0, 4.0);
        let broken = comparison.gate(0.05).unwrap();
        let [row] = broken[..] else { panic!("{runs:?}: {broken:?}") };
        assert_eq!(row.figure, Figure::FramingBytes);
        assert!(comparison.gate(1.0).is_err(), "twice as many are not more than 100 % more");
    }
}

#[test]
fn what_one_run_lacks_is_not_taken_for_unchanged() {
    let mut comparison = comparison([6, 6], 5, 1.0, 2.0);
    comparison.lacking = vec!["a valid trial of sse (before)".to_owned()];
    let text = refused(&comparison);
    assert!(text.contains("only one of the runs has a valid trial of sse (before)"), "{text}");
    comparison.lacking.clear();
    comparison.rows.clear();
    assert!(refused(&comparison).contains("no judged figure is in both runs"));
}
