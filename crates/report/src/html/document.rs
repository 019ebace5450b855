//! A page as a whole: one file that loads nothing, with a style and a script of its own and a policy that
//! allows no others.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::escaped;
use crate::charts;

const STYLE: &str = include_str!("../../assets/page.css");

const SCRIPT: &str = include_str!("../../assets/page.js");

/// The document with `body`, which is HTML, under a title, which is text.
pub(crate) fn whole(title: &str, body: &str) -> String {
    let title = escaped(title);
    let style = style(body);
    let policy = policy(&style);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         {body}<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// The style, with the colours of the drawings in `body` for where it is dark. Paper stays white.
fn style(body: &str) -> String {
    let mut style = STYLE.to_owned();
    let rules = charts::dark::rules(body);
    let _ = write!(style, "@media screen and (prefers-color-scheme: dark) {{\n{rules}}}\n");
    style
}

/// This style and this script alone, known by their hashes (Content Security Policy Level 3 §2.3.1); no
/// connection, no picture, no form, and no text that becomes markup.
fn policy(style: &str) -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'",
        source(style),
        source(SCRIPT),
    )
}

/// The content of an element, as a policy names it.
fn source(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}
