//! Each baseline of the comparison as a whole: its compiled functions on the local cloud, spoken to over HTTP. What each
//! promises, and where it breaks.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what helps the tests fails as they do"
)]

mod always_on;
mod background;
mod extension;
mod queue_integration;
#[path = "../support/mod.rs"]
mod support;
mod synchronous;

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use support::LocalCloud;

/// A baseline on a local cloud of its own.
fn up(baseline: &str, arguments: &[&str]) -> LocalCloud {
    LocalCloud::up(&template(baseline), arguments)
}

fn template(baseline: &str) -> String {
    format!(
        "{}/../benches/templates/{baseline}.yaml",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// All records, as DynamoDB has them: a look that needs no function.
async fn records(cloud: &LocalCloud) -> Vec<Value> {
    let scan = cloud
        .aws(Method::POST, "/")
        .header("x-amz-target", "DynamoDB_20120810.Scan");
    let response = scan
        .json(&json!({"TableName": "TaskTable"}))
        .send()
        .await
        .unwrap();
    let found: Value = response.json().await.unwrap();
    found["Items"].as_array().unwrap().clone()
}

/// Waits until the only record there is has this status.
async fn only_record_becomes(cloud: &LocalCloud, status: &str) {
    let started = Instant::now();
    loop {
        let found = records(cloud).await;
        if matches!(found.as_slice(), [only] if only["status"]["S"] == status) {
            return;
        }
        assert!(
            started.elapsed().as_secs() < 60,
            "{found:?}; log:\n{}",
            cloud.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
