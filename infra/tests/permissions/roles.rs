//! Functions whose roles lack a permission.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{LocalCloud, Template, until};

fn changed(from: &str, to: &str) -> Template {
    Template::changed("split-lambda", &[(from, to)])
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
    let template = changed("                - dynamodb:PutItem\n", "");
    let cloud = LocalCloud::up(&template.path, &[]);
    assert_unavailable(&cloud).await;
    // What a function prints comes beside its answer, not before it.
    until("the function says so", || {
        let log = cloud.log();
        log.contains("AccessDeniedException")
            && log.contains(
                "User: arn:aws:sts::123456789012:assumed-role/ApiFunctionRole/ApiFunction is not authorized to \
                 perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/TaskTable because \
                 no identity-based policy allows the dynamodb:PutItem action",
            )
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explicit_deny_outweighs_what_another_statement_allows() {
    let deny = "            - {Effect: Deny, Action: 'lambda:Invoke*', Resource: '*'}\n";
    let hand_over = "            - Sid: HandOver\n";
    let template = changed(hand_over, &format!("{deny}{hand_over}"));
    let cloud = LocalCloud::up(&template.path, &[]);
    assert_unavailable(&cloud).await;
    until("the function says so", || {
        cloud.log().contains(
            "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:WorkerFunction with an \
             explicit deny in an identity-based policy",
        )
    })
    .await;
}

#[test]
fn a_mapping_whose_function_may_not_read_the_queue_is_refused_at_the_start() {
    let template = changed("                - sqs:ReceiveMessage\n", "");
    let Err(error) = LocalCloud::try_up(&template.path, &[]) else {
        panic!("it is up");
    };
    let expected = "FailureEventSourceMapping: The function execution role does not have permissions to call \
        ReceiveMessage on SQS";
    assert!(error.contains(expected), "{error}");
}
