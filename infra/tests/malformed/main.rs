//! What no client and no function should send: the parsers of the protocols refuse it, nothing panics, and the local
//! cloud goes on answering.
//!
//! The cases are random, from a seed that a failure prints. `PROPTEST_CASES` sets how many of each kind are tried.
//! Those of `templates`, `sqs` and `signatures` stay in this process; those of `live` go to a local cloud that runs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod live;
mod signatures;
mod sqs;
#[allow(dead_code, unused_imports, reason = "the tests of Lambda use the rest of it")]
#[path = "../lambda/support.rs"]
mod support;
mod templates;
