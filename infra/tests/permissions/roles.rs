//! Functions whose roles lack a permission.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

use crate::support::LocalCloud;

/// A copy of the variant's template in a folder of its own, in which one text is replaced.
fn changed(from: &str, to: &str) -> (TempDir, String) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let original = fs::read_to_string(package.join("split-lambda.yaml")).unwrap();
    assert!(original.contains(from), "the template has no {from:?}");
    let workspace = package.parent().unwrap().display().to_string();
    let template = original
        .replacen(from, to, 1)
        .replace("CodeUri: ../", &format!("CodeUri: {workspace}"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("template.yaml");
    fs::write(&path, template).unwrap();
    let path = path.display().to_string();
    (directory, path)
}

async fn assert_unavailable(cloud: &LocalCloud) {
    let response = cloud.post(&json!({"kind": "sleep", "millis": 1})).await;
    assert_eq!(
        response.status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        cloud.log()
    );
}

/// The first permission of this kind in the template is that of the function that serves the API.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_may_not_write_records_cannot_accept_a_task() {
    let (_directory, template) = changed("                - dynamodb:PutItem\n", "");
    let cloud = LocalCloud::up(&template, &[]);
    assert_unavailable(&cloud).await;
    let log = cloud.log();
    assert!(log.contains("AccessDeniedException"), "{log}");
    assert!(
        log.contains(
            "User: arn:aws:sts::123456789012:assumed-role/ApiFunctionRole/ApiFunction is not authorized to perform: \
             dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/TaskTable because no \
             identity-based policy allows the dynamodb:PutItem action"
        ),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explicit_deny_outweighs_what_another_statement_allows() {
    let deny = "            - {Effect: Deny, Action: 'lambda:Invoke*', Resource: '*'}\n";
    let hand_over = "            - Sid: HandOver\n";
    let (_directory, template) = changed(hand_over, &format!("{deny}{hand_over}"));
    let cloud = LocalCloud::up(&template, &[]);
    assert_unavailable(&cloud).await;
    let log = cloud.log();
    assert!(
        log.contains(
            "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:WorkerFunction with \
             an explicit deny in an identity-based policy"
        ),
        "{log}"
    );
}

#[test]
fn a_mapping_whose_function_may_not_read_the_queue_is_refused_at_the_start() {
    let (_directory, template) = changed("                - sqs:ReceiveMessage\n", "");
    let ended = Command::new(env!("CARGO_BIN_EXE_infra"))
        .args(["up", &template, "--json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let error = String::from_utf8(ended.stderr).unwrap();
    let expected = "FailureEventSourceMapping: The function execution role does not have permissions to call \
        ReceiveMessage on SQS";
    assert!(error.contains(expected), "{error}");
}
