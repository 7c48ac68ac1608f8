//! Who may call what: signatures and the policies of roles, as callers and functions notice them.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test whose scene cannot be set should panic"
)]

mod callers;
mod needed;
mod roles;
mod statements;
mod suite;
#[path = "../support/mod.rs"]
mod support;
