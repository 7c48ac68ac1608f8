//! What those who operate a variant rely on: its metrics, the way of a task through the logs, and who may call its API.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{LocalCloud, each_variant, id_of, until};

/// What the functions have printed that is JSON.
fn printed(cloud: &LocalCloud) -> Vec<Value> {
    let log = cloud.log();
    let lines = log.lines().filter_map(|line| line.split_once("] "));
    lines
        .filter_map(|(_, line)| serde_json::from_str(line).ok())
        .collect()
}

/// By the embedded metric format, a line is one JSON object, its metrics have a unit, and name members of the line
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
fn metrics(line: &Value) -> Vec<&str> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array();
    let metrics = directives.into_iter().flatten().flat_map(|directive| {
        assert_eq!(
            (&directive["Namespace"], &directive["Dimensions"]),
            (&json!("lambda-offload"), &json!([["Stack"]]))
        );
        assert!(
            line["Stack"].is_string() && line["_aws"]["Timestamp"].is_u64(),
            "{line}"
        );
        directive["Metrics"].as_array().into_iter().flatten()
    });
    let names = metrics.map(|metric| {
        let name = metric["Name"].as_str().unwrap_or_default();
        assert!(line[name].is_u64() && metric["Unit"].is_string(), "{line}");
        name
    });
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_counted_and_each_of_its_lines_names_its_request() {
    each_variant(&[], async |cloud| {
        let response = cloud.post(&json!({"kind": "sleep", "millis": 5})).await;
        let request_id = response.headers()["apigw-requestid"].to_str().unwrap().to_owned();
        let id = id_of(&response.json().await.unwrap());
        cloud.ended(&id).await;
        let of_the_task = || {
            let lines = printed(cloud).into_iter();
            lines.filter(|line| line["task_id"] == *id).collect::<Vec<_>>()
        };
        until("its end is counted", || {
            of_the_task()
                .iter()
                .any(|line| metrics(line).contains(&"Succeeded"))
        })
        .await;
        let lines = of_the_task();
        let counted: Vec<&str> = lines.iter().flat_map(metrics).collect();
        for name in [
            "Accepted",
            "Started",
            "AgeAtStart",
            "Succeeded",
            "Attempts",
            "RunTime",
        ] {
            assert!(counted.contains(&name), "{}: {counted:?}", cloud.variant);
        }
        let told = |line: &Value| line["message"] == "task ended";
        assert_eq!(lines.iter().filter(|line| told(line)).count(), 1);
        let root = |line: &Value| {
            let trace = if told(line) {
                &line["span"]["xrayTraceId"]
            } else {
                &line["xray_trace_id"]
            };
            let root = trace.as_str().unwrap().split(';').next();
            root.unwrap().to_owned()
        };
        let roots: BTreeSet<String> = lines.iter().map(root).collect();
        // What SQS brings begins a trace of its own, which X-Ray links with that of the sender
        // (https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html).
        let expected = if cloud.variant == "sqs-worker" { 2 } else { 1 };
        assert_eq!(roots.len(), expected, "{}: {roots:?}", cloud.variant);
        for line in lines {
            assert_eq!(line["api_request_id"], *request_id, "{}: {line}", cloud.variant);
            let invocation = if told(&line) {
                &line["span"]["requestId"]
            } else {
                &line["function_request_id"]
            };
            assert!(invocation.is_string(), "{}: {line}", cloud.variant);
        }
    })
    .await;
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
#[tokio::test(flavor = "multi_thread")]
async fn no_more_tasks_are_worked_on_at_a_time_than_the_parameter_says() {
    let cloud = LocalCloud::up("sqs-worker", &["--parameter", "MaximumConcurrency=2"]);
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(cloud.accept(&json!({"kind": "sleep", "millis": 500})).await);
    }
    let mut times = Vec::new();
    for id in &ids {
        let task = cloud.ended(id).await;
        assert_eq!(task["status"], "succeeded", "{task}");
        // All of one form: they sort as they follow each other.
        times.push(["started_at", "finished_at"].map(|time| task[time].as_str().unwrap().to_owned()));
    }
    for [started, _] in &times {
        let at_work = times.iter().filter(|[from, to]| from <= started && started < to);
        assert!(at_work.count() <= 2, "{times:?}");
    }
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html>; what the others get is not
/// documented, and widely observed.
#[tokio::test(flavor = "multi_thread")]
async fn with_iam_only_who_signs_may_call() {
    each_variant(&["--parameter", "Authorizer=AWS_IAM"], async |cloud| {
        let task = json!({"kind": "sleep", "millis": 5});
        let refused = cloud.post(&task).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(
            refused.json::<Value>().await.unwrap(),
            json!({"message": "Forbidden"})
        );
        let request = || cloud.signed(cloud.request(Method::POST, "/tasks")).json(&task);
        let others = request()
            .with_keys(["AKIDEXAMPLE", "secret"])
            .send()
            .await
            .unwrap();
        assert_eq!(others.status(), StatusCode::FORBIDDEN);
        let accepted = request().send().await.unwrap();
        assert_eq!(accepted.status(), StatusCode::ACCEPTED, "{}", cloud.log());
        let id = id_of(&accepted.json().await.unwrap());
        let unsigned = cloud
            .request(Method::GET, &format!("/tasks/{id}"))
            .send()
            .await
            .unwrap();
        assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);
    })
    .await;
}
