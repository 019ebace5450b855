//! Why a browser does not do its part.

use std::io;

use thiserror::Error;

/// A browser that does not do its part.
#[derive(Debug, Error)]
pub enum BrowserError {
    /// Its DevTools cannot be reached, or closed the connection.
    #[error("cannot {0} the browser's DevTools: {1}")]
    Connection(&'static str, String),
    /// It refuses a command.
    #[error("the browser refuses `{0}`: {1}")]
    Refused(String, String),
    /// A script of the page failed.
    #[error("the page's script failed: {0}")]
    Script(String),
    /// The page is not as it should be.
    #[error("tab {0} does not load the server's page in time")]
    Page(u32),
    /// An answer that is none.
    #[error("cannot understand what the browser answered to `{0}`")]
    Answer(String),
    /// An order out of turn, or none any more.
    #[error("expected the order to {0}")]
    Order(&'static str),
    /// A schedule that goes too far.
    #[error("cannot tell when messages are due: {0}")]
    Due(String),
}

impl BrowserError {
    #[expect(clippy::needless_pass_by_value, reason = "as map_err calls it")]
    pub(crate) fn reaching(error: io::Error) -> Self {
        Self::Connection("reach", error.to_string())
    }
}
