//! The drawing of the view: in one column, or in two where the terminal is wide.

use pushbench_core::text;
use pushbench_metrics::observe::ledger::{Direction, Layer};
use pushbench_report::human::{count, size, time};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::symbols::line::{HORIZONTAL, THICK_HORIZONTAL};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, LineGauge, Paragraph, Sparkline};

use super::state::{State, Trial};
use crate::phase;

/// The width from which on there are two columns.
const WIDE: u16 = 100;

/// Shown where nothing is known.
const NOTHING: &str = "–";

/// Rows of each block with its title, charts left out: these have what is left.
const MESSAGES: u16 = 2;
const LATENCY: u16 = 3;
const BYTES: u16 = 2 + Layer::AT_SOCKET.len() as u16;
const CPU: u16 = 3;

/// The look of the view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) is_coloured: bool,
}

impl Look {
    fn bars(self) -> Style {
        if self.is_coloured { Style::new().fg(Color::Cyan) } else { Style::new() }
    }
}

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame, state: &State, look: Look) {
    let area = frame.area();
    let [head, trial, left, body] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
    ])
    .areas(area);
    pair(
        frame,
        head,
        Line::from(text::line(&state.name)).bold(),
        "q leaves the view, the run goes on",
    );
    let phase = state.trial.phase.map_or("starting", phase::name);
    pair(frame, trial, Line::from(state.trial.name.as_str()), phase);
    if let Some((done, words)) = &state.left {
        gauge(frame, left, *done, format!("{:3.0} %, about {words} left", done * 100.0), look);
    }
    let shown = &state.trial;
    if area.width < WIDE {
        let [messages, latency, bytes, cpu] = Layout::vertical([
            Constraint::Min(MESSAGES),
            Constraint::Min(LATENCY),
            Constraint::Length(BYTES),
            Constraint::Length(CPU),
        ])
        .areas(body);
        draw_messages(frame, messages, shown, look);
        draw_latency(frame, latency, shown, look);
        draw_bytes(frame, bytes, shown, look);
        draw_cpu(frame, cpu, shown, look);
        return;
    }
    let [charts, shares] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2).areas(body);
    let [messages, latency] =
        Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(charts);
    let [bytes, cpu, _] =
        Layout::vertical([Constraint::Length(BYTES), Constraint::Length(CPU), Constraint::Fill(1)])
            .areas(shares);
    draw_messages(frame, messages, shown, look);
    draw_latency(frame, latency, shown, look);
    draw_bytes(frame, bytes, shown, look);
    draw_cpu(frame, cpu, shown, look);
}

/// A text, and another at the end of the line, which gives way to it.
fn pair(frame: &mut Frame, area: Rect, text: Line, end: &str) {
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
    let [first, rest] =
        Layout::horizontal([Constraint::Length(width), Constraint::Fill(1)]).spacing(2).areas(area);
    frame.render_widget(text, first);
    if usize::from(rest.width) >= end.chars().count() {
        frame.render_widget(Line::from(end).alignment(Alignment::Right).dim(), rest);
    }
}

