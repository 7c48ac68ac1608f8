//! An event source mapping: receives messages from a queue, invokes a function with them, and deletes what it dealt
//! with (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).
//! How many batches at the same time is in [`scaling`].

mod scaling;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use scaling::Scaling;

use super::{
    LARGEST_EVENT,
    function::{Function, Rejection},
    invocation::{Invocation, Outcome},
    recursion::Lineage,
};
use crate::{
    chaos::Fault,
    say::say,
    sqs::{AttributeValue, MessageAttribute, Queue, ReceivedMessage, SqsError},
    template,
};

/// The longest long poll of SQS.
const POLL: Duration = Duration::from_secs(20);

/// Messages that one receive can return.
const MESSAGES_PER_RECEIVE: usize = 10;

/// How long a throttled batch waits before the next attempt.
const THROTTLE_DELAY: Duration = Duration::from_secs(1);

/// A queue that feeds a function.
#[derive(Debug)]
pub struct EventSourceMapping {
    queue: Arc<Queue>,
    function: Arc<Function>,
    declared: template::EventSourceMapping,
    region: String,
    /// Batches that wait because the function is throttled.
    throttled: AtomicUsize,
}

/// What is handed to a function at a time.
struct Batch {
    messages: Vec<ReceivedMessage>,
    /// When the first of them is visible to others again.
    visible_again: Instant,
}

impl EventSourceMapping {
    /// A mapping as declared, between the queue and the function that it names.
    pub fn new(
        declared: template::EventSourceMapping,
        queue: Arc<Queue>,
        function: Arc<Function>,
        region: String,
    ) -> Self {
        Self {
            queue,
            function,
            declared,
            region,
            throttled: AtomicUsize::new(0),
        }
    }

    /// Feeds the function for as long as the queue exists.
    pub async fn run(self) {
        let mapping = Arc::new(self);
        let mut scaling = Scaling::new(mapping.declared.maximum_concurrency);
        loop {
            let is_throttled = || mapping.throttled.load(Relaxed) > 0;
            let Some(permit) = scaling.permit(is_throttled).await else {
                return;
            };
            let Some(batch) = mapping.receive(&mut scaling).await else {
                return;
            };
            let mapping = Arc::clone(&mapping);
            tokio::spawn(async move {
                mapping.handle(batch).await;
                drop(permit);
            });
        }
    }

    /// A batch, as soon as there is one; nothing once the queue is gone. An empty queue has no backlog to scale for.
    async fn receive(&self, scaling: &mut Scaling) -> Option<Batch> {
        let size = self.declared.batch_size as usize;
        let room = size.min(MESSAGES_PER_RECEIVE);
        let mut batch = self
            .queue
            .receive(room, Duration::ZERO, None)
            .await
            .unwrap_or_default();
        while batch.is_empty() {
            batch = self.queue.receive(room, POLL, None).await.ok()?;
            scaling.begin_anew();
            if batch.is_empty() {
                scaling.shrink();
            }
        }
        let visible_again = Instant::now() + self.queue.attributes().visibility_timeout();
        let gathered_by = Instant::now() + self.declared.maximum_batching_window;
        while batch.len() < size {
            let wait = gathered_by.saturating_duration_since(Instant::now());
            let room = (size - batch.len()).min(MESSAGES_PER_RECEIVE);
            let more = self.queue.receive(room, wait, None).await.unwrap_or_default();
            if more.is_empty() {
                break;
            }
            batch.extend(more);
        }
        Some(Batch {
            messages: batch,
            visible_again,
        })
    }

    /// Invokes the function with the batch, and deletes the messages that it dealt with. The others become visible
    /// again when their visibility timeout has passed.
    async fn handle(&self, batch: Batch) {
        let Batch {
            mut messages,
            visible_again,
        } = batch;
        let event = self.event(&messages).to_string();
        if event.len() > LARGEST_EVENT && messages.len() > 1 {
            // As AWS does, invoke with fewer messages at a time.
            let second = messages.split_off(messages.len() / 2);
            for messages in [messages, second] {
                let half = Batch {
                    messages,
                    visible_again,
                };
                Box::pin(self.handle(half)).await;
            }
            return;
        }
        let trace_headers = messages
            .iter()
            .filter_map(|received| received.message.trace_header.as_deref());
        let mut invocation = Invocation::new(event.into());
        invocation.follow(&Lineage::merged(trace_headers));
        let Some(outcome) = self.invoke(invocation, visible_again).await else {
            return;
        };
        let failed = self.failed(&outcome, &messages);
        for message in messages
            .iter()
            .filter(|message| !failed.contains(&message.message.id))
        {
            if let Err(error) = self.delete(message) {
                say!("infra: cannot delete message {}: {error}", message.message.id);
            }
        }
    }

