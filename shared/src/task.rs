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

use crate::TaskId;

/// A kind of long work. The fields of the implementing type are the task's parameters.
///
/// ```
/// use serde::Deserialize;
/// use shared::{
///     TaskId,
///     task::{InvalidParameter, Task, TaskContext, TaskError, TaskOutput},
/// };
///
/// /// Asked for by `{"kind": "add", "numbers": [1, 2, 3]}`.
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Add {
///     numbers: Vec<u64>,
/// }
///
/// impl Task for Add {
///     const KIND: &'static str = "add";
///
///     fn validate(&self) -> Result<(), InvalidParameter> {
///         match self.numbers.len() {
///             1..=1000 => Ok(()),
///             _ => Err(InvalidParameter::new("numbers", "numbers must be 1 to 1000 numbers")),
///         }
///     }
///
///     async fn run(&self, context: &TaskContext) -> Result<TaskOutput, TaskError> {
///         let mut sum = 0_u64;
///         for (done, number) in self.numbers.iter().enumerate() {
///             sum = sum.checked_add(*number).ok_or_else(|| TaskError("the sum is too large".into()))?;
///             context.report_progress(done as f64 / self.numbers.len() as f64);
///             tokio::task::yield_now().await;
///         }
///         TaskOutput::result(&sum)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let task: Add = serde_json::from_str(r#"{"numbers": [1, 2, 3]}"#)?;
/// let in_a_minute = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
/// let output = task.run(&TaskContext::new(TaskId::random(), in_a_minute)).await?;
/// assert_eq!(output, TaskOutput::result(&6)?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Task: DeserializeOwned + Send + Sync + 'static {
    /// The value of `kind` in a request that asks for this task.
    const KIND: &'static str;

    /// Checks what the types of the parameters cannot express, before the task is accepted.
    ///
    /// # Errors
    ///
    /// The parameter that is out of range.
    fn validate(&self) -> Result<(), InvalidParameter>;

    /// Does the work. It may be started again after a crash, from its last checkpoint or from the beginning, and it
    /// is dropped at an await point when the task is cancelled or its time is up: work that computes should yield now
    /// and then. Work that may take longer than a function may run looks at [`TaskContext::should_pause`], answers
    /// with a checkpoint, and goes on from [`TaskContext::checkpoint`] the next time.
    ///
    /// # Errors
    ///
    /// A failure of the work itself. It is final; crashes and lost environments are what is tried again.
    fn run(&self, context: &TaskContext) -> impl Future<Output = Result<TaskOutput, TaskError>> + Send;
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

/// What a task comes to, if it does not fail.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskOutput {
    /// It is done, and this is its result.
    Result(Value),
    /// It is to be continued from this checkpoint, by a later invocation.
    ToBeContinued(Value),
}

impl TaskOutput {
    /// The work is done.
    ///
    /// # Errors
    ///
    /// The result cannot be written as JSON, for example a map whose keys are not strings.
    pub fn result(result: &impl Serialize) -> Result<Self, TaskError> {
        to_json("result", result).map(Self::Result)
    }

    /// The work goes on later, from this checkpoint.
    ///
    /// # Errors
    ///
    /// The checkpoint cannot be written as JSON.
    pub fn to_be_continued(checkpoint: &impl Serialize) -> Result<Self, TaskError> {
        to_json("checkpoint", checkpoint).map(Self::ToBeContinued)
    }
}

fn to_json(what: &str, value: &impl Serialize) -> Result<Value, TaskError> {
    serde_json::to_value(value).map_err(|error| TaskError(format!("the {what} is not JSON: {error}")))
}

/// The part of an attempt's time, and the longest time, that a task keeps back for putting itself down in order.
const PAUSE: (u32, Duration) = (4, Duration::from_secs(10));

/// What a running task can know and say.
#[derive(Debug)]
pub struct TaskContext {
    task_id: TaskId,
    deadline: Instant,
    pause_at: Instant,
    checkpoint: Option<Value>,
    progress: AtomicU64,
}

impl TaskContext {
    /// A context for work that begins now and has to end by `deadline`.
    pub fn new(task_id: TaskId, deadline: Instant) -> Self {
        let time = deadline.saturating_duration_since(Instant::now());
        Self {
            task_id,
            deadline,
            pause_at: deadline - (time / PAUSE.0).min(PAUSE.1),
            checkpoint: None,
            progress: AtomicU64::default(),
        }
    }

    /// A context for work that goes on from a checkpoint, with so much done.
    #[must_use]
    pub fn continued(mut self, checkpoint: Value, progress: f64) -> Self {
        self.checkpoint = Some(checkpoint);
        self.report_progress(progress);
        self
    }

    /// The task's id: the same in every attempt. Work with effects elsewhere can use it as an idempotency key there.
    pub fn task_id(&self) -> &TaskId {
        &self.task_id
    }

    /// Where to go on, or nothing if this is the beginning.
    ///
    /// # Errors
    ///
    /// The checkpoint is not of that type: the function was changed since it was written.
    pub fn checkpoint<C: DeserializeOwned>(&self) -> Result<Option<C>, TaskError> {
        let read = |checkpoint: &Value| {
            C::deserialize(checkpoint)
                .map_err(|error| TaskError(format!("the checkpoint cannot be read: {error}")))
        };
        self.checkpoint.as_ref().map(read).transpose()
    }

    /// Whether it is time to answer with a checkpoint.
    pub fn should_pause(&self) -> bool {
        Instant::now() >= self.pause_at
    }

    /// How long the task may go on before it is stopped.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Says how much of the work is done, from 0 to 1. Cheap: the client sees it when the record is next renewed. What is
    /// not a number, as a part of nothing is, counts as nothing done: JSON could not keep it.
    pub fn report_progress(&self, fraction: f64) {
        let fraction = if fraction.is_nan() {
            0.0
        } else {
            fraction.clamp(0.0, 1.0)
        };
        self.progress.store(fraction.to_bits(), Ordering::Relaxed);
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
    ) -> Pin<Box<dyn Future<Output = Result<TaskOutput, TaskError>> + Send + 'a>>;
}

impl<T: Task> RunTask for T {
    fn run<'a>(
        &'a self,
        context: &'a TaskContext,
    ) -> Pin<Box<dyn Future<Output = Result<TaskOutput, TaskError>> + Send + 'a>> {
        Box::pin(Task::run(self, context))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context() -> TaskContext {
        TaskContext::new(TaskId::random(), Instant::now() + Duration::from_secs(8))
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_to_pause_comes_a_little_before_the_deadline() {
        let context = context();
        tokio::time::advance(Duration::from_millis(5_999)).await;
        assert!(!context.should_pause());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(context.should_pause());
        assert_eq!(context.time_left(), Duration::from_secs(2));
    }

    #[tokio::test]
    async fn progress_is_always_a_number_from_0_to_1() {
        let context = context();
        for (reported, kept) in [(0.3, 0.3), (-1.0, 0.0), (7.0, 1.0), (f64::NAN, 0.0)] {
            context.report_progress(reported);
            assert!((context.progress() - kept).abs() < f64::EPSILON, "{reported}");
        }
    }

    #[tokio::test]
    async fn a_checkpoint_of_another_type_is_an_error_of_the_task() {
        let begun = context();
        assert_eq!(begun.checkpoint::<u32>().unwrap(), None);
        let continued = begun.continued(json!(7), 0.5);
        assert_eq!(continued.checkpoint::<u32>().unwrap(), Some(7));
        assert!(continued.checkpoint::<String>().is_err());
        assert!((continued.progress() - 0.5).abs() < f64::EPSILON);
    }
}
