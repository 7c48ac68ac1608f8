//! The HTTP contract, over the store in memory and a hand-over that can be made to fail.

use std::{sync::atomic::Ordering, time::Duration};

use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{self, StatusCode},
    request::RequestContext,
};
use lambda_runtime::Context;
use serde_json::{Value, json};

use super::Api;
use crate::{
    Record, Status, Store, Timestamp, Worker,
    dispatch::Notes,
    record::Claim,
    store::{IdempotencyKey, MemoryStore, Replaced},
};

#[derive(Default)]
struct Fixture {
    store: MemoryStore,
    notes: Notes,
}

impl Fixture {
    fn api(&self) -> Api {
        Api::new(Worker::new(self.store.clone(), self.notes.clone()))
    }

    async fn send(&self, request: http::request::Builder, body: &str) -> (StatusCode, Response<Body>, Value) {
        let request: Request = request.body(Body::from(body)).unwrap();
        let mut context = Context::default();
        context.deadline = u64::MAX / 2;
        let path = request.uri().path().to_owned();
        let request = request.with_raw_http_path(&path).with_lambda_context(context);
        let response = self.api().handle(request).await.unwrap();
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        (response.status(), response, body)
    }

    async fn post(&self, headers: &[(&str, &str)], body: &str) -> (StatusCode, Response<Body>, Value) {
        let request = Request::builder_of("POST", "/tasks").header("content-type", "application/json");
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request, body).await
    }

    fn hand_overs(&self) -> usize {
        self.notes.handed_over.lock().unwrap().len()
    }
}

trait BuilderOf {
    fn builder_of(method: &str, path: &str) -> http::request::Builder;
}

impl BuilderOf for Request {
    fn builder_of(method: &str, path: &str) -> http::request::Builder {
        http::Request::builder().method(method).uri(path)
    }
}

const SLEEP: &str = r#"{"kind":"sleep","millis":1}"#;

#[tokio::test]
async fn a_task_is_accepted_recorded_and_handed_over() {
    let fixture = Fixture::default();
    let (status, response, body) = fixture.post(&[], SLEEP).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let id = body["id"].as_str().unwrap();
    assert_eq!(response.headers()["location"], format!("/tasks/{id}"));
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(
        (&body["status"], &body["attempts"]),
        (&json!("queued"), &json!(0))
    );
    assert_eq!(fixture.notes.handed_over.lock().unwrap()[0].task_id.as_str(), id);
    let (status, _, found) = fixture
        .send(Request::builder_of("GET", &format!("/tasks/{id}")), "")
        .await;
    assert_eq!((status, found), (StatusCode::OK, body));
}

#[tokio::test]
async fn a_task_can_be_run_within_the_request() {
    let fixture = Fixture::default();
    let (status, response, body) = fixture.post(&[("prefer", "respond-async, wait=10")], SLEEP).await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("succeeded")));
    assert_eq!(response.headers()["preference-applied"], "wait");
    assert_eq!(fixture.hand_overs(), 0);
    let id = body["id"].as_str().unwrap().parse().unwrap();
    assert!(!fixture.store.get(&id).await.unwrap().unwrap().handed_over);
}

