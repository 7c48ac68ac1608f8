//! One fault at a time, in each variant: whatever breaks, an accepted task ends, and its client sees how.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    LocalCloud, Template, VARIANTS, each_changed_variant, each_variant, id_of,
    proxy::{Mode, Proxy},
    until,
};

/// A local cloud on which one service is reached by a proxy.
async fn with_proxy(variant: &str, service: &str) -> (LocalCloud, Proxy) {
    let proxy = Proxy::start().await;
    let template = Template::with_variable(variant, &format!("AWS_ENDPOINT_URL_{service}"), &proxy.url);
    let cloud = LocalCloud::up_changed(variant, template, &[]);
    proxy.forward_to(cloud.text("endpoint_url"));
    (cloud, proxy)
}

async fn succeeds_at_once(cloud: &LocalCloud, id: &str) {
    let ended = cloud.ended(id).await;
    assert_eq!(
        (&ended["status"], &ended["attempts"]),
        (&json!("succeeded"), &json!(1)),
        "{}",
        cloud.variant
    );
}

/// Its client has a key, and sends the request again until it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_function_dies_between_record_and_hand_over_is_carried_out_by_its_repetition() {
    let each = VARIANTS.map(async |variant| {
        let service = if variant == "sqs-worker" { "SQS" } else { "LAMBDA" };
        let (cloud, proxy) = with_proxy(variant, service).await;
        let send = async || {
            let request = cloud
                .request(Method::POST, "/tasks")
                .header("idempotency-key", "the same");
            request
                .json(&json!({"kind": "sleep", "millis": 5}))
                .send()
                .await
                .unwrap()
        };
        proxy.set(Mode::Hold);
        let kill = async {
            until("the function is about to hand over", || proxy.held() > 0).await;
            cloud.kill_the_working_function().await;
        };
        let (first, ()) = tokio::join!(send(), kill);
        assert_eq!(first.status(), 500, "{variant}");
        proxy.set(Mode::Forward);
        let accepted = loop {
            let response = send().await;
            match response.status().as_u16() {
                202 => break response.json::<Value>().await.unwrap(),
                // For 35 seconds the first request may still be at it.
                409 => tokio::time::sleep(std::time::Duration::from_millis(500)).await,
                other => panic!("{variant}: {other}: {}", cloud.log()),
            }
        };
        succeeds_at_once(&cloud, &id_of(&accepted)).await;
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_refuses_new_tasks_and_does_not_stop_running_ones() {
    let each = VARIANTS.map(async |variant| {
        let (cloud, proxy) = with_proxy(variant, "DYNAMODB").await;
        // Renewals come every 5 seconds at most: some are due before the end, however late the store goes away.
        let id = cloud.accept(&json!({"kind": "sleep", "millis": 30_000})).await;
        cloud.task_once(&id, |task| task["status"] == "running").await;
        proxy.set(Mode::Cut);
        let refused = cloud.post(&json!({"kind": "sleep", "millis": 1})).await;
        assert_eq!(refused.status(), 503, "{variant}");
        assert!(refused.headers().contains_key("retry-after"));
        until("a renewal has failed", || {
            cloud.log().contains("the lease could not be renewed")
        })
        .await;
        proxy.set(Mode::Forward);
        succeeds_at_once(&cloud, &id).await;
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_that_is_denied_is_a_refusal_and_leaves_nothing_behind() {
    let denied = |variant: &str| {
        let statement = if variant == "self-invoke" {
            "- Sid: InvokeItself\n            Effect: "
        } else {
            "- Sid: HandOver\n              Effect: "
        };
        let allow = format!("{statement}Allow");
        Template::changed(variant, &[(&allow, &format!("{statement}Deny"))])
    };
    each_changed_variant(denied, &[], async |cloud| {
        let refused = cloud.post(&json!({"kind": "sleep", "millis": 1})).await;
        assert_eq!(refused.status(), 503, "{}", cloud.variant);
        assert!(refused.headers().contains_key("retry-after"));
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
        let scan = cloud
            .aws(Method::POST, "/")
            .header("x-amz-target", "DynamoDB_20120810.Scan");
        let records: Value = scan
            .json(&json!({"TableName": "TaskTable"}))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(records["Count"], 0, "{}: {records}", cloud.variant);
        until("the function says so", || cloud.log().contains("AccessDenied")).await;
    })
    .await;
}

/// It kills whoever runs it. What the asynchronous queue retries once here, it would twice; what SQS delivers twice,
/// five times.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_kills_its_worker_every_time_is_given_up_and_says_so() {
    let fewer = |variant: &str| match variant {
        "sqs-worker" => Template::changed(variant, &[("maxReceiveCount: 5", "maxReceiveCount: 2")]),
        _ => Template::changed(variant, &[("MaximumRetryAttempts: 2", "MaximumRetryAttempts: 1")]),
    };
    each_changed_variant(fewer, &["--time-scale", "1.5"], async |cloud| {
        let id = cloud.accept(&json!({"kind": "sleep", "millis": 20_000})).await;
        for attempt in 1..=2 {
            cloud.task_once(&id, |task| task["attempts"] == attempt).await;
            cloud.kill_the_working_function().await;
        }
        let ended = cloud.ended(&id).await;
        assert_eq!(
            (&ended["status"], &ended["attempts"], &ended["error"]["code"]),
            (&json!("failed"), &json!(2), &json!("gave_up")),
            "{}",
            cloud.variant
        );
    })
    .await;
}

/// There is one environment for the tasks, and one more for requests where both share a function.
#[tokio::test(flavor = "multi_thread")]
async fn tasks_wait_for_a_worker_that_is_throttled() {
    let limited = |variant: &str| {
        let timeout = "      Timeout: !Ref TaskTimeout\n";
        let environments = if variant == "self-invoke" { 2 } else { 1 };
        let reserved = format!("{timeout}      ReservedConcurrentExecutions: {environments}\n");
        Template::changed(variant, &[(timeout, &reserved)])
    };
    each_changed_variant(limited, &[], async |cloud| {
        let mut ids = Vec::new();
        for number in 0..4 {
            // Requests may be throttled too. A good client sends them again, with their key.
            let response = cloud
                .retried(|| {
                    let request = cloud.request(Method::POST, "/tasks");
                    request
                        .header("idempotency-key", format!("{number}"))
                        .json(&json!({"kind": "sleep", "millis": 1_500}))
                })
                .await;
            ids.push(id_of(&response));
        }
        for id in ids {
            let ended = loop {
                let task = cloud
                    .retried(|| cloud.request(Method::GET, &format!("/tasks/{id}")))
                    .await;
                if !task["finished_at"].is_null() {
                    break task;
                }
            };
            assert_eq!(ended["status"], "succeeded", "{}", cloud.variant);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_how_each_task_ended() {
    let told = Arc::new(Mutex::new(Vec::<String>::new()));
    let keep = async |State(told): State<Arc<Mutex<Vec<String>>>>, Json(message): Json<Value>| {
        told.lock()
            .unwrap()
            .push(message["text"].as_str().unwrap().to_owned());
        StatusCode::OK
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("NotifyWebhookUrl=http://{}/hook", listener.local_addr().unwrap());
    let service = Router::new()
        .route("/hook", post(keep))
        .with_state(Arc::clone(&told));
    tokio::spawn(async { axum::serve(listener, service).await });
    each_variant(&["--parameter", &url], async |cloud| {
        let id = cloud.accept(&json!({"kind": "sleep", "millis": 5})).await;
        until("the webhook is told", || {
            told.lock()
                .unwrap()
                .iter()
                .any(|text| text.contains(&id) && text.contains("succeeded"))
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_down_fails_no_task() {
    each_variant(
        &["--parameter", "NotifyWebhookUrl=http://127.0.0.1:9/"],
        async |cloud| {
            let id = cloud.accept(&json!({"kind": "sleep", "millis": 5})).await;
            assert_eq!(cloud.ended(&id).await["status"], "succeeded");
            until("it is given up", || {
                cloud.log().contains("the webhook was not told")
            })
            .await;
        },
    )
    .await;
}
