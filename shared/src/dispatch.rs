//! The one seam: handing an accepted task over, to be run later.
//!
//! Each variant implements [`Dispatch`], and its worker half decodes what arrives. All else is the same in every
//! variant.

#[cfg(test)]
mod notes;

use async_trait::async_trait;
use lambda_runtime::Context;
use serde::{Deserialize, Serialize};

use crate::{Record, TaskId};

#[cfg(test)]
pub(crate) use notes::Notes;

/// What is handed over: the task's id, marked as this project's own event. Never more, so that it fits every queue;
/// the rest is in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskMessage {
    event_type: EventType,
    /// The task to run.
    pub task_id: TaskId,
    /// How many times it had been put down when this was sent. A message that comes late or twice asks for a part of
    /// the task that is done.
    #[serde(default)]
    pub continuation: u32,
}

/// The agreed value that tells the internal event from any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum EventType {
    #[serde(rename = "run-task")]
    RunTask,
}

impl TaskMessage {
    /// The message that asks for the task of this record to be run, or to be gone on with.
    pub fn of(record: &Record) -> Self {
        Self {
            event_type: EventType::RunTask,
            task_id: record.id.clone(),
            continuation: record.continuations,
        }
    }

    /// The message as JSON.
    ///
    /// # Errors
    ///
    /// None in practice: a message is two strings and a number.
    pub fn to_json(&self) -> Result<String, DispatchError> {
        serde_json::to_string(self).map_err(DispatchError::new)
    }
}

/// Hands tasks over for later.
///
/// A variant of one's own is this, and main functions like those of the three. Here tasks wait in a channel:
///
/// ```
/// use lambda_runtime::Context;
/// use shared::{Dispatch, DispatchError, TaskMessage, async_trait};
/// use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
///
/// struct Channel(UnboundedSender<TaskMessage>);
///
/// #[async_trait]
/// impl Dispatch for Channel {
///     async fn dispatch(&self, message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
///         self.0.send(message.clone()).map_err(DispatchError::new)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let record = shared::Record::accept("sleep", serde_json::Map::new(), shared::Timestamp::now());
/// # let message = TaskMessage::of(&record);
/// let (sender, mut receiver) = unbounded_channel();
/// Channel(sender).dispatch(&message, &Context::default()).await?;
/// assert_eq!(receiver.recv().await, Some(message));
/// # Ok::<_, DispatchError>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Dispatch: Send + Sync {
    /// Hands over the task that `message` names. `invocation` is the context of the invocation that does so: of the
    /// request that accepted the task, or of the worker that puts it down.
    ///
    /// # Errors
    ///
    /// The platform did not take the task, or it is not known whether it did.
    async fn dispatch(&self, message: &TaskMessage, invocation: &Context) -> Result<(), DispatchError>;
}

/// The hand-over failed.
#[derive(Debug, thiserror::Error)]
#[error("the task could not be handed over")]
pub struct DispatchError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl DispatchError {
    /// The hand-over failed because of `cause`.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Hands a task over by an asynchronous invocation of `function`, a name or an ARN: accepted means queued by Lambda
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).
///
/// # Errors
///
/// Lambda did not queue the event.
#[cfg(feature = "asynchronous-invocation")]
pub async fn invoke_asynchronously(
    lambda: &aws_sdk_lambda::Client,
    function: &str,
    message: &TaskMessage,
) -> Result<(), DispatchError> {
    lambda
        .invoke()
        .function_name(function)
        .invocation_type(aws_sdk_lambda::types::InvocationType::Event)
        .payload(aws_sdk_lambda::primitives::Blob::new(message.to_json()?))
        .send()
        .await
        .map_err(DispatchError::new)?;
    Ok(())
}
