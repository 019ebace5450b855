//! The page for people: one document of parts that are files of their own.

/// The page: style and scripts in it, so that it is one answer.
pub(super) const PAGE: &str = concat!(
    include_str!("page/head.html"),
    include_str!("page/style.css"),
    include_str!("page/body.html"),
    include_str!("page/receive.js"),
    include_str!("page/view.js"),
    include_str!("page/ticker.js"),
    include_str!("page/chat.js"),
    include_str!("page/transports.js"),
    include_str!("page/tabs.js"),
    include_str!("page/tail.html"),
);
