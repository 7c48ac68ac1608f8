//! The worker over the store in memory. Tokio's clock is paused where a task would take long; the records' own times
//! are the machine's, so that a lease never lapses here by itself.

use std::{
    io::{Read as _, pipe},
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use lambda_runtime::Context;
use serde_json::{Map, Value, json};

use super::{Worker, WorkerError};
use crate::{
    Record, Status, Store, TaskId, TaskMessage, Timestamp,
    dispatch::Notes,
    record::{Claim, FailureCode, LEASE},
    store::{IdempotencyKey, Inserted, MemoryStore, Replaced, StoreError},
};

/// An invocation that may take this long.
fn invocation(time: Duration) -> Context {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
    let mut context = Context::default();
    context.deadline = u64::try_from(deadline.as_millis()).unwrap();
    context
}

fn parameters(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn accepted(store: &MemoryStore, millis: u64) -> Record {
    let record = Record::accept(
        "sleep",
        parameters(&json!({ "millis": millis })),
        Timestamp::now(),
    );
    store.insert(&record, None).await.unwrap();
    record
}

async fn newest(store: &MemoryStore, id: &TaskId) -> Record {
    store.get(id).await.unwrap().unwrap()
}

fn worker(store: &MemoryStore) -> Worker {
    worker_with_notes(store).0
}

/// A worker, and the notes of what it hands over.
fn worker_with_notes(store: &MemoryStore) -> (Worker, Notes) {
    let notes = Notes::default();
    (Worker::new(store.clone(), notes.clone()), notes)
}

/// The record of a task after an invocation that may take so long has ended it.
async fn ended(store: &MemoryStore, record: &Record, timeout: Duration) -> Record {
    let (worker, message) = (worker(store), TaskMessage::of(record));
    worker.run(&message, &invocation(timeout)).await.unwrap().unwrap()
}

/// Stores the claim of a worker that was at it at `now`.
async fn claimed(store: &MemoryStore, record: &Record, now: Timestamp) -> Record {
    let Claim::Granted(running) = record.claim(record.continuations, now) else {
        panic!("not claimed")
    };
    assert_eq!(store.replace(&running).await.unwrap(), Replaced::Done);
    running
}

#[tokio::test(start_paused = true)]
async fn a_task_is_run_and_its_result_recorded() {
    let store = MemoryStore::default();
    let record = accepted(&store, 45_000).await;
    let ended = ended(&store, &record, Duration::from_secs(900)).await;
    assert_eq!(
        (ended.status, ended.attempts, ended.progress),
        (Status::Succeeded, 1, 1.0)
    );
    assert_eq!(ended.result, Some(json!({"slept_millis": 45_000})));
    assert!(ended.handed_over, "it was delivered");
    assert_eq!(newest(&store, &record.id).await, ended);
    // Accepted, claimed, renewed now and then, finished.
    assert!((10..=20).contains(&ended.version), "{}", ended.version);
}

#[tokio::test]
async fn a_task_that_has_ended_is_not_run_again() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    let worker = worker(&store);
    let invocation = invocation(Duration::from_secs(900));
    let first = worker.run(&TaskMessage::of(&record), &invocation).await.unwrap();
    assert_eq!(
        worker.run(&TaskMessage::of(&record), &invocation).await.unwrap(),
        first
    );
}

#[tokio::test]
async fn a_delivery_of_an_unknown_task_is_done_with() {
    let worker = worker(&MemoryStore::default());
    let unknown = Record::accept("sleep", Map::new(), Timestamp::now());
    let ran = worker
        .run(&TaskMessage::of(&unknown), &invocation(Duration::from_secs(900)))
        .await
        .unwrap();
    assert_eq!(ran, None);
}

#[tokio::test]
async fn a_duplicate_that_finds_the_lease_held_is_to_be_delivered_again() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    let running = claimed(&store, &record, Timestamp::now()).await;
    let worker = worker(&store);
    let error = worker
        .run(&TaskMessage::of(&record), &invocation(Duration::from_secs(900)))
        .await
        .unwrap_err();
    assert!(matches!(error, WorkerError::Held { .. }));
    assert!(matches!(
        worker
            .give_up(&TaskMessage::of(&record), "exhausted", &Context::default())
            .await,
        Err(WorkerError::Held { .. })
    ));
    assert_eq!(newest(&store, &record.id).await, running);
}

