//! Functions' calls of AWS that are throttled, or whose responses are lost.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{answered_by, invoke_later, list_tables, may_call, send_message};
use crate::support::{LocalCloud, function, queue};

fn up(chaos: &str) -> LocalCloud {
    let resources = function("Caller", &may_call()) + &function("Called", "") + &queue("Queue", "");
    LocalCloud::up(&resources, &["--chaos", chaos])
}

/// What a function gets that makes the call.
async fn answer(cloud: &LocalCloud, call: &Value) -> Value {
    let outcome = cloud.invoke("Caller", &answered_by(call)).await;
    assert_eq!(outcome.error, None, "{}", cloud.log());
    outcome.body
}

/// How many messages are in the queue, as the user sees it, whom no fault reaches.
async fn messages(cloud: &LocalCloud) -> Value {
    let request =
        json!({"QueueUrl": cloud.queue_url("Queue"), "AttributeNames": ["ApproximateNumberOfMessages"]});
    let mut answer = cloud.sqs("GetQueueAttributes", &request).await;
    answer["Attributes"]["ApproximateNumberOfMessages"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_throttled_gets_the_error_of_its_service_and_does_nothing() {
    let cloud = up("throttle=1");
    let lambda = answer(&cloud, &invoke_later("Called", &json!({}))).await;
    assert_eq!(
        (&lambda["status"], &lambda["type"]),
        (&json!(429), &json!("TooManyRequestsException"))
    );
    assert_eq!(
        lambda["body"],
        json!({"Reason": "CallerRateLimitExceeded", "Type": "User", "message": "Rate exceeded"})
    );
    let sqs = answer(&cloud, &send_message(&cloud.queue_url("Queue"), "lost")).await;
    assert_eq!(
        (&sqs["status"], &sqs["body"]),
        (
            &json!(403),
            &json!({"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Request is throttled."})
        )
    );
    let dynamodb = answer(&cloud, &list_tables()).await;
    assert_eq!(
        (&dynamodb["status"], &dynamodb["body"]["__type"]),
        (
            &json!(400),
            &json!("com.amazon.coral.availability#ThrottlingException")
        )
    );
    for call in [
        "lambda POST /2015-03-31/functions/Called/invocations",
        "sqs SendMessage",
        "dynamodb ListTables",
    ] {
        cloud
            .logged(&format!("infra: chaos: throttled {call} by Caller\n"))
            .await;
    }
    assert_eq!(messages(&cloud).await, "0");
    assert_eq!(cloud.count("[Called] START"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_response_is_lost_takes_effect() {
    let cloud = up("drop-response=1");
    for call in [
        invoke_later("Called", &json!({})),
        send_message(&cloud.queue_url("Queue"), "sent"),
        list_tables(),
    ] {
        assert_eq!(answer(&cloud, &call).await, "no answer");
    }
    cloud.logged("[Called] REPORT").await;
    assert_eq!(messages(&cloud).await, "1");
    for call in [
        "lambda POST /2015-03-31/functions/Called/invocations",
        "sqs SendMessage",
        "dynamodb ListTables",
    ] {
        let dropped = format!("infra: chaos: dropped the response to {call} by Caller\n");
        cloud.logged(&dropped).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn up_says_at_its_start_what_to_expect_and_at_its_end_what_there_was() {
    let cloud = up("seed=5,throttle=1");
    let announced = "infra: chaos: --chaos kill=0,duplicate=0,throttle=1,drop-response=0,seed=5\n";
    assert!(cloud.log().contains(announced), "{}", cloud.log());
    for _ in 0..3 {
        answer(&cloud, &list_tables()).await;
    }
    cloud.signal(Signal::SIGTERM);
    cloud
        .logged("infra: chaos: totals: kill=0,duplicate=0,throttle=3,drop-response=0\n")
        .await;
}

#[test]
fn settings_that_make_no_sense_are_refused_by_their_key() {
    for (settings, named) in [
        ("kil=1", "there is no \"kil\""),
        ("kill=2", "kill is \"2\""),
        ("kill=1,kill=1", "kill is given twice"),
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_infra"))
            .args(["up", "self-invoke", "--chaos", settings])
            .output()
            .unwrap();
        let error = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && error.contains(named), "{error}");
    }
}
