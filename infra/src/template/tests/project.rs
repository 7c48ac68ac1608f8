//! The templates of this project.

use std::path::Path;
use std::time::Duration;

use super::{settings, with_parameters};
use crate::template::{Code, Function, Method, Stack, Target, load};

fn variant(name: &str) -> Stack {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.yaml"));
    load(&file, &settings()).unwrap()
}

/// The name of each function and the Cargo binary that it is made of.
fn binaries(stack: &Stack) -> Vec<(&str, &str)> {
    let mut binaries = Vec::new();
    for function in &stack.functions {
        match &function.code {
            Code::CargoBinary { binary, .. } => binaries.push((function.name.as_str(), binary.as_str())),
            Code::Bootstrap { .. } => panic!("{} is not a Cargo binary", function.name),
        }
    }
    binaries
}

fn allows(function: &Function, action: &str, resource: &str) -> bool {
    let has = |texts: &[String], text| texts.iter().any(|one| one == text);
    function
        .statements
        .iter()
        .any(|it| has(&it.actions, action) && has(&it.resources, resource))
}

#[test]
fn every_variant_has_the_same_api_and_table() {
    for (name, function) in [
        ("self-invoke", "Function"),
        ("sqs-worker", "ApiFunction"),
        ("split-lambda", "ApiFunction"),
    ] {
        let stack = variant(name);
        let api = stack.api.as_ref().unwrap();
        let routes: Vec<_> = api
            .routes
            .iter()
            .map(|it| (it.method, it.path.as_str(), it.target.clone()))
            .collect();
        let target = Target::Function(function.to_owned());
        assert_eq!(
            routes,
            [
                (Method::Any, "/tasks", target.clone()),
                (Method::Any, "/tasks/{id}", target)
            ]
        );
        assert_eq!(stack.tables[0].name, "TaskTable");
        assert_eq!(stack.tables[0].create_table["BillingMode"], "PAY_PER_REQUEST");
        assert_eq!(
            stack.tables[0].time_to_live_attribute.as_deref(),
            Some("expires_at")
        );
        assert_eq!(stack.outputs[0].value, "http://127.0.0.1:3000");
        assert!(
            stack
                .functions
                .iter()
                .all(|function| function.environment["TABLE_NAME"] == "TaskTable")
        );
    }
}

#[test]
fn self_invoke_is_one_function_that_may_invoke_itself() {
    let stack = variant("self-invoke");
    assert_eq!(binaries(&stack), [("Function", "self-invoke")]);
    let function = &stack.functions[0];
    assert_eq!(
        (function.timeout, function.memory_size),
        (Duration::from_mins(15), 256)
    );
    assert_eq!(function.asynchronous.maximum_event_age, Duration::from_hours(6));
    assert_eq!(
        function.asynchronous.on_failure.as_ref(),
        Some(&stack.queues[0].arn)
    );
    assert!(allows(function, "sqs:SendMessage", &stack.queues[0].arn));
    assert!(allows(function, "lambda:InvokeFunction", &function.arn));
}

#[test]
fn sqs_worker_is_two_functions_with_a_queue_between() {
    let stack = variant("sqs-worker");
    assert_eq!(
        binaries(&stack),
        [("ApiFunction", "sqs-api"), ("WorkerFunction", "sqs-worker")]
    );
    assert_eq!(stack.functions[0].environment["QUEUE_URL"], stack.queues[0].url);
    assert_eq!(stack.queues[0].attributes["VisibilityTimeout"], "5400");
    assert!(stack.queues[0].attributes["RedrivePolicy"].contains(&stack.queues[1].arn));
    let mapping = &stack.event_source_mappings[0];
    assert_eq!(
        (&mapping.event_source_arn, mapping.batch_size),
        (&stack.queues[0].arn, 1)
    );
    assert_eq!(mapping.function_name, "WorkerFunction");
    assert!(mapping.report_batch_item_failures);
    assert!(allows(
        &stack.functions[1],
        "sqs:ReceiveMessage",
        &stack.queues[0].arn
    ));
    assert!(allows(
        &stack.functions[0],
        "sqs:SendMessage",
        &stack.queues[0].arn
    ));
}

#[test]
fn split_lambda_is_two_functions_of_which_one_may_invoke_the_other() {
    let stack = variant("split-lambda");
    assert_eq!(
        binaries(&stack),
        [("ApiFunction", "split-api"), ("WorkerFunction", "split-worker")]
    );
    assert_eq!(stack.functions[0].timeout, Duration::from_secs(35));
    assert_eq!(
        stack.functions[0].environment["WORKER_FUNCTION"],
        "WorkerFunction"
    );
    assert!(allows(
        &stack.functions[0],
        "lambda:InvokeFunction",
        &stack.functions[1].arn
    ));
    assert!(allows(
        &stack.functions[1],
        "sqs:SendMessage",
        &stack.queues[0].arn
    ));
}

#[test]
fn parameters_reach_the_functions_and_their_bounds_hold() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("sqs-worker.yaml");
    let set = with_parameters(&[
        ("TaskTimeout", "20"),
        ("VisibilityTimeout", "120"),
        ("WorkerMemory", "1769"),
    ]);
    let stack = load(&file, &set).unwrap();
    assert_eq!(
        (stack.functions[1].timeout, stack.functions[1].memory_size),
        (Duration::from_secs(20), 1769)
    );

    let beyond = load(&file, &with_parameters(&[("TaskTimeout", "901")]))
        .unwrap_err()
        .to_string();
    assert!(
        beyond.contains("Parameters.TaskTimeout: expected a number of at most 900"),
        "{beyond}"
    );
    let short = load(&file, &with_parameters(&[("VisibilityTimeout", "30")]))
        .unwrap_err()
        .to_string();
    let expected = "Queue visibility timeout: 30 seconds is less than Function timeout: 900 seconds";
    assert!(short.contains(expected), "{short}");
}
