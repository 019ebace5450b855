//! Polls of applications.
