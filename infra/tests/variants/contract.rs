//! The HTTP interface, the same in every variant.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{each_variant, id_of};

/// The one that the project exists for: what takes 45 seconds fails within a request, and succeeds behind a 202.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_task_outlives_the_30_seconds_that_a_request_has() {
    each_variant(&[], async |cloud| {
        let task = json!({"kind": "sleep", "millis": 45_000});
        // The first request pays for a cold start; that is another test's matter.
        cloud.accept(&json!({"kind": "sleep", "millis": 0})).await;
        let id = async {
            let started = Instant::now();
            let id = cloud.accept(&task).await;
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "{}: {:?}",
                cloud.variant,
                started.elapsed()
            );
            assert_eq!(cloud.ended(&id).await["status"], "succeeded");
        };
        let waited = async {
            let started = Instant::now();
            let request = cloud
                .request(Method::POST, "/tasks")
                .header("prefer", "wait")
                .json(&task);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(started.elapsed().abs_diff(Duration::from_secs(30)) < Duration::from_secs(2));
            assert_eq!(
                response.json::<Value>().await.unwrap(),
                json!({"message": "Service Unavailable"})
            );
        };
        tokio::join!(id, waited);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_accepted_with_its_location_and_shows_progress() {
    each_variant(&[], async |cloud| {
        let response = cloud.post(&json!({"kind": "sleep", "millis": 4_000})).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert!(response.headers().contains_key("retry-after"));
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let task: Value = response.json().await.unwrap();
        let id = id_of(&task);
        assert_eq!(location, format!("/tasks/{id}"));
        assert_eq!(task["status"], "queued");
        let running = cloud
            .task_once(&id, |task| task["progress"].as_f64() > Some(0.0))
            .await;
        assert_eq!(
            (&running["status"], &running["attempts"]),
            (&json!("running"), &json!(1))
        );
        let ended = cloud.ended(&id).await;
        assert_eq!(
            (&ended["status"], &ended["result"]),
            (&json!("succeeded"), &json!({"slept_millis": 4_000}))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mandelbrot_set_is_the_same_in_every_variant() {
    let results = each_variant(&[], async |cloud| {
        let task = json!({"kind": "mandelbrot", "width": 200, "height": 100, "max_iterations": 500});
        let later = cloud.ended(&cloud.accept(&task).await).await["result"].clone();
        let request = cloud
            .request(Method::POST, "/tasks")
            .header("prefer", "wait")
            .json(&task);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.json::<Value>().await.unwrap()["result"], later);
        later
    })
    .await;
    assert_eq!(results[0]["sha256"].as_str().map(str::len), Some(64));
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_request_is_refused_and_the_field_named() {
    each_variant(&[], async |cloud| {
        for (body, status, field) in [
            ("{", 400, "body"),
            (r#"{"kind":"nap"}"#, 400, "kind"),
            (r#"{"kind":"sleep","millis":-1}"#, 400, "millis"),
            (
                r#"{"kind":"mandelbrot","width":1,"height":1,"max_iterations":0}"#,
                400,
                "max_iterations",
            ),
            (&"x".repeat(17_000), 413, "body"),
        ] {
            let request = cloud
                .request(Method::POST, "/tasks")
                .header("content-type", "application/json");
            let response = request.body(body.to_owned()).send().await.unwrap();
            assert_eq!(response.status(), status, "{}: {body}", cloud.variant);
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.json::<Value>().await.unwrap()["field"], field);
        }
        for (method, path, status) in [
            (Method::GET, "/nothing", 404),
            (Method::GET, "/tasks/nothing", 404),
            (Method::GET, "/tasks", 405),
            (Method::POST, "/tasks", 415),
        ] {
            let response = cloud
                .request(method.clone(), path)
                .body("{}")
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), status, "{}: {method} {path}", cloud.variant);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_the_same_key_make_one_task_even_at_the_same_time() {
    each_variant(&[], async |cloud| {
        let send = |task: Value| {
            let request = cloud
                .request(Method::POST, "/tasks")
                .header("idempotency-key", "the same");
            async move { request.json(&task).send().await.unwrap() }
        };
        let task = json!({"kind": "sleep", "millis": 5});
        let responses = futures_util::future::join_all((0..8).map(|_| send(task.clone()))).await;
        let mut ids = Vec::new();
        for response in responses {
            match response.status() {
                StatusCode::ACCEPTED => ids.push(id_of(&response.json().await.unwrap())),
                // The first was still at it, or this one lost against the others too often.
                StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE => {}
                other => panic!("{}: {other}", cloud.variant),
            }
        }
        ids.push(id_of(&send(task).await.json().await.unwrap()));
        ids.dedup();
        assert_eq!(ids.len(), 1, "{}", cloud.variant);
        assert_eq!(cloud.ended(&ids[0]).await["attempts"], 1);
        let other = send(json!({"kind": "sleep", "millis": 6})).await;
        assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_task_that_is_deleted_ends_cancelled() {
    each_variant(&[], async |cloud| {
        let id = cloud.accept(&json!({"kind": "sleep", "millis": 600_000})).await;
        cloud.task_once(&id, |task| task["status"] == "running").await;
        let response = cloud
            .request(Method::DELETE, &format!("/tasks/{id}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(cloud.ended(&id).await["status"], "cancelled");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_outlives_its_function_fails_with_the_reason() {
    each_variant(&["--parameter", "TaskTimeout=2"], async |cloud| {
        let ended = cloud
            .ended(&cloud.accept(&json!({"kind": "sleep", "millis": 60_000})).await)
            .await;
        assert_eq!(
            (&ended["status"], &ended["attempts"]),
            (&json!("failed"), &json!(1))
        );
        assert_eq!(ended["error"]["code"], "deadline_exceeded");
    })
    .await;
}
