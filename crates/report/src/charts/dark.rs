//! The colours of a page's drawings where it is dark: one of CSS's rules for each colour that is in use.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use plotters::style::{RGBColor, WHITE};

use super::canvas::hex;
use super::style::mixed;

/// The paper of a dark page, as `page.css` has it.
pub(crate) const PAPER: RGBColor = RGBColor(0x16, 0x18, 0x1b);

/// Black as it is there.
const BRIGHTEST: u8 = 0xff;

/// The least contrast that a drawing's parts have with what they are drawn on (WCAG 2.2 §1.4.11).
const LEAST_CONTRAST: f64 = 3.0;

/// The rules for the colours of the drawings in `page`.
pub(crate) fn rules(page: &str) -> String {
    let mut rules = String::new();
    for (red, green, blue) in colours(page) {
        let colour = RGBColor(red, green, blue);
        let (light, dark) = (hex(colour), hex(on_dark(colour)));
        let _ = writeln!(
            rules,
            "[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}"
        );
    }
    rules
}

/// The colours in attributes of `page`. A stranger's text has no quote of its own in it, and could say
/// nothing but another colour.
fn colours(page: &str) -> BTreeSet<(u8, u8, u8)> {
    let parts = page.split("=\"#").skip(1).filter_map(|part| part.get(..6));
    let colour = |digits: &str| {
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some((red, green, blue))
    };
    parts.filter_map(colour).collect()
}

/// The colour in place of one that is meant for white paper: a grey is as far from the paper as it was,
/// others are made lighter until they can be seen.
fn on_dark(colour: RGBColor) -> RGBColor {
    let RGBColor(red, green, blue) = colour;
    if red == green && green == blue {
        let share = f64::from(red) / f64::from(u8::MAX);
        return mixed(RGBColor(BRIGHTEST, BRIGHTEST, BRIGHTEST), PAPER, share);
    }
    let lighter = (0..=20).map(|step| mixed(colour, WHITE, f64::from(step) / 20.0));
    lighter.into_iter().find(|it| contrast(*it, PAPER) >= LEAST_CONTRAST).unwrap_or(WHITE)
}

/// The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(one: RGBColor, other: RGBColor) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The relative luminance of a colour (WCAG 2.2, "relative luminance").
fn luminance(RGBColor(red, green, blue): RGBColor) -> f64 {
    let [red, green, blue] = [red, green, blue].map(|part| {
        let share = f64::from(part) / f64::from(u8::MAX);
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use pushbench_core::Contender;

    use super::*;
    use crate::charts::look::colour;
    use crate::charts::style::INK;

    #[test]
    fn every_contender_and_every_text_can_be_seen_on_dark_paper() {
        for contender in Contender::all() {
            let seen = contrast(on_dark(colour(contender)), PAPER);
            assert!(seen >= LEAST_CONTRAST, "{contender}: {seen}");
        }
        // Of texts (WCAG 2.2 §1.4.3).
        assert!(contrast(on_dark(INK), PAPER) >= 4.5);
        assert_eq!(on_dark(WHITE), PAPER);
        assert!((contrast(WHITE, RGBColor(0, 0, 0)) - 21.0).abs() < 1e-9);
    }

    #[test]
    fn each_colour_has_one_rule() {
        let page = "<rect fill=\"#0072b2\"/><path stroke=\"#0072b2\"/><rect fill=\"#zz\"/>";
        assert_eq!(rules(page).matches("[fill=").count(), 1);
        assert!(rules(page).starts_with("[fill=\"#0072b2\"]{fill:#"));
    }
}
