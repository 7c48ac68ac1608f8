//! Variant 2, the worker function: runs the tasks whose messages the event source mapping brings, and records those
//! that ended in the dead-letter queue.

use std::{convert::Infallible, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use shared::{
    Worker, aws, logging,
    queue::{QueueError, body, for_each_message, give_up_tasks},
};
use sqs_worker::TaskQueue;

/// How long a message stays hidden once its worker is gone, in seconds. The queue's own visibility timeout has to be
/// longer than any task; the worker replaces it by this one, and renews it for as long as it lives. It is longer than
/// the lease, so that the delivery that follows can take the task over.
const HOLD: i32 = 40;

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await?;
    let queue = TaskQueue::on_aws(&config)?;
    let consumer = Consumer {
        worker: Worker::on_aws(&config, queue.clone())?,
        queue,
        dead_letters: aws::setting("DEAD_LETTER_QUEUE_ARN")?,
    };
    lambda_runtime::run(service_fn(async |event| {
        Ok::<_, Infallible>(consumer.handle(event).await)
    }))
    .await
}

/// Deals with the messages of both queues.
struct Consumer {
    worker: Worker,
    queue: TaskQueue,
    dead_letters: String,
}

impl Consumer {
    /// A batch comes from one queue: the tasks' own, or the one where they end that nobody could finish.
    async fn handle(&self, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
        let LambdaEvent { payload, context } = event;
        let source = payload
            .records
            .first()
            .and_then(|message| message.event_source_arn.as_deref());
        if source == Some(&self.dead_letters) {
            return give_up_tasks(&self.worker, &payload, &context).await;
        }
        for_each_message(&payload, async |message| self.run(message, &context).await).await
    }

    /// Runs the task of a message while keeping the message hidden.
    async fn run(&self, message: &SqsMessage, invocation: &Context) -> Result<(), QueueError> {
        let task = serde_json::from_str(body(message))?;
        let ran = tokio::select! {
            ran = self.worker.run(&task, invocation) => ran,
            never = self.hold(message) => match never {},
        };
        if ran.is_err() {
            self.hide(message, pause_after(message)).await;
        }
        Ok(ran.map(drop)?)
    }

    async fn hold(&self, message: &SqsMessage) -> Infallible {
        loop {
            self.hide(message, HOLD).await;
            tokio::time::sleep(RENEWAL).await;
        }
    }

    /// Hides the message for so many seconds from now.
    async fn hide(&self, message: &SqsMessage, seconds: i32) {
        let request = self.queue.sqs.change_message_visibility();
        let request = request.queue_url(&self.queue.url).visibility_timeout(seconds);
        if let Err(error) = request
            .set_receipt_handle(message.receipt_handle.clone())
            .send()
            .await
        {
            // The task goes on: a second delivery would find its lease held.
            tracing::warn!(
                message_id = message.message_id,
                error = logging::chain(&error),
                "the message could not be hidden"
            );
        }
    }
}

/// How long the next delivery is put off after one that failed, in seconds: twice as long each time, so that five deliveries
/// outlast a store that is away for ten minutes, and the work of another worker.
fn pause_after(message: &SqsMessage) -> i32 {
    let received = message.attributes.get("ApproximateReceiveCount");
    let before = received.and_then(|count| count.parse::<u32>().ok()).unwrap_or(1);
    HOLD << before.clamp(1, 4).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_delivery_that_fails_puts_the_next_one_off_for_longer() {
        let received = |times: &str| {
            let mut message = SqsMessage::default();
            let count = ("ApproximateReceiveCount".to_owned(), times.to_owned());
            message.attributes.extend([count]);
            message
        };
        let pauses = ["1", "2", "3", "4", "5"].map(|times| pause_after(&received(times)));
        assert_eq!(pauses, [40, 80, 160, 320, 320]);
        assert_eq!(pause_after(&SqsMessage::default()), 40);
    }
}
