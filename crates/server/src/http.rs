//! Responses and header fields, before and beside hyper.

pub(crate) mod answer;
pub(crate) mod fields;
pub(crate) mod last_words;
