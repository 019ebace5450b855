//! A child's side of the conversation: JSON lines, as between the processes of a run
//! (`pushbench_metrics::record::control`).

use std::io::{self, BufRead as _, Write as _};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The next order; an error where the parent is gone.
pub(crate) fn hear<T: DeserializeOwned>() -> io::Result<T> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

/// Says something. Without a parent to hear it, there is nobody to tell.
pub(crate) fn say<T: Serialize>(news: &T) {
    let Ok(mut line) = serde_json::to_vec(news) else { return };
    line.push(b'\n');
    let mut output = io::stdout().lock();
    let _ = output.write_all(&line).and_then(|()| output.flush());
}
