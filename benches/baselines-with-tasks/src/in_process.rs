//! The hand-over within the process that accepted the task. Nobody delivers it again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use shared::{Dispatch, DispatchError, TaskMessage, Worker, async_trait, aws};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::warn;

/// Hands over to whoever holds the other end, [`Accepted`].
#[derive(Clone, Debug)]
pub struct InProcess(UnboundedSender<TaskMessage>);

/// The tasks that were handed over.
#[derive(Debug)]
pub struct Accepted(UnboundedReceiver<TaskMessage>);

/// Both ends of a hand-over within the process.
pub fn in_process() -> (InProcess, Accepted) {
    let (sender, receiver) = unbounded_channel();
    (InProcess(sender), Accepted(receiver))
}

#[async_trait]
impl Dispatch for InProcess {
    async fn dispatch(&self, message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
        self.0.send(message.clone()).map_err(DispatchError::new)
    }
}

impl Accepted {
    /// Runs every task, each on its own and for as long as `time`, until the other end is gone.
    pub async fn run(mut self, worker: Worker, time: Duration) {
        while let Some(message) = self.0.recv().await {
            let worker = worker.clone();
            tokio::spawn(async move {
                if let Err(error) = worker.run(&message, &invocation_of(time)).await {
                    warn!(task_id = %message.task_id, %error, "the task is lost: nobody delivers it again");
                }
            });
        }
    }

    /// A task that was handed over and not taken yet.
    pub fn take(&mut self) -> Option<TaskMessage> {
        self.0.try_recv().ok()
    }
}

/// The time that the template gives to an attempt at a task, `TASK_TIMEOUT` in seconds.
///
/// # Errors
///
/// It gives none, or it is no number.
pub fn time_for_a_task() -> Result<Duration, lambda_runtime::Error> {
    Ok(Duration::from_secs(aws::setting("TASK_TIMEOUT")?.parse()?))
}

/// What takes the place of an invocation where there is none: one that ends after `time`.
pub fn invocation_of(time: Duration) -> Context {
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + time;
    let mut invocation = Context::default();
    invocation.deadline = u64::try_from(end.as_millis()).unwrap_or(u64::MAX);
    invocation
}
