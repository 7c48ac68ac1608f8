//! What the three variants have in common: the long task, its life cycle, its HTTP interface.
//!
//! The domain stands in the middle and knows neither Lambda nor DynamoDB: [`task`] (what a task is), [`tasks`] (the
//! built-in ones), [`record`] (the state of one accepted task and its legal transitions). Around it stand the two
//! halves of every variant: [`api`] accepts, records and hands over; [`worker`] claims, runs and records. They are
//! joined by one seam, the [`Dispatch`] trait, which is all in which the variants differ. At the edge: [`store`]
//! (DynamoDB, or memory for unit tests), [`event`] (what can invoke a function), [`webhook`] (who is told), [`metrics`]
//! (what is counted), [`aws`] and [`logging`] (start-up).
//!
//! Nothing here knows which variant it runs in, nor whether it runs on AWS or on the local cloud.

pub mod api;
pub mod aws;
mod digest;
pub mod dispatch;
pub mod event;
pub mod logging;
mod metrics;
pub mod queue;
pub mod record;
pub mod store;
pub mod task;
pub mod tasks;
pub mod timestamp;
pub mod webhook;
pub mod worker;

pub use api::Api;
/// What the implementations of [`Dispatch`] and [`Store`] are marked with.
pub use async_trait::async_trait;
pub use dispatch::{Dispatch, DispatchError, TaskMessage};
pub use record::{Record, Status, TaskId};
pub use store::{DynamoStore, Store};
pub use timestamp::Timestamp;
pub use webhook::Webhook;
pub use worker::Worker;
