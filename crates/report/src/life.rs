//! The life of a run's connections, in words.

use pushbench_core::Figure;
use pushbench_core::life::Halt;
use pushbench_metrics::record::course::Restarted;

use crate::human;
use crate::rows::Block;

/// Lines that say what figures are of where the server restarts or clients come and go: who counts as
/// back, what the peaks are of, and for how long nobody listened; nothing where connections stay.
pub(crate) fn legend(blocks: &[Block<'_>]) -> Vec<String> {
    let each = |how| restarts(blocks, how);
    let mut lines: Vec<String> = [Halt::Kill, Halt::Term].into_iter().filter_map(each).collect();
    if blocks.iter().any(forgets) {
        lines.push(
            "Rooms are in the server's memory alone, and go with it: what was said there and had not \
             reached everybody is lost, and what was said while nobody listened."
                .to_owned(),
        );
    }
    if blocks.iter().any(|block| block.point.life.churn.is_some()) {
        lines.push(
            "Clients leave while the feed runs, and others come in their place, which go on from the \
             same message: one is back once it is subscribed. Whoever has a connection for each poll \
             comes and goes with it as it is."
                .to_owned(),
        );
    }
    if !lines.is_empty() {
        lines.push(
            "Peaks are of a tenth of a second: connections begun in it, as a rate, and what the \
             server's process had of a core."
                .to_owned(),
        );
    }
    lines
}

/// A sentence on when those were back who were cut off; nothing where nobody was.
pub(crate) fn sentence(block: &Block<'_>) -> Option<String> {
    let mut all: Vec<(&str, f64)> =
        block.rows.iter().filter_map(|row| Some((row.name(), row.get(Figure::BackMax)?))).collect();
    all.sort_by(|one, other| one.1.total_cmp(&other.1));
    let each: Vec<String> =
        all.iter().map(|(name, us)| format!("{} with {name}", human::spoken_time(*us))).collect();
    if each.is_empty() {
        return None;
    }
    let each = human::list(&each);
    let lost: u64 = block.rows.iter().map(|row| row.summary.counts.audit.lost).sum();
    let lost = match lost {
        0 => "no message was lost".to_owned(),
        lost if forgets(block) => {
            format!("{} of what was said were lost with its memory", human::count(lost))
        }
        _ => "messages were lost".to_owned(),
    };
    Some(match block.point.life.restart.map(|restart| restart.how) {
        Some(Halt::Kill) => format!(
            "When the server was killed, the last client had the feed again after {each}, and {lost}."
        ),
        Some(Halt::Term) => format!(
            "When the server was told to go, the last client had the feed again after {each}, and \
             {lost}."
        ),
        None => {
            format!(
                "Of clients that came in the place of others the last was there after {each}, and {lost}."
            )
        }
    })
}

/// Whether what the server knew when it went was in its memory alone.
fn forgets(block: &Block<'_>) -> bool {
    block.point.life.restart.is_some() && block.point.talk.is_some()
}

/// The fate of the servers that went in one way, and the longest that one of them was away.
fn restarts(blocks: &[Block<'_>], how: Halt) -> Option<String> {
    let went = |block: &&Block<'_>| block.point.life.restart.is_some_and(|it| it.how == how);
    let trials =
        blocks.iter().filter(went).flat_map(|block| &block.rows).flat_map(|row| &row.trials);
    let restarted = trials.filter_map(|trial| trial.course.as_ref()?.restarted);
    let longest = restarted.map(Restarted::without_server).max()?;
    let at = blocks.iter().find(went)?.point.life.restart?.at;
    let how = match how {
        Halt::Kill => "was killed",
        Halt::Term => "was told to go",
    };
    Some(format!(
        "The server {how} {at} into the window, and another that went on with its feed listened at most \
         {} later. Back counts from that end until a client that noticed it has a message again; what \
         was due meanwhile is in the latencies.",
        human::time(longest.as_secs_f64() * 1e6)
    ))
}

#[cfg(test)]
mod tests {
    use crate::rows::blocks;
    use crate::{fixture, sentence, table};

    const RESTART: &str = "transports = [\"sse\", \"websocket\"]\nduration = \"2s\"\nruns = 1\n[restart]\n\
                           how = \"kill\"\nat = \"1s\"";

    #[test]
    fn a_restart_is_told_with_how_long_it_took_until_all_were_back() {
        let record = fixture::life::cut_off(RESTART, 0);
        let text = sentence(&record);
        let first = "When the server was killed, the last client had the feed again after 400 ms \
                     with sse and 400 ms with websocket, and no message was lost.";
        assert!(text.starts_with(first), "{text}");
        let legend = table::legend(&record, &blocks(&record)).join("\n");
        assert!(legend.contains("The server was killed 1s into the window"), "{legend}");
        assert!(legend.contains("listened at most 521 ms later"), "{legend}");
        let table = crate::terminal_table(&record, crate::Screen::NONE);
        assert!(table.contains("400 ms") && table.contains("400/s"), "{table}");
        assert!(table.contains("0.25 cores"), "{table}");
    }

    #[test]
    fn where_some_were_not_back_nobody_says_when_all_were() {
        let record = fixture::life::cut_off(RESTART, 3);
        assert!(!sentence(&record).contains("the last client"), "{}", sentence(&record));
    }

    #[test]
    fn churn_is_told_as_what_it_is() {
        let toml = "transports = [\"sse\"]\nduration = \"2s\"\nruns = 1\n[churn]\nrate = 5";
        let record = fixture::life::cut_off(toml, 0);
        let text = sentence(&record);
        assert!(text.starts_with("Of clients that came in the place of others"), "{text}");
        let legend = table::legend(&record, &blocks(&record)).join("\n");
        assert!(legend.contains("Clients leave while the feed runs"), "{legend}");
        assert!(!legend.contains("The server was"), "{legend}");
    }
}