#[tokio::test]
async fn a_task_whose_worker_died_is_taken_over() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    let long_ago = Timestamp::at(Duration::from_secs(
        Timestamp::now().epoch_seconds() - 2 * LEASE.as_secs(),
    ));
    claimed(&store, &record, long_ago).await;
    let ended = ended(&store, &record, Duration::from_secs(900)).await;
    assert_eq!(
        (ended.status, ended.attempts, ended.started_at),
        (Status::Succeeded, 2, Some(long_ago))
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_runs_out_of_time_fails_and_says_so() {
    let store = MemoryStore::default();
    let record = accepted(&store, 60_000).await;
    let ended = ended(&store, &record, Duration::from_secs(10)).await;
    let failure = ended.error.unwrap();
    assert_eq!(
        (ended.status, failure.code),
        (Status::Failed, FailureCode::DeadlineExceeded)
    );
    assert!(failure.message.contains("after 9.0 s"), "{}", failure.message);
}

/// A store in which renewals stand still.
struct Slow(MemoryStore);

#[async_trait]
impl Store for Slow {
    async fn insert(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<Inserted, StoreError> {
        self.0.insert(record, key).await
    }

    async fn get(&self, id: &TaskId) -> Result<Option<Record>, StoreError> {
        self.0.get(id).await
    }

    async fn replace(&self, record: &Record) -> Result<Replaced, StoreError> {
        if record.status == Status::Running && record.version > 1 {
            std::future::pending::<()>().await;
        }
        self.0.replace(record).await
    }

    async fn remove(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<bool, StoreError> {
        self.0.remove(record, key).await
    }
}

#[tokio::test(start_paused = true)]
async fn neither_the_end_nor_the_deadline_waits_for_a_renewal() {
    for (millis, status) in [(5_000, Status::Succeeded), (60_000, Status::Failed)] {
        let store = MemoryStore::default();
        let message = TaskMessage::of(&accepted(&store, millis).await);
        let worker = Worker::new(Slow(store), Notes::default());
        let invocation = invocation(Duration::from_secs(10));
        let ran = worker.run(&message, &invocation);
        let ended = tokio::time::timeout(Duration::from_secs(10), ran).await;
        assert_eq!(ended.unwrap().unwrap().unwrap().status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_asked_to_stop_stops_at_the_next_renewal() {
    let store = MemoryStore::default();
    let record = accepted(&store, 600_000).await;
    let worker = worker(&store);
    let invocation = invocation(Duration::from_secs(900));
    let message = TaskMessage::of(&record);
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let asked = newest(&store, &record.id)
            .await
            .cancelled(Timestamp::now())
            .unwrap();
        assert_eq!(store.replace(&asked).await.unwrap(), Replaced::Done);
        tokio::time::Instant::now()
    };
    let (ended, asked) = tokio::join!(worker.run(&message, &invocation), cancel);
    assert_eq!(ended.unwrap().unwrap().status, Status::Cancelled);
    assert!(asked.elapsed() <= super::attempt::RENEWAL.1);
}

#[tokio::test]
async fn a_task_that_a_later_delivery_finds_cancelled_is_announced() {
    let store = MemoryStore::default();
    let long_ago = Timestamp::at(Duration::from_secs(1));
    let running = claimed(&store, &accepted(&store, 0).await, long_ago).await;
    let asked = running.cancelled(long_ago).unwrap();
    assert_eq!(store.replace(&asked).await.unwrap(), Replaced::Done);

    let (mut log, writer) = pipe().unwrap();
    let subscriber = tracing_subscriber::fmt().with_writer(Arc::new(writer)).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let ended = ended(&store, &running, Duration::from_secs(900)).await;
    drop(logging);
    assert_eq!((ended.status, ended.attempts), (Status::Cancelled, 1));
    let mut text = String::new();
    log.read_to_string(&mut text).unwrap();
    assert!(text.contains("task ended"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_lease_records_nothing() {
    let store = MemoryStore::default();
    let record = accepted(&store, 600_000).await;
    let worker = worker(&store);
    let invocation = invocation(Duration::from_secs(900));
    let message = TaskMessage::of(&record);
    let other = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let running = newest(&store, &record.id).await;
        let later = Timestamp::now() + 2 * LEASE;
        claimed(&store, &running, later).await
    };
    let (ended, taken_over) = tokio::join!(worker.run(&message, &invocation), other);
    assert!(matches!(ended.unwrap_err(), WorkerError::TakenOver(_)));
    assert_eq!(newest(&store, &record.id).await, taken_over);
}

#[tokio::test]
async fn a_task_that_the_platform_gave_up_on_becomes_failed_once() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    let worker = worker(&store);
    worker
        .give_up(&TaskMessage::of(&record), "RetriesExhausted", &Context::default())
        .await
        .unwrap();
    let failed = newest(&store, &record.id).await;
    let failure = failed.error.clone().unwrap();
    assert_eq!(
        (failed.status, failure.code),
        (Status::Failed, FailureCode::GaveUp)
    );
    assert_eq!(failure.message, "RetriesExhausted");
    worker
        .give_up(&TaskMessage::of(&record), "again", &Context::default())
        .await
        .unwrap();
    assert_eq!(newest(&store, &record.id).await, failed);
}

/// A task that no test is patient enough for.
async fn endless(store: &MemoryStore) -> Record {
    let size = json!({"width": 64, "height": 64, "max_iterations": 1_000_000});
    let record = Record::accept("mandelbrot", parameters(&size), Timestamp::now());
    store.insert(&record, None).await.unwrap();
    record
}

/// Delivers it to an invocation whose time to pause comes once the task has begun, however busy the machine is.
async fn deliver(worker: &Worker, message: &TaskMessage) -> Result<Option<Record>, WorkerError> {
    let invocation = invocation(Duration::from_secs(100));
    let ran = worker.run(message, &invocation);
    tokio::join!(biased; ran, tokio::time::advance(Duration::from_secs(95))).0
}

#[tokio::test(start_paused = true)]
async fn a_task_that_takes_too_long_for_one_invocation_is_put_down_handed_over_and_gone_on_with() {
    let store = MemoryStore::default();
    let (worker, notes) = worker_with_notes(&store);
    let first = TaskMessage::of(&endless(&store).await);
    let put_down = deliver(&worker, &first).await.unwrap().unwrap();
    assert_eq!(
        (
            put_down.status,
            put_down.attempts,
            put_down.continuations,
            put_down.handed_over
        ),
        (Status::Running, 1, 1, true)
    );
    let second = TaskMessage::of(&put_down);
    assert_eq!(*notes.handed_over.lock().unwrap(), std::slice::from_ref(&second));
    // The first message comes once more: its part is done, and the next is on its way.
    deliver(&worker, &first).await.unwrap();
    worker
        .give_up(&first, "exhausted", &Context::default())
        .await
        .unwrap();
    assert_eq!(newest(&store, &put_down.id).await, put_down);
    let further = deliver(&worker, &second).await.unwrap().unwrap();
    assert_eq!((further.attempts, further.continuations), (2, 2));
    assert!(further.progress >= put_down.progress);
}

#[tokio::test(start_paused = true)]
async fn a_continuation_that_could_not_be_handed_over_is_when_the_delivery_comes_again() {
    let store = MemoryStore::default();
    let (worker, notes) = worker_with_notes(&store);
    let message = TaskMessage::of(&endless(&store).await);
    notes.fails.store(true, Ordering::Relaxed);
    let error = deliver(&worker, &message).await.unwrap_err();
    assert!(matches!(error, WorkerError::Dispatch(_)));
    notes.fails.store(false, Ordering::Relaxed);
    let record = deliver(&worker, &message).await.unwrap().unwrap();
    assert_eq!((record.attempts, record.handed_over), (1, true));
}

#[tokio::test]
async fn what_is_handed_over_and_was_removed_meanwhile_is_no_task_any_more() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    assert!(store.remove(&record, None).await.unwrap());
    let gone = worker(&store).hand_over(record, &Context::default()).await;
    assert_eq!(gone.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_continuation_that_the_platform_gave_up_on_is_handed_over_or_else_failed() {
    for (fails, status) in [(false, Status::Running), (true, Status::Failed)] {
        let store = MemoryStore::default();
        let (worker, notes) = worker_with_notes(&store);
        let message = TaskMessage::of(&endless(&store).await);
        notes.fails.store(true, Ordering::Relaxed);
        deliver(&worker, &message).await.unwrap_err();
        notes.fails.store(fails, Ordering::Relaxed);
        worker
            .give_up(&message, "exhausted", &Context::default())
            .await
            .unwrap();
        assert_eq!(newest(&store, &message.task_id).await.status, status);
    }
}
