//! What a task is: parameters that can be checked, and work that takes long.
//!
//! The tasks themselves live in [`crate::tasks`]. How a task is delivered, claimed, repeated and recorded is none of
//! its business; see [`crate::worker`].

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::Instant;

/// A kind of long work. The fields of the implementing type are the task's parameters.
pub trait Task: DeserializeOwned + Send + Sync + 'static {
    /// The value of `kind` in a request that asks for this task.
    const KIND: &'static str;

    /// Checks what the types of the parameters cannot express, before the task is accepted.
    ///
    /// # Errors
    ///
    /// The parameter that is out of range.
    fn validate(&self) -> Result<(), InvalidParameter>;

    /// Does the work. It may be started again from the beginning after a crash, and it is dropped at an await point
    /// when the task is cancelled or its time is up: work that computes should yield now and then.
    ///
    /// # Errors
    ///
    /// A failure of the work itself. It is final; crashes and lost environments are what is tried again.
    fn run(&self, context: &TaskContext) -> impl Future<Output = Result<Value, TaskError>> + Send;
}

/// A parameter that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct InvalidParameter {
    /// The name of the parameter, as the client wrote it.
    pub field: String,
    /// What is wrong with it, in a sentence that names it.
    pub detail: String,
}

impl InvalidParameter {
    /// `field` is at fault, for the reason that `detail` states.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            detail: detail.into(),
        }
    }

    /// Checks that `value` lies between `minimum` and `maximum`, both allowed.
    ///
    /// # Errors
    ///
    /// The named parameter, where it lies outside.
    pub fn unless_within(field: &str, value: u64, minimum: u64, maximum: u64) -> Result<(), Self> {
        if (minimum..=maximum).contains(&value) {
            return Ok(());
        }
        Err(Self::new(
            field,
            format!("{field} must be between {minimum} and {maximum}, not {value}"),
        ))
    }
}

/// The work failed, and would fail again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct TaskError(pub String);

/// What a running task can know and say.
#[derive(Debug)]
pub struct TaskContext {
    deadline: Instant,
    progress: AtomicU64,
}

impl TaskContext {
    /// A context for work that has to end by `deadline`.
    pub fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            progress: AtomicU64::new(0),
        }
    }

    /// How long the task may go on before it is stopped.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Says how much of the work is done, from 0 to 1. Cheap: the client sees it when the record is next renewed.
    pub fn report_progress(&self, fraction: f64) {
        self.progress
            .store(fraction.clamp(0.0, 1.0).to_bits(), Ordering::Relaxed);
    }

    /// The fraction that was reported last.
    pub fn progress(&self) -> f64 {
        f64::from_bits(self.progress.load(Ordering::Relaxed))
    }

    /// The time at which the task is stopped.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// A task whose type is forgotten, so that different kinds can be handled alike.
pub type AnyTask = Box<dyn RunTask>;

/// The object-safe side of [`Task`]; implemented for each of them.
pub trait RunTask: Send + Sync {
    /// [`Task::run`], boxed.
    fn run<'a>(
        &'a self,
        context: &'a TaskContext,
    ) -> Pin<Box<dyn Future<Output = Result<Value, TaskError>> + Send + 'a>>;
}

impl<T: Task> RunTask for T {
    fn run<'a>(
        &'a self,
        context: &'a TaskContext,
    ) -> Pin<Box<dyn Future<Output = Result<Value, TaskError>> + Send + 'a>> {
        Box::pin(Task::run(self, context))
    }
}

/// Writes a result as JSON.
///
/// # Errors
///
/// The result cannot be written as JSON, for example a map whose keys are not strings.
pub fn to_result(result: &impl Serialize) -> Result<Value, TaskError> {
    serde_json::to_value(result).map_err(|error| TaskError(format!("the result is not JSON: {error}")))
}
