//! The worker over the store in memory. Tokio's clock is paused where a task would take long; the records' own times
//! are the machine's, so that a lease never lapses here by itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use serde_json::{Map, Value, json};

use super::{Worker, WorkerError};
use crate::{
    Record, Status, Store, TaskId, Timestamp,
    record::{Claim, FailureCode, LEASE},
    store::{MemoryStore, Replaced},
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

/// Stores the claim of a worker that was at it at `now`.
async fn claimed(store: &MemoryStore, record: &Record, now: Timestamp) -> Record {
    let Claim::Granted(running) = record.claim(now) else {
        panic!("not claimed")
    };
    assert_eq!(store.replace(&running).await.unwrap(), Replaced::Done);
    running
}

#[tokio::test(start_paused = true)]
async fn a_task_is_run_and_its_result_recorded() {
    let store = MemoryStore::default();
    let record = accepted(&store, 45_000).await;
    let worker = Worker::new(store.clone());
    let ended = worker
        .run(&record.id, &invocation(Duration::from_secs(900)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (ended.status, ended.attempts, ended.progress),
        (Status::Succeeded, 1, 1.0)
    );
    assert_eq!(ended.result, Some(json!({"slept_millis": 45_000})));
    assert_eq!(newest(&store, &record.id).await, ended);
    // Accepted, claimed, renewed now and then, finished.
    assert!((10..=20).contains(&ended.version), "{}", ended.version);
}

#[tokio::test]
async fn a_task_that_has_ended_is_not_run_again() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    let worker = Worker::new(store.clone());
    let invocation = invocation(Duration::from_secs(900));
    let first = worker.run(&record.id, &invocation).await.unwrap();
    assert_eq!(worker.run(&record.id, &invocation).await.unwrap(), first);
}

#[tokio::test]
async fn a_delivery_of_an_unknown_task_is_done_with() {
    let worker = Worker::new(MemoryStore::default());
    let ran = worker
        .run(&TaskId::random(), &invocation(Duration::from_secs(900)))
        .await
        .unwrap();
    assert_eq!(ran, None);
}

#[tokio::test]
async fn a_duplicate_that_finds_the_lease_held_is_to_be_delivered_again() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    let running = claimed(&store, &record, Timestamp::now()).await;
    let worker = Worker::new(store.clone());
    let error = worker
        .run(&record.id, &invocation(Duration::from_secs(900)))
        .await
        .unwrap_err();
    assert!(matches!(error, WorkerError::Held { .. }));
    assert!(matches!(
        worker.give_up(&record.id, "exhausted").await,
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
    let worker = Worker::new(store.clone());
    let ended = worker
        .run(&record.id, &invocation(Duration::from_secs(900)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (ended.status, ended.attempts, ended.started_at),
        (Status::Succeeded, 2, Some(long_ago))
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_runs_out_of_time_fails_and_says_so() {
    let store = MemoryStore::default();
    let record = accepted(&store, 60_000).await;
    let worker = Worker::new(store.clone());
    let ended = worker
        .run(&record.id, &invocation(Duration::from_secs(10)))
        .await
        .unwrap()
        .unwrap();
    let failure = ended.error.unwrap();
    assert_eq!(
        (ended.status, failure.code),
        (Status::Failed, FailureCode::DeadlineExceeded)
    );
    assert!(failure.message.contains("after 9.0 s"), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_asked_to_stop_stops_at_the_next_renewal() {
    let store = MemoryStore::default();
    let record = accepted(&store, 600_000).await;
    let worker = Worker::new(store.clone());
    let invocation = invocation(Duration::from_secs(900));
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let asked = newest(&store, &record.id)
            .await
            .cancelled(Timestamp::now())
            .unwrap();
        assert_eq!(store.replace(&asked).await.unwrap(), Replaced::Done);
        tokio::time::Instant::now()
    };
    let (ended, asked) = tokio::join!(worker.run(&record.id, &invocation), cancel);
    assert_eq!(ended.unwrap().unwrap().status, Status::Cancelled);
    assert!(asked.elapsed() <= super::RENEWAL.1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_lease_records_nothing() {
    let store = MemoryStore::default();
    let record = accepted(&store, 600_000).await;
    let worker = Worker::new(store.clone());
    let invocation = invocation(Duration::from_secs(900));
    let other = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let running = newest(&store, &record.id).await;
        let later = Timestamp::now() + 2 * LEASE;
        claimed(&store, &running, later).await
    };
    let (ended, taken_over) = tokio::join!(worker.run(&record.id, &invocation), other);
    assert_eq!(ended.unwrap(), None);
    assert_eq!(newest(&store, &record.id).await, taken_over);
}

#[tokio::test]
async fn a_task_that_the_platform_gave_up_on_becomes_failed_once() {
    let store = MemoryStore::default();
    let record = accepted(&store, 0).await;
    let worker = Worker::new(store.clone());
    worker.give_up(&record.id, "RetriesExhausted").await.unwrap();
    let failed = newest(&store, &record.id).await;
    let failure = failed.error.clone().unwrap();
    assert_eq!(
        (failed.status, failure.code),
        (Status::Failed, FailureCode::GaveUp)
    );
    assert_eq!(failure.message, "RetriesExhausted");
    worker.give_up(&record.id, "again").await.unwrap();
    assert_eq!(newest(&store, &record.id).await, failed);
}
