//! The floor of a point in words, and `floor.csv`.

use pushbench_core::{Contender, Figure};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::floor::Floor;

use crate::csv::{Sheet, point_of};
use crate::rows::Block;
use crate::{human, settings};

/// The first columns of `floor.csv`, one line for each trial of bare loops; the settings of the
/// point follow that are not among them.
pub(crate) const FLOOR_COLUMNS: &str =
    "point,clients,trial,valid,messages,server_cpu_us_per_msg,load_cpu_us_per_msg,invalid";

/// Whether there are contenders in TLS or with a coding beside it, whose floor it is not.
pub(crate) fn stands_beside_others(record: &RunRecord) -> bool {
    record.scenario.contenders.iter().any(|contender| !contender.stack.is_basic())
}

/// The cost of bare loops at a point, and how far their contender is from it; why that is not
/// known, where it was asked for; `None` where it was not.
pub(crate) fn line(record: &RunRecord, block: &Block<'_>) -> Option<String> {
    let point = block.point.id;
    let mut trials = record.floors.iter().filter(|trial| trial.point == point);
    let Some(floor) = Floor::of(record, point) else {
        let reason = trials.find_map(|trial| trial.invalid.first())?;
        return Some(format!("Floor: not measured; {reason}."));
    };
    let (write, read) = (human::time(floor.server_us), human::time(floor.load_us));
    let count = human::plural(floor.trials, "trial");
    let as_it_is = if stands_beside_others(record) { ", in clear and as it is," } else { "" };
    let text = format!(
        "Floor: a message{as_it_is} costs a bare loop of writes {write} and one of reads {read} \
         ({count})"
    );
    let beside = block.rows.iter().find(|row| row.contender() == Contender::FLOOR);
    let over = |figure, floor: f64| Some(human::number(beside?.get(figure)? / floor, 3));
    let times = over(Figure::ServerCpu, floor.server_us).zip(over(Figure::LoadCpu, floor.load_us));
    Some(times.map_or_else(
        || format!("{text}."),
        |(server, load)| {
            format!("{text}; {} takes {server} and {load} times that.", Contender::FLOOR)
        },
    ))
}

/// `floor.csv`.
pub(crate) fn csv(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[FLOOR_COLUMNS, &settings::columns(1)]);
    for trial in &record.floors {
        let [clients, others @ ..] =
            settings::fields(point_of(record, trial.point), Contender::FLOOR);
        let cost = trial.cost();
        let us = |of: fn(&Floor) -> f64| cost.as_ref().map(of).map(|us| format!("{us:.3}"));
        let line = [
            trial.point.to_string(),
            clients,
            trial.round.to_string(),
            cost.is_some().to_string(),
            trial.messages.to_string(),
            us(|cost| cost.server_us).unwrap_or_default(),
            us(|cost| cost.load_us).unwrap_or_default(),
            trial.invalid.join("; "),
        ];
        sheet.line(line.into_iter().chain(others));
    }
    sheet.finish()
}

/// The floor of `figure` at a point, where it has one.
pub(crate) fn of(record: &RunRecord, point: u32, figure: Figure) -> Option<f64> {
    let floor = Floor::of(record, point)?;
    match figure {
        Figure::ServerCpu => Some(floor.server_us),
        Figure::LoadCpu => Some(floor.load_us),
        _ => None,
    }
}