    /// Deletes a message, of which chaos may keep a copy.
    fn delete(&self, received: &ReceivedMessage) -> Result<(), SqsError> {
        let handle = &received.receipt_handle;
        if let Some(delay) = self.function.chaos.duplicates_message()
            && self.queue.keep_copy(handle, delay)?
        {
            let (id, queue) = (&received.message.id, self.queue.name());
            let what = format!("duplicated message {id} of {queue}");
            self.function.chaos.inflicted(Fault::Duplicate, &what);
        }
        self.queue.delete(handle)
    }

    /// Invokes until the function is not throttled, or the messages are visible to others again: then they come with a batch
    /// of theirs (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>). In a recursive loop there is
    /// no outcome either: the messages stay, and are received again until the queue moves them to its
    /// dead-letter queue or their retention is over
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).
    async fn invoke(&self, invocation: Invocation, visible_again: Instant) -> Option<Outcome> {
        loop {
            match self.function.invoke_from_queue(invocation.clone()) {
                Ok(outcome) => return outcome.await.ok(),
                Err(Rejection::Recursive) => return None,
                Err(Rejection::Throttled { .. }) if self.function.is_switched_off() => return None,
                Err(Rejection::Throttled { .. }) if Instant::now() + THROTTLE_DELAY >= visible_again => {
                    return None;
                }
                Err(Rejection::Throttled { .. }) => {
                    self.throttled.fetch_add(1, Relaxed);
                    sleep(THROTTLE_DELAY).await;
                    self.throttled.fetch_sub(1, Relaxed);
                }
            }
        }
    }

    /// The ids of the messages that are not to be deleted.
    fn failed(&self, outcome: &Outcome, batch: &[ReceivedMessage]) -> HashSet<String> {
        let all = || batch.iter().map(|message| message.message.id.clone()).collect();
        if outcome.function_error.is_some() {
            return all();
        }
        if !self.declared.report_batch_item_failures {
            return HashSet::new();
        }
        let ids: HashSet<&str> = batch.iter().map(|message| message.message.id.as_str()).collect();
        reported_failures(&outcome.payload, &ids).unwrap_or_else(all)
    }

    fn event(&self, batch: &[ReceivedMessage]) -> Value {
        json!({"Records": batch.iter().map(|message| self.record(message)).collect::<Vec<_>>()})
    }

    /// A message as it stands in an event
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>).
    fn record(&self, received: &ReceivedMessage) -> Value {
        let message = &received.message;
        let attributes: serde_json::Map<String, Value> = message
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute_of(attribute)))
            .collect();
        json!({
            "messageId": message.id,
            "receiptHandle": received.receipt_handle,
            "body": message.body,
            "attributes": received.system_attributes(),
            "messageAttributes": attributes,
            "md5OfBody": message.md5_of_body,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue.arn(),
            "awsRegion": self.region,
        })
    }
}

fn attribute_of(attribute: &MessageAttribute) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut value = json!({
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": attribute.data_type,
    });
    match &attribute.value {
        AttributeValue::Text(text) => value["stringValue"] = json!(text),
        AttributeValue::Binary(bytes) => value["binaryValue"] = json!(STANDARD.encode(bytes)),
    }
    value
}

/// The failures that a response reports, or nothing where by AWS's rules the whole batch failed: a response that is
/// not JSON, an id that is empty, missing or unknown, a wrong key
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>).
fn reported_failures(response: &[u8], batch: &HashSet<&str>) -> Option<HashSet<String>> {
    let response: Value = serde_json::from_slice(response).ok()?;
    let failures = match response.get("batchItemFailures") {
        None | Some(Value::Null) => return Some(HashSet::new()),
        Some(failures) => failures.as_array()?,
    };
    failures
        .iter()
        .map(|failure| {
            let id = failure.get("itemIdentifier")?.as_str()?;
            batch.contains(id).then(|| id.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(response: &str) -> Option<Vec<String>> {
        let batch = HashSet::from(["1", "2"]);
        reported_failures(response.as_bytes(), &batch).map(|ids| ids.into_iter().collect())
    }

    #[test]
    fn an_empty_or_null_list_means_that_all_succeeded() {
        for response in [
            "{}",
            "null",
            r#"{"batchItemFailures": []}"#,
            r#"{"batchItemFailures": null}"#,
        ] {
            assert_eq!(reported(response), Some(vec![]), "{response}");
        }
    }

    #[test]
    fn the_reported_messages_alone_failed() {
        assert_eq!(
            reported(r#"{"batchItemFailures": [{"itemIdentifier": "2"}]}"#),
            Some(vec!["2".to_owned()])
        );
    }

    #[test]
    fn anything_that_makes_no_sense_means_that_all_failed() {
        for response in [
            "not JSON",
            r#"{"batchItemFailures": "2"}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": "3"}]}"#,
            r#"{"batchItemFailures": [{"id": "1"}]}"#,
        ] {
            assert_eq!(reported(response), None, "{response}");
        }
    }
}
