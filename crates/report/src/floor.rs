//! The floor of a point in words, and `floor.csv`.

use pushbench_core::Transport;
use pushbench_metrics::figures::Figure;
use pushbench_metrics::floor::Floor;
use pushbench_metrics::record::RunRecord;

use crate::csv::Sheet;
use crate::human;
use crate::rows::Block;

/// The columns of `floor.csv`, one line for each trial of bare loops.
pub const FLOOR_COLUMNS: &str =
    "point,clients,trial,valid,messages,server_cpu_us_per_msg,load_cpu_us_per_msg,invalid";

/// What bare loops take at a point, and how far WebSocket is from it; why that is not known, where
/// it was asked for; `None` where it was not.
pub(crate) fn line(record: &RunRecord, block: &Block<'_>) -> Option<String> {
    let point = block.point.id;
    let Some(floor) = Floor::of(record, point) else {
        let failed = record.floors.iter().find(|trial| trial.point == point)?;
        let reason = failed.invalid.first().map(ToString::to_string);
        return Some(format!("Floor: not measured; {}", reason.unwrap_or_default()));
    };
    let (write, read) = (human::time(floor.server_us), human::time(floor.load_us));
    let text =
        format!("Floor: a message costs a bare loop of writes {write} and one of reads {read}");
    let websocket = block.rows.iter().find(|row| row.transport() == Transport::Websocket);
    let over = |figure, floor: f64| Some(websocket?.get(figure)? / floor);
    let times = over(Figure::ServerCpu, floor.server_us).zip(over(Figure::LoadCpu, floor.load_us));
    Some(match times {
        Some((server, load)) => format!(
            "{text}; websocket takes {} and {} times that.",
            human::number(server, 3),
            human::number(load, 3)
        ),
        None => format!("{text}."),
    })
}

/// `floor.csv`.
pub(crate) fn csv(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[FLOOR_COLUMNS]);
    for trial in &record.floors {
        let point = record.points.iter().find(|point| point.id == trial.point);
        let cost = trial.cost();
        let us = |of: fn(&Floor) -> f64| cost.as_ref().map(of).map(|us| format!("{us:.3}"));
        let reasons: Vec<String> = trial.invalid.iter().map(ToString::to_string).collect();
        sheet.line(vec![
            trial.point.to_string(),
            point.map(|point| point.clients.to_string()).unwrap_or_default(),
            trial.round.to_string(),
            trial.invalid.is_empty().to_string(),
            trial.messages.to_string(),
            us(|cost| cost.server_us).unwrap_or_default(),
            us(|cost| cost.load_us).unwrap_or_default(),
            reasons.join("; "),
        ]);
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
