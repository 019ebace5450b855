//! A plan in words, before it is run.

use pushbench_core::scenario::Point;
use pushbench_report::{over, talked};
use pushbench_run::Plan;

use super::refine;
use crate::progress::human;

/// The plan in words.
pub(super) fn describe(plan: &Plan, refined: bool) -> String {
    let scenario = &plan.scenario;
    let names: Vec<&str> = scenario.contenders.iter().map(|contender| contender.name()).collect();
    let question = scenario.question.as_str();
    let colon = if question.is_empty() { "" } else { ": " };
    let mut text = format!("{}{colon}{question}\n", scenario.name);
    text.push_str(&format!("  transports  {}\n", names.join(", ")));
    let schedule = plan.trials.first().map(|id| plan.feed(*id).schedule.name()).unwrap_or_default();
    text.push_str(&format!(
        "  feed        {schedule} schedule, delivery {}, seed {}\n",
        scenario.delivery, scenario.seed
    ));
    text.push_str(&format!("  headers     {}: {}\n", plan.headers.name, plan.headers.about));
    for point in &plan.points {
        text.push_str(&describe_point(plan, point));
    }
    let count = |number: usize, noun: &str| {
        format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
    };
    text.push_str(&format!(
        "  trials      {} = {} × {} × {}, each with a window of {} after {} of warm-up\n",
        plan.trials.len(),
        count(plan.points.len(), "point"),
        count(scenario.contenders.len(), "transport"),
        count(scenario.runs as usize, "run"),
        scenario.duration,
        scenario.warmup
    ));
    let floors = plan.trials.iter().filter(|id| plan.has_floor_behind(**id)).count();
    if floors > 0 {
        text.push_str(&format!("  floor       {} of bare loops\n", count(floors, "trial")));
    }
    for threshold in scenario.thresholds.iter() {
        text.push_str(&format!("  threshold   {threshold}\n"));
    }
    text.push_str(&format!("  time        about {}\n", human(plan.total_estimate())));
    if refined {
        text.push_str(&refine::describe(plan));
    }
    text
}

/// A line for a point.
fn describe_point(plan: &Plan, point: &Point) -> String {
    let clients = if point.clients == 1 { "client" } else { "clients" };
    let bytes = point.payload_bytes;
    let messages = match talked(point) {
        Some(words) => format!("{words} of {bytes:.0} B"),
        // To four places, without zeros at the end.
        None => format!("{} messages/s of {bytes:.0} B", (point.rate_hz * 1e4).round() / 1e4),
    };
    let cookies = match point.cookie_bytes {
        0 => String::new(),
        bytes => format!(", {bytes} B of cookies"),
    };
    let stack = plan.scenario.unusual_of_stack(point);
    let stack: String =
        stack.map(|axis| format!(", {} {}", axis.key(), axis.text(point))).collect();
    let via = match point.via.proxy() {
        Some(name) => format!(", via {name}"),
        None => String::new(),
    };
    let subject =
        if point.subject.is_own() { String::new() } else { format!(", server {}", point.subject) };
    let client = if point.client.is_native() {
        String::new()
    } else {
        format!(", tabs of {} as clients", point.client)
    };
    let link = over(point).map(|words| format!(", {words}")).unwrap_or_default();
    format!(
        "  point {:<5} {} {clients}, {messages}, poll every {}, hold {}{cookies}{stack}{via}{subject}{client}{link}{}\n",
        point.id,
        point.clients,
        point.poll_interval,
        point.long_poll_timeout,
        processes(plan, point)
    )
}

/// Over how many processes the trials at `point` go, or why they cannot; nothing where there is one
/// of each.
fn processes(plan: &Plan, point: &Point) -> String {
    let rooms = plan.scenario.contenders.iter().map(|name| plan.layout.room(point, *name));
    match rooms.reduce(|one, other| one.and(other)) {
        Some(Err(limit)) => format!("; {limit}"),
        Some(Ok(room)) if room.server_processes.max(room.load_processes) > 1 => format!(
            "; over {} server and {} load processes",
            room.server_processes, room.load_processes
        ),
        _ => String::new(),
    }
}
