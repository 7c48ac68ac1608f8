//! The life of execution environments
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{LocalCloud, function, milliseconds, until};

/// With one environment, which every invocation uses.
fn with_init(init: &str, timeout: u32) -> LocalCloud {
    let properties = format!(
        "Timeout: {timeout}\nReservedConcurrentExecutions: 1\nEnvironment: {{Variables: {{INIT: \"{init}\"}}}}"
    );
    LocalCloud::up(&function("Function", &properties), &[])
}

fn nothing() -> Value {
    json!({"do": []})
}

#[tokio::test(flavor = "multi_thread")]
async fn init_is_reported_once_with_the_first_invocation() {
    let cloud = with_init("ok", 3);
    let first = cloud.invoke("Function", &nothing()).await;
    assert!(milliseconds(&first.log, "Init Duration") > 0.0, "{}", first.log);
    let second = cloud.invoke("Function", &nothing()).await;
    assert!(!second.log.contains("Init Duration"), "{}", second.log);
    assert_eq!(cloud.count("INIT_REPORT"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_that_fails_is_tried_again_within_the_first_invocation() {
    let cloud = with_init("exit,ok", 3);
    let outcome = cloud.invoke("Function", &nothing()).await;
    assert_eq!(outcome.error, None, "{}", cloud.log());
    // Its time is part of the invocation's, and has no report of its own.
    assert!(!outcome.log.contains("Init Duration"), "{}", outcome.log);
    cloud
        .logged("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n")
        .await;
    assert_eq!(cloud.count("INIT_REPORT"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_that_fails_twice_is_the_outcome_of_the_invocation() {
    let cloud = with_init("exit", 3);
    let outcome = cloud.invoke("Function", &nothing()).await;
    assert_eq!(outcome.error.as_deref(), Some("Unhandled"));
    assert_eq!(outcome.body["errorType"], "Runtime.ExitError");
    let message = outcome.body["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Error: Runtime exited with error: exit status 7"),
        "{message}"
    );
    assert!(
        outcome
            .log
            .trim_end()
            .ends_with("Status: error\tError Type: Runtime.ExitError"),
        "{}",
        outcome.log
    );
    for phase in ["init", "invoke"] {
        let report = format!("\tPhase: {phase}\tStatus: error\tError Type: Runtime.ExitError\n");
        cloud.logged(&report).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_the_runtime_reports_during_init_is_the_outcome() {
    let cloud = with_init("error", 3);
    let outcome = cloud.invoke("Function", &nothing()).await;
    assert_eq!(
        outcome.body,
        json!({"errorType": "Config.Missing", "errorMessage": "no configuration"})
    );
    assert!(
        outcome
            .log
            .trim_end()
            .ends_with("Status: error\tError Type: Config.Missing"),
        "{}",
        outcome.log
    );
}

/// Init has ten seconds, then the function's timeout, then the next invocation's.
#[tokio::test(flavor = "multi_thread")]
async fn init_that_hangs_is_cut_off_and_tried_again() {
    let cloud = with_init("hang,hang,ok", 1);
    let started = Instant::now();
    let outcome = cloud.invoke("Function", &nothing()).await;
    assert!(
        (11.0..20.0).contains(&started.elapsed().as_secs_f64()),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(outcome.body["errorType"], "Sandbox.Timedout");
    for phase in ["init", "invoke"] {
        cloud
            .logged(&format!("\tPhase: {phase}\tStatus: timeout\n"))
            .await;
    }
    assert_eq!(cloud.invoke("Function", &nothing()).await.error, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_timeout_or_a_crash_the_environment_starts_anew_without_a_report_of_it() {
    let cloud = with_init("ok", 1);
    for (step, line, status) in [
        (
            json!({"sleep": 5_000}),
            "Task timed out after 1.00 seconds\n",
            "Status: timeout",
        ),
        (
            json!({"print_for_ever": "more"}),
            "Task timed out after 1.00 seconds\n",
            "Status: timeout",
        ),
        (
            json!({"exit": 3}),
            "Error: Runtime exited with error: exit status 3\nRuntime.ExitError\n",
            "Status: error\tError Type: Runtime.ExitError",
        ),
        (
            json!({"exit": 0}),
            "Error: Runtime exited without providing a reason\nRuntime.ExitError\n",
            "Status: error\tError Type: Runtime.ExitError",
        ),
    ] {
        let stream = json!({"do": [{"environment": true}, {"respond_last": true}]});
        let before = cloud.invoke("Function", &stream).await;
        let failed = cloud.invoke("Function", &json!({"do": [step]})).await;
        assert_eq!(failed.error.as_deref(), Some("Unhandled"));
        assert!(failed.log.contains(line), "{}", failed.log);
        assert!(failed.log.trim_end().ends_with(status), "{}", failed.log);
        let after = cloud.invoke("Function", &stream).await;
        assert!(!after.log.contains("Init Duration"), "{}", after.log);
        // It is the same environment, with another process.
        let stream_name = "AWS_LAMBDA_LOG_STREAM_NAME";
        assert_eq!(after.body[stream_name], before.body[stream_name]);
        assert_ne!(
            after.body["AWS_LAMBDA_RUNTIME_API"],
            before.body["AWS_LAMBDA_RUNTIME_API"]
        );
    }
    assert_eq!(cloud.count("INIT_REPORT"), 0);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke>: background
/// work is frozen with the environment, and goes on when that is used again.
#[tokio::test(flavor = "multi_thread")]
async fn background_work_waits_for_the_next_invocation() {
    let cloud = with_init("ok", 3);
    let work = json!({"do": [{"print_later": [200, "done in the background"]}]});
    cloud.invoke("Function", &work).await;
    until("the environment is frozen", || {
        cloud.function_processes().iter().all(|(_, state)| *state == 'T')
    })
    .await;
    // Far longer than the work takes where it can go on.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(cloud.count("done in the background"), 0);
    cloud.invoke("Function", &json!({"do": [{"sleep": 500}]})).await;
    cloud.logged("done in the background").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_that_does_not_answer_fails_the_invocation_and_lives_on() {
    let cloud = with_init("ok", 3);
    let outcome = cloud.invoke("Function", &json!({"do": [{"leave": true}]})).await;
    assert_eq!(outcome.body["errorType"], "Runtime.InvalidState");
    assert_eq!(cloud.invoke("Function", &nothing()).await.error, None);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>, for an OS-only runtime. Missing are
/// `LD_LIBRARY_PATH`, because its folders are not on this machine, and `AWS_XRAY_DAEMON_ADDRESS`, because there is no
/// daemon; `_X_AMZN_TRACE_ID` is set by the runtime. The endpoints are the local cloud's.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_sees_the_variables_of_lambda_and_the_template_and_no_others() {
    let cloud = with_init("ok", 3);
    let event = json!({"do": [{"environment": true}, {"respond_last": true}]});
    let environment = cloud.invoke("Function", &event).await.body;
    let seen: BTreeSet<&str> = environment
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = BTreeSet::from([
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_LAMBDA",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_XRAY_CONTEXT_MISSING",
        "INIT",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "PATH",
        "TZ",
        "_HANDLER",
    ]);
    assert_eq!(seen, expected);
}
