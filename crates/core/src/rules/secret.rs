//! Texts that nobody is to see: what came from the environment, credentials, a URL's query.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The mark that is shown in a secret's place.
pub const HIDDEN: &str = "***";

/// A text that no output, record or command line may hold. It travels on the pipe to a child alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Secrets, which what a server sent may repeat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(Vec<Secret>);

/// Header fields whose values are secrets: those of RFC 9110 §11.6.2 and §11.7.2 and RFC 6265 §4.2, and names
/// under which keys are commonly asked for.
const CREDENTIALS: [&str; 7] = [
    "Authorization",
    "Proxy-Authorization",
    "Cookie",
    "X-Api-Key",
    "Api-Key",
    "X-Auth-Token",
    "X-Access-Token",
];

/// Whether the value of that header field is a secret.
pub(super) fn is_credentials(name: &str) -> bool {
    CREDENTIALS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

impl Secrets {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a secret; the empty text is none.
    pub fn add(&mut self, secret: &str) {
        if !secret.is_empty() && !self.0.iter().any(|known| known.0 == secret) {
            self.0.push(Secret(secret.to_owned()));
            // What is part of another is looked for behind it.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.0.len()));
        }
    }

    /// Adds what is secret about a header field: of credentials their words too, since a server may
    /// repeat a token without its scheme, or one cookie of several.
    pub fn add_field(&mut self, name: &str, value: &str) {
        if !is_credentials(name) {
            return;
        }
        self.add(value);
        for word in value.split([' ', ';']) {
            let word = word.split_once('=').map_or(word, |(_, value)| value);
            if word.len() >= 8 {
                self.add(word);
            }
        }
    }

    /// Adds what is secret about a URL or path: its query, and its user information.
    pub fn add_url(&mut self, url: &str) {
        if let Some((_, query)) = url.split_once('?') {
            self.add(query);
            query.split('&').filter_map(|pair| pair.split_once('=')).for_each(|(_, value)| {
                if value.len() >= 8 {
                    self.add(value);
                }
            });
        }
    }

    /// `text` without secrets.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let hidden = |text: String, secret: &Secret| text.replace(&secret.0, HIDDEN);
        self.0.iter().fold(text.to_owned(), hidden)
    }
}
