//! The terminal that standard output is, if it is one: its width and its colours.

use std::io::IsTerminal as _;

use clap::ColorChoice;
use pushbench_report::Screen;
use terminal_size::{Width, terminal_size_of};

/// The screen of standard output. The user's word counts first: `COLUMNS` for the width, `--color`, and
/// `NO_COLOR` (no-color.org) where that leaves it open.
pub(crate) fn screen(colour: ColorChoice) -> Screen {
    let is_coloured = is_coloured(colour, std::io::stdout().is_terminal());
    match width() {
        Some(width) => Screen::new(width, is_coloured),
        None => Screen::NONE.with_colours(is_coloured),
    }
}

/// Whether there are colours on what is a terminal or not.
pub(crate) fn is_coloured(colour: ColorChoice, is_terminal: bool) -> bool {
    match colour {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal && !is_set("NO_COLOR"),
    }
}

/// That of text without colours.
pub(crate) fn plain() -> Screen {
    screen(ColorChoice::Never)
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    let told = told.filter(|&columns: &usize| columns > 0);
    told.or_else(|| terminal_size_of(std::io::stdout()).map(|(Width(width), _)| width.into()))
}
