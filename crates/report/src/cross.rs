//! Traffic beside the feed in words: what it took of the line while the feed was measured.

use pushbench_core::Figure;

use crate::human;
use crate::rows::Block;

/// The goodput at a point, by direction; `None` where there was none.
pub(crate) fn line(block: &Block<'_>) -> Option<String> {
    let link = block.point.link.as_ref()?;
    let ways = [
        ("download", link.load_down, Figure::CrossDown),
        ("upload", link.load_up, Figure::CrossUp),
    ];
    let told: Vec<String> = ways
        .into_iter()
        .filter(|(_, flows, _)| *flows > 0)
        .filter_map(|(noun, flows, figure)| Some(took(noun, flows, goodputs(block, figure)?)))
        .collect();
    (!told.is_empty()).then(|| format!("Measured beside {}.", human::list(&told)))
}

/// The least and the most that it was beside one of the transports.
fn goodputs(block: &Block<'_>, figure: Figure) -> Option<(f64, f64)> {
    let each = || block.rows.iter().filter_map(|row| row.summary.figures.get(figure));
    each().reduce(f64::min).zip(each().reduce(f64::max))
}

/// `2 downloads that took 9.2 to 9.3 Mbit/s`.
fn took(noun: &str, flows: u32, (least, most): (f64, f64)) -> String {
    let what = if flows == 1 {
        let article = if noun == "upload" { "an" } else { "a" };
        format!("{article} {noun}")
    } else {
        human::plural(flows as usize, noun)
    };
    let [least, most] = [least, most].map(human::bit_rate);
    if least == most {
        return format!("{what} that took {most}");
    }
    let number = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let unit = |text: &str| text.split(' ').nth(1).unwrap_or_default().to_owned();
    let least = if unit(&least) == unit(&most) { number(&least) } else { least };
    format!("{what} that took {least} to {most}")
}

#[cfg(test)]
mod tests {
    use pushbench_core::link::Link;
    use pushbench_metrics::observe::cross::CrossMeasured;

    use super::*;
    use crate::fixture;
    use crate::rows::blocks;

    #[test]
    fn what_others_took_of_the_line_is_said_below_the_table() {
        let mut record = fixture::quick();
        let point = record.points[0].id;
        record.points[0].link = Some(Link { load_down: 2, load_up: 1, ..Link::default() });
        for (number, trial) in record.trials.iter_mut().enumerate() {
            let bits = 9_200_000 + 100_000 * u64::from(number % 2 == 0);
            let seconds = trial.window.duration().as_secs();
            trial.cross = Some(CrossMeasured {
                down_bytes: Some(if trial.id.point == point { bits / 8 * seconds } else { 0 }),
                up_bytes: Some(125_000 * seconds),
                ..CrossMeasured::default()
            });
        }
        let line = line(&blocks(&record)[0]).unwrap();
        let text = "Measured beside 2 downloads that took 9.2 to 9.3 Mbit/s and an upload that took 1 \
                    Mbit/s.";
        assert_eq!(line, text);
        assert!(crate::terminal_table(&record, crate::Screen::NONE).contains(text));
        record.points[0].link = Some(Link::default());
        assert_eq!(super::line(&blocks(&record)[0]), None);
    }

    #[test]
    fn one_number_is_told_once() {
        assert_eq!(took("download", 1, (9.31e6, 9.31e6)), "a download that took 9.31 Mbit/s");
        let took = took("upload", 3, (0.5e6, 1e6));
        assert_eq!(took, "3 uploads that took 500 kbit/s to 1 Mbit/s");
    }
}
