//! The Lambda service, with a function that does what its events say.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what helps the tests fails as they do"
)]

mod asynchronous;
mod extensions;
mod invoke;
mod life_cycle;
mod limits;
mod mapping;
mod recursion;
mod scale;
mod support;
