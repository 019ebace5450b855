//! Text that somebody else wrote, made safe for the place where it is shown: a close reason, the
//! body of a refusal, a name in a record, a path.
//!
//! Whoever writes a terminal line, a CSV cell, Markdown or HTML passes it through the function of
//! that place, once, right before it is written. What is kept for programs, the run record, holds
//! such text as it came.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The most characters of one line on a terminal.
pub const LONGEST_LINE: usize = 4_000;

/// The most characters of a CSV cell, and of a text in Markdown or HTML: as many as a
/// spreadsheet's cell holds.
pub const LONGEST_CELL: usize = 32_767;

/// One line for a terminal: what would move the cursor, change colours or the window's title,
/// reverse the direction of writing or begin another line is shown as an escape such as `\x1b`.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    bounded(visible(text, |_| false), LONGEST_LINE)
}

/// Several lines for a terminal: as [`line()`], but line feeds and tabs stay, and no length is too
/// much.
#[must_use]
pub fn page(text: &str) -> Cow<'_, str> {
    visible(text, |c| matches!(c, '\n' | '\t'))
}

/// A CSV cell that is data in a spreadsheet and no formula: on a line of its own, and behind an
/// apostrophe where a spreadsheet would calculate. A number stays a number, its sign included.
///
/// The quotes that separators and quotes ask for (RFC 4180) are the CSV writer's.
#[must_use]
pub fn csv(cell: &str) -> Cow<'_, str> {
    let cell = bounded(visible(cell, |_| false), LONGEST_CELL);
    if is_number(&cell) || !cell.split(';').any(begins_formula) {
        return cell;
    }
    // In many countries a spreadsheet separates fields at semicolons, quoted or not.
    let pieces: Vec<Cow<'_, str>> = cell
        .split(';')
        .map(|piece| if begins_formula(piece) { format!("'{piece}").into() } else { piece.into() })
        .collect();
    Cow::Owned(pieces.join(";"))
}

/// Text between Markdown's own signs, shown as it is: no table cell, code, link, image, HTML or
/// line begins in it (CommonMark 0.31 §2.4).
#[must_use]
pub fn markdown(text: &str) -> String {
    let text = bounded(visible(text, |c| matches!(c, '\n' | '\r' | '\t')), LONGEST_CELL);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '$' => safe.extend(['\\', c]),
            _ => safe.push(c),
        }
    }
    safe
}

/// Text in HTML or XML, fit for attributes too: what they give a meaning to becomes a reference,
/// and no character is left that XML forbids (XML 1.0 §2.2).
#[must_use]
pub fn html(text: &str) -> String {
    let text = bounded(visible(text, |c| matches!(c, '\n' | '\t')), LONGEST_CELL);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// The same JSON document without characters that act on a terminal. They can stand in strings
/// alone, where an escape means the same (RFC 8259 §7), so nothing is lost.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    let acts = |c: char| acts(c) && !c.is_ascii_whitespace();
    if !document.contains(acts) {
        return Cow::Borrowed(document);
    }
    let mut safe = String::with_capacity(document.len());
    for c in document.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a character does something where it is written, or makes text look like another one.
const fn acts(c: char) -> bool {
    matches!(c,
        // Control characters of ASCII (C0, DEL) and beyond (C1).
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // The direction of writing (UAX #9 §2), and the ends of lines and paragraphs.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        // Not to be seen. Joiners stay, since scripts need them.
        | '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}'
        // No characters.
        | '\u{fffe}' | '\u{ffff}')
}

/// `text` with each character that acts shown as an escape, but for those that `stay`.
fn visible(text: &str, stay: impl Fn(char) -> bool) -> Cow<'_, str> {
    let shown = |c: char| acts(c) && !stay(c);
    if !text.contains(shown) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        let _ = match c {
            _ if !shown(c) => safe.write_char(c),
            '\n' => safe.write_str("\\n"),
            '\r' => safe.write_str("\\r"),
            '\t' => safe.write_str("\\t"),
            '\0'..='\u{ff}' => write!(safe, "\\x{:02x}", u32::from(c)),
            _ => write!(safe, "\\u{{{:x}}}", u32::from(c)),
        };
    }
    Cow::Owned(safe)
}

/// At most so many characters, the last one saying that there were more.
fn bounded(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text;
    }
    match text.char_indices().nth(most - 1) {
        Some((end, last)) if end + last.len_utf8() < text.len() => {
            Cow::Owned(format!("{}…", &text[..end]))
        }
        _ => text,
    }
}

/// Whether a spreadsheet would calculate: also the wide forms of the signs are taken for them.
fn begins_formula(field: &str) -> bool {
    field.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

fn is_number(cell: &str) -> bool {
    let digits = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    cell.bytes().all(digits) && cell.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Erases the screen, sets the window's title, reverses the direction of writing.
    const EVIL: &str = "\x1b[2J\x1b]0;title\x07gone\u{9b}31m\r\u{202e}\x7f\u{200b}";
    const SHOWN: &str = r"\x1b[2J\x1b]0;title\x07gone\x9b31m\r\u{202e}\x7f\u{200b}";

    #[test]
    fn what_would_act_on_a_terminal_is_shown() {
        assert_eq!(line(EVIL), SHOWN);
        assert_eq!(page(EVIL), SHOWN);
        assert_eq!(line("a\n\tb"), r"a\n\tb");
        assert_eq!(page("a\n\tb"), "a\n\tb");
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["", "p99 < 5 µs – “x”", "naïve 東京 🙂 می\u{200c}خواهم", "\\x1b"]
        {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn a_line_has_an_end() {
        let long = "é".repeat(LONGEST_LINE + 1);
        let short = line(&long);
        assert_eq!(short.chars().count(), LONGEST_LINE);
        assert!(short.ends_with("é…"));
        let most = "é".repeat(LONGEST_LINE);
        assert_eq!(line(&most), most);
    }

    #[test]
    fn numbers_stay_numbers_and_formulas_become_text() {
        for same in ["", "0", "-0.5", "+3", "1e-7", "-1.5E+9", "p50; p99", "a=b", "–", "4-5"] {
            assert_eq!(csv(same), same);
        }
        for (cell, safe) in [
            ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1+1", "'+1+1"),
            ("-2+3", "'-2+3"),
            ("-", "'-"),
            ("-inf", "'-inf"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("\t=1", r"\t=1"),
            ("\r=1", r"\r=1"),
            ("closed: a;=1; b", "closed: a;'=1; b"),
            ("-1;=1", "'-1;'=1"),
            ("a\nb\x1b", r"a\nb\x1b"),
        ] {
            assert_eq!(csv(cell), safe);
        }
    }

    #[test]
    fn markdown_and_html_show_what_stands_there() {
        let evil = "<b>|`x`|\n![a](b) \x1b[1m*&_ \"'";
        assert_eq!(markdown(evil), r#"&lt;b&gt;\|\`x\`\| !\[a\](b) \\x1b\[1m\*&amp;\_ "'"#);
        assert_eq!(html(evil), "&lt;b&gt;|`x`|\n![a](b) \\x1b[1m*&amp;_ &quot;&#39;");
    }

    #[test]
    fn json_means_the_same_and_does_nothing() {
        let value = serde_json::json!({ "reason": EVIL, "name": "é\u{e0041}\n" });
        let document = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&document);
        assert!(!safe.contains(['\x1b', '\u{9b}', '\u{202e}', '\x7f', '\u{e0041}']), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        assert!(matches!(json("{\n  \"a\": 1\n}"), Cow::Borrowed(_)));
    }
}
