//! What CloudFormation and CloudWatch Logs say of the fake deployment.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Fake;

/// The two services are at one address, told apart by their protocols.
pub(super) async fn answer(State(fake): State<Arc<Fake>>, headers: HeaderMap, body: Bytes) -> Response {
    match headers.get("x-amz-target") {
        Some(target) => {
            assert_eq!(target, "Logs_20140328.FilterLogEvents");
            fake.filter_log_events(&serde_json::from_slice(&body).unwrap())
        }
        None => fake.describe_stacks(std::str::from_utf8(&body).unwrap()),
    }
}

impl Fake {
    fn describe_stacks(&self, form: &str) -> Response {
        assert!(form.contains("Action=DescribeStacks"), "{form}");
        let variant = self.behaviour.variant.name();
        let names = [
            variant.to_owned(),
            format!("lambda-offload-{variant}"),
            "mine".to_owned(),
        ];
        let is_known = names
            .iter()
            .any(|name| form.ends_with(&format!("StackName={name}")));
        if !is_known {
            let error = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id x \
                         does not exist</Message></Error></ErrorResponse>";
            return (StatusCode::BAD_REQUEST, error).into_response();
        }
        let mut outputs = vec![("ApiUrl", self.url.clone()), ("ApiFunction", self.api_function())];
        if self.behaviour.names_its_worker {
            outputs.extend(self.worker_function().map(|worker| ("WorkerFunction", worker)));
        }
        let outputs = outputs.iter().map(|(key, value)| {
            format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
        });
        let outputs = outputs.collect::<Vec<_>>().concat();
        format!(
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName>\
             <CreationTime>2026-03-09T07:05:04Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>\
             <Outputs>{outputs}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )
        .into_response()
    }

    /// One invocation of the worker for each task, all in one stream, in two pages.
    fn filter_log_events(&self, request: &Value) -> Response {
        let group = request["logGroupName"].as_str().unwrap();
        let is_of = |function: &str| group == format!("/aws/lambda/{function}");
        if !self.worker_function().is_some_and(|worker| is_of(&worker)) {
            assert!(is_of(&self.api_function()), "{group}");
            return json!({"events": []}).to_string().into_response();
        }
        let state = self.state.lock().unwrap();
        let lines: Vec<String> = state
            .cold_workers
            .iter()
            .flat_map(|cold| invocation(*cold))
            .collect();
        let phrase = request["filterPattern"]
            .as_str()
            .unwrap_or_default()
            .trim_matches('"');
        let events = lines.iter().filter(|line| line.contains(phrase));
        let events: Vec<Value> = events
            .map(|line| json!({"logStreamName": "stream", "timestamp": 0, "message": line}))
            .collect();
        let (first, second) = events.split_at(events.len() / 2);
        let page = if request["nextToken"] == "2" {
            json!({"events": second})
        } else {
            json!({"events": first, "nextToken": "2"})
        };
        page.to_string().into_response()
    }
}

fn invocation(is_cold: bool) -> [String; 4] {
    let init = if is_cold { "Init Duration: 2.00 ms\t" } else { "" };
    [
        "START RequestId: 1 Version: $LATEST\n".to_owned(),
        "{\"level\":\"INFO\",\"message\":\"task ended\"}\n".to_owned(),
        "END RequestId: 1\n".to_owned(),
        format!(
            "REPORT RequestId: 1\tDuration: 3.50 ms\tBilled Duration: 4 ms\tMemory Size: 512 MB\tMax Memory Used: 17 MB\t\
             {init}\n"
        ),
    ]
}
