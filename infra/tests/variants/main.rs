//! Each variant as a whole: its compiled functions on the local cloud, spoken to over HTTP.

mod continuation;
mod contract;
mod faults;
mod lambda;
mod operation;
mod processes;
mod recovery;
#[path = "../support/mod.rs"]
mod support;
mod tls;