/// A rule with a title, and the area below it.
fn block(frame: &mut Frame, area: Rect, title: &str) -> Rect {
    let block = Block::new().borders(Borders::TOP).title(format!(" {title} ").bold());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

fn gauge(frame: &mut Frame, area: Rect, ratio: f64, label: String, look: Look) {
    let gauge = LineGauge::default()
        .ratio(ratio.clamp(0.0, 1.0))
        .label(label)
        .filled_symbol(THICK_HORIZONTAL)
        .unfilled_symbol(HORIZONTAL)
        .filled_style(look.bars())
        .unfilled_style(Style::new().dim());
    frame.render_widget(gauge, area);
}

/// The last seconds of a chart, as many as there is room for; 0 at its foot.
fn chart(frame: &mut Frame, area: Rect, seconds: Vec<Option<u64>>, look: Look) {
    let first = seconds.len().saturating_sub(area.width.into());
    let shown = seconds.into_iter().skip(first).collect::<Vec<_>>();
    frame.render_widget(Sparkline::default().data(shown).style(look.bars()), area);
}

fn draw_messages(frame: &mut Frame, area: Rect, trial: &Trial, look: Look) {
    let area = block(frame, area, "Messages");
    let [text, seconds] =
        Layout::vertical([Constraint::Length(MESSAGES - 1), Constraint::Fill(1)]).areas(area);
    let rate =
        trial.rates.last().map_or_else(|| NOTHING.to_owned(), |rate| count(rate.round() as u64));
    let line = format!("{rate}/s   {} so far", count(trial.messages));
    frame.render_widget(Paragraph::new(line), text);
    chart(frame, seconds, trial.rates.iter().map(|rate| Some(rate.round() as u64)).collect(), look);
}

fn draw_latency(frame: &mut Frame, area: Rect, trial: &Trial, look: Look) {
    let area = block(frame, area, "Latency");
    let [text, seconds] =
        Layout::vertical([Constraint::Length(LATENCY - 1), Constraint::Fill(1)]).areas(area);
    let shown = |us: Option<f64>| us.map_or_else(|| NOTHING.to_owned(), time);
    let so_far = trial.so_far.unwrap_or_default();
    let highest = trial.latencies.iter().flatten().copied().reduce(f64::max);
    let lines = vec![
        Line::from(format!(
            "p50 {}   p99 {}   in the window so far",
            shown(so_far.latency_p50_us),
            shown(so_far.latency_p99_us)
        )),
        Line::from(format!(
            "p50 {}   in the last second, {} at most",
            shown(trial.latency_us),
            shown(highest)
        )),
    ];
    frame.render_widget(Paragraph::new(lines), text);
    // In nanoseconds, so that what is short keeps its height.
    let nanos = |us: &Option<f64>| us.map(|us| (us * 1e3) as u64);
    chart(frame, seconds, trial.latencies.iter().map(nanos).collect(), look);
}

/// Columns of the layers' table, before their bars.
fn columns(layer: &str, rate: &str, total: &str, share: &str) -> String {
    format!("{layer:<8}{rate:>13}{total:>12}{share:>7} ")
}

fn draw_bytes(frame: &mut Frame, area: Rect, trial: &Trial, look: Look) {
    let area = block(frame, area, "Bytes at the sockets");
    let rows = Layout::vertical([Constraint::Length(1); BYTES as usize - 1]).split(area);
    frame.render_widget(Line::from(columns("", "each second", "so far", "")).dim(), rows[0]);
    let bytes = trial.so_far.map(|so_far| so_far.bytes);
    let all =
        bytes.map(|bytes| Direction::ALL.map(|direction| bytes.total(direction)).iter().sum());
    for ((place, layer), row) in Layer::AT_SOCKET.iter().enumerate().zip(&rows[1..]) {
        let total = bytes.map(|bytes| bytes.layer(*layer) as f64);
        let share = total.zip(all).map(|(total, all): (f64, u64)| total / all.max(1) as f64);
        let shown = |bytes: Option<f64>| bytes.map_or_else(|| NOTHING.to_owned(), size);
        let text = columns(
            layer.name(),
            &shown(trial.byte_rates.map(|rates| rates[place])),
            &shown(total),
            &percent(share),
        );
        bar(frame, *row, text, share.unwrap_or(0.0), look);
    }
}

/// A share in per cent.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| NOTHING.to_owned(), |share| format!("{:.0} %", share * 100.0))
}

fn draw_cpu(frame: &mut Frame, area: Rect, trial: &Trial, look: Look) {
    let area = block(frame, area, "CPU, of one core");
    let rows = Layout::vertical([Constraint::Length(1); CPU as usize - 1]).split(area);
    for ((name, share), row) in
        [("server", trial.cpu.server), ("clients", trial.cpu.load)].into_iter().zip(rows.iter())
    {
        bar(frame, *row, format!("{name:<8}{:>7} ", percent(share)), share.unwrap_or(0.0), look);
    }
}

