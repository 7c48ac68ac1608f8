//! Measures the variants of this project through the interfaces that any client has: the HTTP API, the Lambda API
//! and the REPORT lines of the functions' logs. Nothing here knows how a variant works, or who runs it.
//!
//! Two programs use it: `compare` ([`comparison`], [`report`]) and the Criterion benches. Both start a deployment, or
//! find one ([`deployment`]), point a [`target::Target`] at it and measure ([`cold`], [`warm`]).

pub mod ablation;
pub mod aws;
pub mod billing;
pub mod burst;
pub mod change;
pub mod client;
pub mod cold;
pub mod comparison;
pub mod complexity;
pub mod cost;
pub mod deployment;
pub mod estimate;
pub mod event;
pub mod faults;
pub mod findings;
pub mod first_poll;
pub mod lambda;
pub mod load;
pub mod logs;
pub mod machine;
pub mod own_task;
pub mod package;
pub mod place;
pub mod prices;
pub mod progress;
pub mod quiet;
pub mod report;
pub mod report_line;
pub mod results;
pub mod saturation;
pub mod soak;
pub mod stack;
pub mod statistics;
pub mod target;
pub mod variant;
pub mod verdict;
pub mod warm;
pub mod warnings;
pub mod workspace;
