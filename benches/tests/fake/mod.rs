//! A deployment that is none: one HTTP server that answers as the API and as the AWS APIs do, with made-up
//! figures. It keeps to the contract that the real ones keep, and lets a test see whether the measurements do.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use benches::deployment::Endpoints;
use benches::variant::Variant;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

mod aws;

/// How a fake deployment behaves.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    /// What it pretends to be.
    pub(crate) variant: Variant,
    /// The status in which its tasks end.
    pub(crate) ended: &'static str,
    /// One request in this many is refused.
    pub(crate) refuses_one_in: Option<usize>,
    /// Whether the first look at each record is answered 503.
    pub(crate) first_look_fails: bool,
    /// Whether an update of the configuration retires the execution environments.
    pub(crate) resets: bool,
    /// Whether its stack has an output for its worker.
    pub(crate) names_its_worker: bool,
}

impl Behaviour {
    pub(crate) fn good(variant: Variant) -> Self {
        Self {
            variant,
            ended: "succeeded",
            refuses_one_in: None,
            first_look_fails: false,
            resets: true,
            names_its_worker: true,
        }
    }
}

struct Fake {
    behaviour: Behaviour,
    url: String,
    state: Mutex<Story>,
}

#[derive(Default)]
struct Story {
    requests: usize,
    tasks: HashMap<String, (Value, Timestamp)>,
    updating: HashSet<String>,
    warm: HashSet<String>,
    changes: HashSet<String>,
    looked_at: HashSet<String>,
    /// For each task whether the worker was cold.
    cold_workers: Vec<bool>,
}

/// Starts a fake deployment; it ends with the test's runtime.
pub(crate) async fn start(behaviour: Behaviour) -> Endpoints {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let fake = Arc::new(Fake {
        behaviour,
        url: url.clone(),
        state: Mutex::default(),
    });
    let router = Router::new()
        .route("/", post(aws::answer))
        .route("/tasks", post(accept))
        .route("/tasks/{id}", get(record))
        .route(
            "/2015-03-31/functions/{name}/configuration",
            get(configuration).put(update),
        )
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .with_state(fake);
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    Endpoints {
        api_url: url.clone(),
        endpoint_url: url,
        ca_certificate: None,
        region: "eu-central-1".into(),
        access_key_id: "key".into(),
        secret_access_key: "secret".into(),
    }
}

async fn accept(State(fake): State<Arc<Fake>>, body: Bytes) -> Response {
    fake.accept(&body)
}

impl Fake {
    fn api_function(&self) -> String {
        match self.behaviour.variant {
            Variant::SelfInvoke => "s-Function-1".to_owned(),
            _ => "s-ApiFunction-1".to_owned(),
        }
    }

    fn worker_function(&self) -> Option<String> {
        match self.behaviour.variant {
            Variant::SelfInvoke => Some(self.api_function()),
            Variant::Noop => None,
            _ => Some("s-WorkerFunction-2".to_owned()),
        }
    }

    fn accept(&self, body: &[u8]) -> Response {
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        if self
            .behaviour
            .refuses_one_in
            .is_some_and(|times| state.requests.is_multiple_of(times))
        {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        if !self.behaviour.variant.takes_tasks() {
            return "{}".into_response();
        }
        let id = format!("task-{}", state.requests);
        let task: Value = serde_json::from_slice(body).unwrap();
        if task["kind"] == "unknown" {
            let problem = json!({"status": 400, "detail": "kind: there is no unknown"});
            return (StatusCode::BAD_REQUEST, problem.to_string()).into_response();
        }
        state.tasks.insert(id.clone(), (task, Timestamp::now()));
        let worker = format!("worker in {}", self.worker_function().unwrap());
        let is_cold = state.warm.insert(worker);
        state.cold_workers.push(is_cold);
        (
            StatusCode::ACCEPTED,
            json!({"id": id, "status": "queued"}).to_string(),
        )
            .into_response()
    }
}

/// A task is running for 20 ms after it was accepted, then it has ended.
async fn record(State(fake): State<Arc<Fake>>, Path(id): Path<String>) -> Response {
    let mut state = fake.state.lock().unwrap();
    if fake.behaviour.first_look_fails && state.looked_at.insert(id.clone()) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Some((task, accepted_at)) = state.tasks.get(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let started_at = *accepted_at + SignedDuration::from_micros(1500);
    let finished_at = *accepted_at + SignedDuration::from_millis(20);
    let finished = Timestamp::now() >= finished_at;
    let mut record = json!({
        "id": id, "kind": task["kind"], "status": "running", "attempts": 1, "progress": 0.0,
        "accepted_at": accepted_at, "started_at": started_at, "finished_at": null,
    });
    if finished {
        record["status"] = if task["kind"] == "sleep" {
            fake.behaviour.ended
        } else {
            "succeeded"
        }
        .into();
        record["finished_at"] = finished_at.to_string().into();
        record["result"] = match task["kind"].as_str() {
            Some("mandelbrot") => json!({"sha256": "ab".repeat(32), "points_inside": 12345}),
            _ => json!({"slept_millis": 0}),
        };
    }
    record.to_string().into_response()
}

async fn update(State(fake): State<Arc<Fake>>, Path(name): Path<String>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let mut state = fake.state.lock().unwrap();
    let change = format!("{} {}", body["Description"], body["MemorySize"]);
    assert!(
        state.changes.insert(change),
        "the same configuration is no change"
    );
    state.updating.insert(name.clone());
    json!({"FunctionName": name, "LastUpdateStatus": "InProgress"})
        .to_string()
        .into_response()
}

/// The first look after an update finds it in progress; only then do its environments go.
async fn configuration(State(fake): State<Arc<Fake>>, Path(name): Path<String>) -> Response {
    let mut state = fake.state.lock().unwrap();
    let status = if state.updating.remove(&name) {
        "InProgress"
    } else {
        if fake.behaviour.resets {
            state.warm.remove(&name);
            state.warm.remove(&format!("worker in {name}"));
        }
        "Successful"
    };
    json!({"FunctionName": name, "LastUpdateStatus": status, "MemorySize": 256})
        .to_string()
        .into_response()
}

async fn invoke(
    State(fake): State<Arc<Fake>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    event: Bytes,
) -> Response {
    assert_eq!(headers["x-amz-log-type"], "Tail");
    let event: Value = serde_json::from_slice(&event).unwrap();
    assert_eq!(
        (&event["version"], &event["rawPath"]),
        (&json!("2.0"), &json!("/tasks"))
    );
    let accepted = fake.accept(event["body"].as_str().unwrap().as_bytes());
    let status = accepted.status().as_u16();
    let body = axum::body::to_bytes(accepted.into_body(), 10_000).await.unwrap();
    let init = if fake.state.lock().unwrap().warm.insert(name) {
        "Init Duration: 1.75 ms\t"
    } else {
        ""
    };
    let log = format!(
        "START RequestId: 1 Version: $LATEST\nEND RequestId: 1\nREPORT RequestId: 1\tDuration: 1.25 ms\t\
         Billed Duration: 6 ms\tMemory Size: 256 MB\tMax Memory Used: 14 MB\t{init}\n"
    );
    let response = json!({"statusCode": status, "body": String::from_utf8_lossy(&body), "headers": {}});
    ([("x-amz-log-result", BASE64.encode(log))], response.to_string()).into_response()
}
