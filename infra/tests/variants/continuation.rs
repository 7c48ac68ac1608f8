//! Tasks that take longer than one invocation.

use reqwest::Method;
use serde_json::json;

use crate::support::each_variant;

/// About two seconds of work for each invocation. Should one be too slow to put its task down, it is tried again after
/// 35 seconds.
const SHORT: &[&str] = &["--parameter", "TaskTimeout=3", "--time-scale", "1.714"];

/// Lambda would end the chain after about 16 invocations
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>) if the templates did not allow it.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_continued_beyond_the_sixteen_invocations_of_a_loop_and_can_be_cancelled() {
    each_variant(SHORT, async |cloud| {
        let endless =
            json!({"kind": "mandelbrot", "width": 8_192, "height": 8_192, "max_iterations": 1_000_000});
        let id = cloud.accept(&endless).await;
        let early = cloud
            .task_once(&id, |task| task["continuations"].as_u64() >= Some(1))
            .await;
        let late = cloud
            .task_once(&id, |task| task["continuations"].as_u64() >= Some(17))
            .await;
        assert_eq!(
            (&late["status"], &late["error"]),
            (&json!("running"), &json!(null))
        );
        assert!(
            late["progress"].as_f64() > early["progress"].as_f64(),
            "{}",
            cloud.variant
        );
        assert!(late["attempts"].as_u64() >= late["continuations"].as_u64());
        let cancel = cloud.request(Method::DELETE, &format!("/tasks/{id}"));
        assert_eq!(cancel.send().await.unwrap().status(), 202);
        assert_eq!(cloud.ended(&id).await["status"], "cancelled");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continued_task_comes_to_the_result_of_one_that_was_not_interrupted() {
    let task = json!({"kind": "mandelbrot", "width": 300, "height": 300, "max_iterations": 90_000});
    let continued = each_variant(SHORT, async |cloud| {
        let ended = cloud.ended(&cloud.accept(&task).await).await;
        assert!(
            ended["continuations"].as_u64() >= Some(1),
            "{}: {ended}",
            cloud.variant
        );
        ended["result"].clone()
    });
    let uninterrupted = async {
        let cloud = crate::support::LocalCloud::up("sqs-worker", &[]);
        let ended = cloud.ended(&cloud.accept(&task).await).await;
        assert_eq!(ended["continuations"], 0);
        ended["result"].clone()
    };
    let (continued, uninterrupted) = tokio::join!(continued, uninterrupted);
    assert!(
        continued.iter().all(|result| *result == uninterrupted),
        "{continued:?}, {uninterrupted}"
    );
}