#[tokio::test]
async fn a_bad_request_is_refused_by_name_and_nothing_is_stored() {
    let fixture = Fixture::default();
    let large = format!(r#"{{"kind":"sleep","millis":1,"x":"{}"}}"#, "x".repeat(20_000));
    let cases = [
        ("{", 400, "body"),
        ("[]", 400, "body"),
        ("{}", 400, "kind"),
        (r#"{"kind":7}"#, 400, "kind"),
        (r#"{"kind":"nap"}"#, 400, "kind"),
        (r#"{"kind":"sleep"}"#, 400, "millis"),
        (r#"{"kind":"sleep","millis":900001}"#, 400, "millis"),
        (
            r#"{"kind":"mandelbrot","width":1,"height":0,"max_iterations":1}"#,
            400,
            "height",
        ),
        (&large, 413, "body"),
    ];
    for (body, expected, field) in cases {
        let (status, response, problem) = fixture.post(&[], body).await;
        assert_eq!(
            (status.as_u16(), &problem["field"]),
            (expected, &json!(field)),
            "{body}"
        );
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(problem["status"], expected);
    }
    let other = Request::builder_of("POST", "/tasks").header("content-type", "text/plain");
    assert_eq!(
        fixture.send(other, SLEEP).await.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let long = "k".repeat(256);
    assert_eq!(
        fixture.post(&[("idempotency-key", &long)], SLEEP).await.2["field"],
        "Idempotency-Key"
    );
    assert_eq!(fixture.hand_overs(), 0);
}

#[tokio::test]
async fn unknown_paths_methods_and_ids_are_refused() {
    let fixture = Fixture::default();
    let unknown = uuid::Uuid::new_v4();
    for (method, path, expected) in [
        ("GET", "/", 404),
        ("GET", "/tasks/1/2", 404),
        ("GET", "/tasks/1", 404),
        ("DELETE", &format!("/tasks/{unknown}"), 404),
        ("GET", "/tasks", 405),
        ("PUT", "/tasks/1", 405),
    ] {
        let (status, response, _) = fixture.send(Request::builder_of(method, path), "").await;
        assert_eq!(status.as_u16(), expected, "{method} {path}");
        assert_eq!(response.headers().contains_key("allow"), expected == 405);
    }
}

#[tokio::test]
async fn a_failed_hand_over_leaves_nothing_behind_and_its_key_free() {
    let fixture = Fixture::default();
    fixture.notes.fails.store(true, Ordering::Relaxed);
    for headers in [&[][..], &[("idempotency-key", "k")]] {
        let (status, response, body) = fixture.post(headers, SLEEP).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["detail"], "the task was not accepted; try again");
        assert!(response.headers().contains_key("retry-after"));
        let id = fixture
            .notes
            .handed_over
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .task_id
            .clone();
        assert_eq!(fixture.store.get(&id).await.unwrap(), None);
    }
    fixture.notes.fails.store(false, Ordering::Relaxed);
    assert_eq!(
        fixture.post(&[("idempotency-key", "k")], SLEEP).await.0,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn the_same_key_gives_the_same_task_and_another_request_is_refused() {
    let fixture = Fixture::default();
    let key = [("idempotency-key", "k")];
    let (_, _, first) = fixture.post(&key, SLEEP).await;
    let (status, _, second) = fixture.post(&key, SLEEP).await;
    assert_eq!((status, &second["id"]), (StatusCode::ACCEPTED, &first["id"]));
    assert_eq!(fixture.hand_overs(), 1);
    let (status, _, _) = fixture.post(&key, r#"{"kind":"sleep","millis":2}"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// A signed request, as API Gateway passes it on.
fn signed_by(user_id: &str) -> RequestContext {
    let context = json!({
        "http": {"method": "POST", "path": "/tasks"},
        "authorizer": {"iam": {"userId": user_id}},
    });
    RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap())
}

#[tokio::test]
async fn callers_who_are_known_have_keys_of_their_own() {
    let fixture = Fixture::default();
    let mut tasks = Vec::new();
    for user_id in ["AROA1:morning", "AROA2:morning", "AROA1:evening"] {
        let request = Request::builder_of("POST", "/tasks")
            .header("content-type", "application/json")
            .header("idempotency-key", "k")
            .body(Body::from(SLEEP))
            .unwrap();
        let request = request
            .with_raw_http_path("/tasks")
            .with_request_context(signed_by(user_id));
        let response = fixture.api().handle(request).await.unwrap();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        tasks.push(body["id"].clone());
    }
    assert_ne!(tasks[0], tasks[1]);
    assert_eq!(tasks[0], tasks[2]);
}

/// Stores what a first request leaves that died between record and hand-over, `age` seconds ago.
async fn abandoned(fixture: &Fixture, age: u64) -> Record {
    let now = Timestamp::now().epoch_seconds();
    let accepted = Timestamp::at(Duration::from_secs(now - age));
    let record = Record::accept(
        "sleep",
        serde_json::from_str(r#"{"millis":1}"#).unwrap(),
        accepted,
    );
    let digest = |text: &str| crate::digest::sha256(text.as_bytes());
    let key = IdempotencyKey {
        key: digest("k"),
        request: digest(SLEEP),
    };
    fixture.store.insert(&record, Some(&key)).await.unwrap();
    record
}

#[tokio::test]
async fn a_repetition_hands_over_what_the_first_request_did_not_live_to() {
    let fixture = Fixture::default();
    let record = abandoned(&fixture, 60).await;
    let (status, _, body) = fixture.post(&[("idempotency-key", "k")], SLEEP).await;
    assert_eq!(
        (status, &body["id"]),
        (StatusCode::ACCEPTED, &json!(record.id.as_str()))
    );
    assert_eq!(fixture.hand_overs(), 1);
}

/// Who runs it may be the first request, and die.
#[tokio::test]
async fn a_repetition_hands_over_what_may_have_been_begun_within_a_request() {
    let now = Timestamp::now();
    for claimed_at in [now, Timestamp::at(Duration::from_secs(now.epoch_seconds() - 60))] {
        let fixture = Fixture::default();
        let record = abandoned(&fixture, 60).await;
        let Claim::Granted(running) = record.claim(0, claimed_at) else {
            panic!("not claimed")
        };
        assert_eq!(fixture.store.replace(&running).await.unwrap(), Replaced::Done);
        for headers in [
            &[("idempotency-key", "k")][..],
            &[("idempotency-key", "k"), ("prefer", "wait")],
        ] {
            let (status, _, body) = fixture.post(headers, SLEEP).await;
            assert_eq!(
                (status, &body["status"]),
                (StatusCode::ACCEPTED, &json!("running"))
            );
        }
        // The first repetition said so in the record.
        assert_eq!(fixture.hand_overs(), 1);
    }
}

/// The worker was quicker than the first request, which was to say so, and whose answer was lost.
#[tokio::test]
async fn a_repetition_hands_nothing_over_that_was_delivered() {
    let fixture = Fixture::default();
    let record = abandoned(&fixture, 1).await;
    let Claim::Granted(running) = record.claim(0, Timestamp::now()) else {
        panic!("not claimed")
    };
    let running = running.delivered();
    assert_eq!(fixture.store.replace(&running).await.unwrap(), Replaced::Done);
    let (status, _, body) = fixture.post(&[("idempotency-key", "k")], SLEEP).await;
    assert_eq!(
        (status, &body["status"]),
        (StatusCode::ACCEPTED, &json!("running"))
    );
    assert_eq!(fixture.hand_overs(), 0);
}

#[tokio::test]
async fn a_repetition_whose_hand_over_fails_leaves_the_task_for_the_next_one() {
    let fixture = Fixture::default();
    let record = abandoned(&fixture, 60).await;
    fixture.notes.fails.store(true, Ordering::Relaxed);
    let key = [("idempotency-key", "k")];
    assert_eq!(fixture.post(&key, SLEEP).await.0, StatusCode::SERVICE_UNAVAILABLE);
    fixture.notes.fails.store(false, Ordering::Relaxed);
    let (status, _, body) = fixture.post(&key, SLEEP).await;
    assert_eq!(
        (status, &body["id"]),
        (StatusCode::ACCEPTED, &json!(record.id.as_str()))
    );
}

#[tokio::test]
async fn a_repetition_waits_while_the_first_request_may_still_be_at_it() {
    let fixture = Fixture::default();
    abandoned(&fixture, 1).await;
    let (status, response, _) = fixture.post(&[("idempotency-key", "k")], SLEEP).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(fixture.hand_overs(), 0);
}

#[tokio::test]
async fn a_queued_task_is_cancelled_at_once_and_a_running_one_is_asked() {
    let fixture = Fixture::default();
    let (_, _, queued) = fixture.post(&[], SLEEP).await;
    let (status, _, body) = delete(&fixture, &queued).await;
    assert_eq!(
        (status, &body["status"]),
        (StatusCode::ACCEPTED, &json!("cancelled"))
    );

    let (_, _, body) = fixture.post(&[], SLEEP).await;
    let id = body["id"].as_str().unwrap().parse().unwrap();
    let Claim::Granted(running) = fixture
        .store
        .get(&id)
        .await
        .unwrap()
        .unwrap()
        .claim(0, Timestamp::now())
    else {
        panic!("not claimed")
    };
    assert_eq!(fixture.store.replace(&running).await.unwrap(), Replaced::Done);
    let (status, _, body) = delete(&fixture, &body).await;
    assert_eq!(
        (status, &body["status"]),
        (StatusCode::ACCEPTED, &json!("running"))
    );
    let asked = fixture.store.get(&id).await.unwrap().unwrap();
    assert!(asked.cancel_requested);
    assert_eq!(asked.status, Status::Running);
}

async fn delete(fixture: &Fixture, task: &Value) -> (StatusCode, Response<Body>, Value) {
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    fixture.send(Request::builder_of("DELETE", &path), "").await
}
