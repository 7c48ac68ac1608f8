//! The behaviour of a queue in time, on a paused clock: it moves only as far as a test moves it, or to the
//! next timer where everybody waits.

mod dead_letters;
mod life_cycle;
mod long_polling;

use std::{collections::HashSet, future::Future};

use tokio::{
    task::JoinHandle,
    time::{Instant, advance},
};

use super::{
    super::{MessageAttributes, Sqs},
    state::MAXIMUM_IN_FLIGHT,
    *,
};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const NO_WAIT: Duration = Duration::ZERO;

fn service() -> Sqs {
    Sqs::new("eu-west-1", "000000000000", "http://127.0.0.1:9000")
}

fn queue_with<const N: usize>(attributes: [(&str, &str); N]) -> Arc<Queue> {
    create(&service(), "tasks", attributes)
}

fn create<const N: usize>(sqs: &Sqs, name: &str, attributes: [(&str, &str); N]) -> Arc<Queue> {
    sqs.create_queue(name, QueueAttributes::parse(attributes).unwrap())
        .unwrap()
}

/// A service with a queue whose messages go to the dead-letter queue, the last one, after `count` receives.
fn queue_with_dead_letters(count: u64) -> (Sqs, Arc<Queue>, Arc<Queue>) {
    let sqs = service();
    let dead = create(&sqs, "dead", []);
    let policy = format!(
        r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{count}}}"#,
        dead.arn()
    );
    let queue = create(
        &sqs,
        "tasks",
        [("VisibilityTimeout", "10"), ("RedrivePolicy", policy.as_str())],
    );
    (sqs, queue, dead)
}

fn send(queue: &Queue, body: &str) -> SentMessage {
    queue.send(NewMessage::new(body)).unwrap()
}

fn counts(visible: usize, in_flight: usize, delayed: usize) -> MessageCounts {
    MessageCounts {
        visible,
        in_flight,
        delayed,
    }
}

async fn poll(queue: &Queue) -> Vec<ReceivedMessage> {
    queue.receive(10, NO_WAIT, None).await.unwrap()
}

async fn poll_one(queue: &Queue) -> ReceivedMessage {
    let mut received = poll(queue).await;
    assert_eq!(received.len(), 1);
    received.remove(0)
}

fn bodies(received: &[ReceivedMessage]) -> Vec<&str> {
    received
        .iter()
        .map(|received| received.message.body.as_str())
        .collect()
}

/// A long poll in a task of its own, which stands in the line when this returns.
async fn long_poll(queue: &Arc<Queue>, wait: Duration) -> JoinHandle<Vec<ReceivedMessage>> {
    let queue = Arc::clone(queue);
    let task = tokio::spawn(async move { queue.receive(1, wait, None).await.unwrap() });
    settle().await;
    task
}

/// Lets every other task run until it waits for something.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn elapsed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}