/// A text with a bar behind it, which is as long as `share` of the rest of the line.
fn bar(frame: &mut Frame, row: Rect, text: String, share: f64, look: Look) {
    let room = usize::from(row.width).saturating_sub(text.chars().count());
    let length = (share.clamp(0.0, 1.0) * room as f64).round() as usize;
    let bar = Span::styled(THICK_HORIZONTAL.repeat(length), look.bars());
    frame.render_widget(Line::from(vec![Span::raw(text), bar]), row);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pushbench_metrics::observe::ledger::{Phase, Tally};
    use pushbench_metrics::observe::so_far::SoFar;
    use pushbench_metrics::record::control::Progress;
    use pushbench_run::Cpu;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::live::state::News;

    const PLAIN: Look = Look { is_coloured: false };

    /// A trial of a hundred clients in its twentieth second.
    fn running() -> State {
        let mut state = State::new("quick");
        let mut take = |second, news| state.take(Duration::from_secs(second), news);
        take(0, News::Left { done: 0.43, left: "1 min 25 s".to_owned() });
        take(0, News::Trial("round 2/6  websocket+tls  100 clients, 10 messages/s".to_owned()));
        take(0, News::Phase(Phase::Warmup));
        for second in 1..=20 {
            let mut bytes = Tally::default();
            bytes.add(Direction::Up, Layer::Http, 51_200);
            for (layer, each) in Layer::AT_SOCKET.into_iter().zip([64_000, 2_000, 0, 22_000]) {
                bytes.add(Direction::Down, layer, second * each);
            }
            let latency = 250.0 + 40.0 * (second % 7) as f64;
            let is_window = second > 1;
            let so_far = Some(SoFar {
                bytes,
                latency_p50_us: is_window.then_some(370.0),
                latency_p99_us: is_window.then_some(1_234.0),
            });
            let messages = second * 1_000 - (second % 3) * 40;
            let latency_p50_us = Some(latency);
            take(second, News::Progress(Progress { messages, bytes: 0, latency_p50_us, so_far }));
        }
        take(20, News::Phase(Phase::Window));
        take(20, News::Cpu(Cpu { server: Some(0.34), load: Some(1.2) }));
        state
    }

    fn screen(state: &State, width: u16, height: u16, look: Look) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, state, look)).unwrap();
        terminal
    }

    fn text(state: &State, width: u16, height: u16) -> String {
        screen(state, width, height, PLAIN).backend().to_string()
    }

    #[test]
    fn it_fits_narrow_usual_and_wide_terminals() {
        for width in [60, 80, 120] {
            insta::assert_snapshot!(format!("{width}_columns"), text(&running(), width, 24));
        }
    }

    #[test]
    fn before_the_first_second_it_says_that_nothing_is_known() {
        insta::assert_snapshot!("nothing_yet", text(&State::new("quick"), 80, 24));
    }

    /// The figures are there where charts have no room, and no size is too small to draw on.
    #[test]
    fn a_small_terminal_loses_charts_and_no_figure() {
        let small = text(&running(), 60, 18);
        for figure in ["960/s", "19,920 so far", "p99 1.23 ms", "tls", "server", "34 %", "120 %"] {
            assert!(small.contains(figure), "{figure}: {small}");
        }
        for (width, height) in [(1, 1), (9, 3), (40, 8), (100, 2), (300, 90)] {
            drop(screen(&running(), width, height, PLAIN));
        }
    }

    #[test]
    fn colours_are_there_where_they_are_wanted() {
        let has_colours = |look| {
            let terminal = screen(&running(), 80, 24, look);
            terminal.backend().buffer().content().iter().any(|cell| cell.fg != Color::Reset)
        };
        assert!(has_colours(Look { is_coloured: true }));
        assert!(!has_colours(PLAIN));
    }
}
