//! Requests that do not come from whom they say, or from nobody.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{AwsRequest, LocalCloud};

/// What each service answers.
struct Refusal<'a> {
    dynamodb: &'a str,
    lambda: &'a str,
    sqs: &'a str,
}

/// A request to each service that its user may make.
fn requests(cloud: &LocalCloud) -> [AwsRequest; 3] {
    let json = |target: &str| {
        cloud
            .aws(Method::POST, "/")
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body("{}")
    };
    [
        json("DynamoDB_20120810.ListTables"),
        cloud.aws(Method::GET, "/2015-03-31/functions/"),
        json("AmazonSQS.ListQueues"),
    ]
}

async fn assert_refused([dynamodb, lambda, sqs]: [Response; 3], expected: &Refusal<'_>) {
    assert_eq!(
        [&dynamodb, &lambda, &sqs].map(|response| response.status().as_u16()),
        [400, 403, 403]
    );
    assert_eq!(lambda.headers()["x-amzn-errortype"], expected.lambda);
    assert_eq!(
        sqs.headers()["x-amzn-query-error"],
        format!("{};Sender", expected.sqs)
    );
    let body: Value = dynamodb.json().await.unwrap();
    assert_eq!(
        body["__type"],
        format!("com.amazon.coral.service#{}", expected.dynamodb)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_signed_with_a_key_of_the_account_is_answered() {
    let cloud = LocalCloud::up("split-lambda", &[]);
    for request in requests(&cloud) {
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let with_keys = async |keys: [&str; 2]| {
        let [dynamodb, lambda, sqs] = requests(&cloud).map(|request| request.with_keys(keys).send());
        [dynamodb.await.unwrap(), lambda.await.unwrap(), sqs.await.unwrap()]
    };
    let unknown = Refusal {
        dynamodb: "UnrecognizedClientException",
        lambda: "UnrecognizedClientException",
        sqs: "InvalidClientTokenId",
    };
    let secret = cloud.text("secret_access_key");
    assert_refused(with_keys(["AKIAUNKNOWN", secret]).await, &unknown).await;
    let wrong = Refusal {
        dynamodb: "InvalidSignatureException",
        lambda: "InvalidSignatureException",
        sqs: "SignatureDoesNotMatch",
    };
    assert_refused(with_keys([cloud.text("access_key_id"), "wrong"]).await, &wrong).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_request_is_refused() {
    let cloud = LocalCloud::up("split-lambda", &[]);
    let post = async |target: &str| {
        let request = cloud.unsigned(Method::POST, "/").header("x-amz-target", target);
        request.json(&json!({})).send().await.unwrap()
    };
    let list = cloud.unsigned(Method::GET, "/2015-03-31/functions/");
    let responses = [
        post("DynamoDB_20120810.ListTables").await,
        list.send().await.unwrap(),
        post("AmazonSQS.ListQueues").await,
    ];
    let unsigned = Refusal {
        dynamodb: "MissingAuthenticationTokenException",
        lambda: "MissingAuthenticationTokenException",
        // SQS takes the caller for an anonymous one.
        sqs: "AccessDenied",
    };
    assert_refused(responses, &unsigned).await;
}
