//! API Gateway sends to the queue itself
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html>).

use std::time::Instant;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    support::{LocalCloud, Template},
    template, up,
};

async fn post(cloud: &LocalCloud, body: &'static str) -> Response {
    let request = cloud.request(Method::POST, "/tasks");
    let request = request.header("content-type", "application/json").body(body);
    request.send().await.unwrap()
}

/// The id of the message that the answer names, by which the client finds its task.
async fn message_id(response: Response) -> String {
    assert_eq!(response.status(), 202);
    let body = response.text().await.unwrap();
    let (_, rest) = body.split_once("<MessageId>").unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

/// Waits until there is a record, and the task has ended.
async fn ended(cloud: &LocalCloud, id: &str) -> Value {
    cloud
        .retried(|| cloud.request(Method::GET, &format!("/tasks/{id}")))
        .await;
    cloud.ended(id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_what_sqs_says_and_names_the_task() {
    let cloud = up("queue-integration", &[]);
    let response = post(&cloud, r#"{"kind":"sleep","millis":5}"#).await;
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/xml");
    assert_eq!(headers["retry-after"], "1");
    assert!(headers.contains_key("apigw-requestid"));
    let id = message_id(response).await;
    let task = ended(&cloud, &id).await;
    assert_eq!(
        (&task["status"], &task["attempts"]),
        (&json!("succeeded"), &json!(1))
    );
}

/// Nobody looks at it before it is accepted. With no body there is nothing to send.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_task_is_accepted_and_fails() {
    let cloud = up("queue-integration", &[]);
    for (body, reason) in [
        ("no JSON", "body: "),
        (r#"{"kind":"nap"}"#, "kind must be one of"),
        (r#"{"kind":"sleep"}"#, "millis"),
    ] {
        let id = message_id(post(&cloud, body).await).await;
        let task = ended(&cloud, &id).await;
        assert_eq!(task["status"], "failed", "{task}");
        let message = task["error"]["message"].as_str().unwrap();
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(post(&cloud, "").await.status(), 400);
}

/// It is not run within the request, and comes to two tasks.
#[tokio::test(flavor = "multi_thread")]
async fn preference_and_key_are_passed_over() {
    let cloud = up("queue-integration", &[]);
    let begun = Instant::now();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = cloud.request(Method::POST, "/tasks").header("prefer", "wait");
        let request = request.header("idempotency-key", "the same");
        let response = request.json(&json!({"kind": "sleep", "millis": 60_000})).send();
        ids.push(message_id(response.await.unwrap()).await);
    }
    assert!(begun.elapsed().as_secs() < 60);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_send_is_refused_by_sqs() {
    let allow = "Sid: SendTasks\n                Effect: ";
    let change = (&*format!("{allow}Allow"), &*format!("{allow}Deny"));
    let denied = Template::changed_file(&template("queue-integration"), &[change]);
    let cloud = LocalCloud::up_changed("queue-integration", denied, &[]);
    let response = post(&cloud, r#"{"kind":"sleep","millis":5}"#).await;
    assert_eq!(response.status(), 403);
    let body = response.text().await.unwrap();
    assert!(
        body.contains("<Code>AccessDenied</Code>") && body.contains("assumed-role/ApiRole/"),
        "{body}"
    );
}
