//! Starts `infra up` on a small template whose functions are copies of the test function, and ends it.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "../support/mod.rs"]
pub(crate) mod common;

pub(crate) use common::until;

/// How long a line may take to appear in the log before a test fails. Far more than any of them needs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `infra up`; ended when dropped.
pub(crate) struct LocalCloud {
    cloud: common::LocalCloud,
    /// Holds the template and the functions.
    _directory: TempDir,
}

/// What came of a synchronous invocation.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) error: Option<String>,
    pub(crate) log: String,
    pub(crate) body: Value,
}

impl Deref for LocalCloud {
    type Target = common::LocalCloud;

    fn deref(&self) -> &Self::Target {
        &self.cloud
    }
}

impl LocalCloud {
    /// A cloud with these resources. Each function is a folder of its own: `CodeUri` is its logical id.
    pub(crate) fn up(resources: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let template = directory.path().join("template.yaml");
        let header =
            "AWSTemplateFormatVersion: \"2010-09-09\"\nTransform: AWS::Serverless-2016-10-31\nResources:\n";
        fs::write(&template, format!("{header}{resources}")).unwrap();
        let folders = resources
            .lines()
            .filter_map(|line| line.trim().strip_prefix("CodeUri: "));
        folders.for_each(|folder| copy_function(&directory.path().join(folder)));
        let cloud = common::LocalCloud::up(template.to_str().unwrap(), arguments);
        Self {
            cloud,
            _directory: directory,
        }
    }

    /// Invokes a function synchronously, and gets its log.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Outcome {
        let response = self
            .invoke_with(function, &[("x-amz-log-type", "Tail")], event.to_string())
            .await;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let log = header("x-amz-log-result")
            .map(|log| STANDARD.decode(log).unwrap())
            .unwrap_or_default();
        Outcome {
            status: response.status().as_u16(),
            error: header("x-amz-function-error").or_else(|| header("x-amzn-errortype")),
            log: String::from_utf8(log).unwrap(),
            body: response.json().await.unwrap_or_default(),
        }
    }

    /// Queues an event for a function. Answers its request id.
    pub(crate) async fn invoke_later(&self, function: &str, event: &Value) -> String {
        let headers = [("x-amz-invocation-type", "Event")];
        let response = self.invoke_with(function, &headers, event.to_string()).await;
        assert_eq!(response.status(), 202);
        response.headers()["x-amzn-requestid"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Invokes a function; once more, as long as it is throttled. With a reserved concurrency of one, the environment of
    /// the invocation before is then idle.
    pub(crate) async fn invoke_with(
        &self,
        function: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Response {
        let body = body.into();
        let started = Instant::now();
        loop {
            let response = self.try_invoke(function, headers, body.clone()).await;
            if response.status() != 429 {
                return response;
            }
            assert!(started.elapsed() < PATIENCE, "{function} is throttled for ever");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Invokes a function, which may be followed by a query.
    pub(crate) async fn try_invoke(
        &self,
        function: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        let (function, query) = function.split_once('?').unwrap_or((function, ""));
        let path = format!("/2015-03-31/functions/{function}/invocations?{query}");
        let path = path.trim_end_matches('?');
        let request = headers
            .iter()
            .fold(self.aws(Method::POST, path), |request, (name, value)| {
                request.header(name, value)
            });
        request.body(body).send().await.unwrap()
    }

    /// A call of SQS.
    pub(crate) async fn sqs(&self, operation: &str, request: &Value) -> Value {
        let call = self
            .aws(Method::POST, "/")
            .header("x-amz-target", format!("AmazonSQS.{operation}"));
        let response = call
            .header("content-type", "application/x-amz-json-1.0")
            .body(request.to_string())
            .send();
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200, "{operation}");
        response.json().await.unwrap()
    }

    /// The next message of a queue, once there is one.
    pub(crate) async fn message(&self, queue: &str) -> Value {
        let request = json!({
            "QueueUrl": self.queue_url(queue),
            "WaitTimeSeconds": 20,
            "MessageAttributeNames": ["All"],
            "MessageSystemAttributeNames": ["All"],
        });
        let mut answer = self.sqs("ReceiveMessage", &request).await;
        assert!(
            answer["Messages"].is_array(),
            "{queue} stays empty; log:\n{}",
            self.log()
        );
        answer["Messages"][0].take()
    }

    pub(crate) fn queue_url(&self, queue: &str) -> String {
        format!("{}/123456789012/{queue}", self.text("endpoint_url"))
    }

    /// How often a text is in the log.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.log().matches(text).count()
    }

    /// Waits until the log has the text.
    pub(crate) async fn logged(&self, text: &str) {
        let started = Instant::now();
        while !self.log().contains(text) {
            assert!(
                started.elapsed() < PATIENCE,
                "never logged: {text}; log:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A function of that name, with further properties, one a line.
pub(crate) fn function(name: &str, properties: &str) -> String {
    let indented = properties.lines().flat_map(|line| ["      ", line, "\n"]);
    let properties: String = indented.collect();
    format!(
        "  {name}:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: {name}\n      Handler: bootstrap\n      \
         Runtime: provided.al2023\n{properties}"
    )
}

/// A queue of that name, with the properties that stand in the line.
pub(crate) fn queue(name: &str, properties: &str) -> String {
    format!("  {name}:\n    Type: AWS::SQS::Queue\n    Properties: {{{properties}}}\n")
}

/// The property of a function that may do these things.
pub(crate) fn may(actions: &str) -> String {
    format!("Policies: [{{Statement: [{{Effect: Allow, Action: [{actions}], Resource: \"*\"}}]}}]\n")
}

/// The value of a field of the REPORT line, in milliseconds.
pub(crate) fn milliseconds(log: &str, field: &str) -> f64 {
    let report = log
        .lines()
        .find(|line| line.starts_with("REPORT "))
        .expect("a REPORT line");
    let value = report
        .split('\t')
        .find_map(|part| part.strip_prefix(field))
        .expect("the field");
    value
        .trim_start_matches(": ")
        .trim_end_matches(" ms")
        .parse()
        .expect("a number")
}

fn copy_function(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::copy(test_function(), folder.join("bootstrap")).unwrap();
}

/// The test function's executable; Cargo builds examples along with the tests, but not if only some are run. It is that of
/// the whole workspace, which `cargo test --workspace` has built already: with the features that `infra` asks for by itself,
/// its dependencies would be built once more.
fn test_function() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build = escargot::CargoBuild::new()
            .arg("--workspace")
            .example("test-function");
        let build = infra::builder::variables_of_cargo().fold(build, escargot::CargoBuild::env_remove);
        build.run().expect("the test function builds").path().to_owned()
    })
}
