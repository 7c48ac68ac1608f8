//! Extensions within the runtime's process
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{LocalCloud, function, milliseconds, until};

fn with_extension(variables: &str, timeout: u32, arguments: &[&str]) -> LocalCloud {
    let properties = format!("Timeout: {timeout}\nEnvironment: {{Variables: {{{variables}}}}}");
    LocalCloud::up(&function("Function", &properties), arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_ends_when_the_extension_asks_for_the_next_event_too() {
    let cloud = with_extension("EXTENSION: INVOKE, EXTENSION_WORK: 700", 3, &[]);
    cloud.invoke("Function", &json!({})).await;
    let response = cloud.invoke_with("Function", &[], "{}").await;
    // The caller has its answer before that.
    assert!(cloud.count("\"eventType\":\"INVOKE\"") < 2, "{}", cloud.log());
    let id = response.headers()["x-amzn-requestid"]
        .to_str()
        .unwrap()
        .to_owned();
    cloud.logged(&format!("REPORT RequestId: {id}")).await;
    let log = cloud.log();
    let report = log
        .lines()
        .find_map(|line| {
            line.strip_prefix("[Function] ")
                .filter(|line| line.contains(&id) && line.starts_with("REPORT"))
        })
        .unwrap();
    assert!(milliseconds(report, "Duration") >= 700.0, "{report}");
    assert_eq!(cloud.count("\"eventType\":\"INVOKE\""), 2, "{log}");
    assert!(log.contains(&format!("\"requestId\":\"{id}\"")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_works_on_for_too_long_times_the_invocation_out() {
    let cloud = with_extension("EXTENSION: INVOKE, EXTENSION_WORK: 60000", 1, &[]);
    let response = cloud.invoke_with("Function", &[], "{}").await;
    assert!(!response.headers().contains_key("x-amz-function-error"));
    cloud.logged("Task timed out after 1.00 seconds").await;
    cloud.logged("Status: timeout").await;
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>: SIGTERM
/// comes only where an extension is registered, whatever events it wants.
#[tokio::test(flavor = "multi_thread")]
async fn an_environment_with_an_extension_may_end_in_order_and_one_without_is_killed() {
    let arguments = ["--idle-timeout", "0.2"];
    let with = with_extension("EXTENSION: \"\"", 3, &arguments);
    with.invoke("Function", &json!({})).await;
    with.logged("[Function] ended in order").await;

    let without = with_extension("OTHER: \"\"", 3, &arguments);
    without.invoke("Function", &json!({})).await;
    until("the process is gone", || without.function_processes().is_empty()).await;
    assert_eq!(without.count("SIGTERM"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_does_not_end_after_sigterm_is_killed() {
    let cloud = with_extension(
        "EXTENSION: \"\", LINGER_AT_THE_END: \"1\"",
        3,
        &["--idle-timeout", "0.2"],
    );
    cloud.invoke("Function", &json!({})).await;
    cloud.logged("[Function] SIGTERM received").await;
    let started = Instant::now();
    until("the process is gone", || cloud.function_processes().is_empty()).await;
    // After half a second; of itself it would take a minute.
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(cloud.count("ended in order"), 0);
}
