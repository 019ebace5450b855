//! Texts in which `{name}` stands for a value. Other braces are the text's own, and `{{name}}` is
//! `{name}` itself.

use std::collections::BTreeMap;

/// Values of variables, by their names.
pub type Values = BTreeMap<String, String>;

/// Whether a variable may be called so.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A piece of a text.
enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// The variables that stand in `text`.
#[must_use]
pub fn variables(text: &str) -> Vec<&str> {
    let name = |piece| match piece {
        Piece::Variable(name) => Some(name),
        Piece::Text(_) => None,
    };
    pieces(text).into_iter().filter_map(name).collect()
}

/// The text with each variable's value in its place.
///
/// # Errors
///
/// The name of the first that has no value.
pub fn fill(text: &str, values: &Values) -> Result<String, String> {
    let value = |piece| match piece {
        Piece::Text(text) => Ok(text),
        Piece::Variable(name) => values.get(name).map(String::as_str).ok_or(name),
    };
    let filled = pieces(text).into_iter().map(value).collect::<Result<String, &str>>();
    filled.map_err(str::to_owned)
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut begin, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = text[at..].find('{') {
        let brace = at + found;
        if let Some(end) = text[brace + 1..].strip_prefix('{').and_then(quoted) {
            // One brace of each pair is left out.
            pieces.push(Piece::Text(&text[begin..brace]));
            pieces.push(Piece::Text(&text[brace + 1..brace + 2 + end]));
            at = brace + 3 + end;
            begin = at;
        } else if let Some(name) = name(&text[brace + 1..]) {
            pieces.extend([Piece::Text(&text[begin..brace]), Piece::Variable(name)]);
            at = brace + name.len() + 2;
            begin = at;
        } else {
            at = brace + 1;
        }
    }
    pieces.push(Piece::Text(&text[begin..]));
    pieces
}

/// The name that `text` begins with, where a brace ends it.
fn name(text: &str) -> Option<&str> {
    let name = &text[..text.find('}')?];
    is_name(name).then_some(name)
}

/// How long a name and its brace are that `text` begins with, where a second brace ends it.
fn quoted(text: &str) -> Option<usize> {
    let name = name(text)?;
    text[name.len() + 1..].starts_with('}').then_some(name.len() + 1)
}
