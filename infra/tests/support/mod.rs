//! Starts `infra up` as a user would, and ends it. Several test programs share it.
#![allow(dead_code, reason = "each of them uses a part of it")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test whose scene cannot be set should panic"
)]

mod aws;
pub(crate) mod proxy;
#[path = "../lambda/signing.rs"]
pub(crate) mod signing;
mod template;

use std::{
    env,
    ffi::OsString,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tempfile::NamedTempFile;

pub(crate) use aws::AwsRequest;
pub(crate) use template::Template;

pub(crate) const VARIANTS: [&str; 3] = ["self-invoke", "sqs-worker", "split-lambda"];

/// How long a condition may take to come about before a test fails. Far more than any of them needs.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running `infra up`; ended when dropped.
pub(crate) struct LocalCloud {
    pub(crate) variant: String,
    template: Option<Template>,
    process: Child,
    description: Value,
    /// Its standard error. A file, not a pipe: what was written is there for whoever looks, at once.
    log: NamedTempFile,
    client: reqwest::Client,
}

/// Runs the same test against every variant, each on a local cloud of its own, all at the same time.
pub(crate) async fn each_variant<T>(arguments: &[&str], test: impl AsyncFn(&LocalCloud) -> T) -> Vec<T> {
    let clouds = VARIANTS.map(|variant| LocalCloud::up(variant, arguments));
    futures_util::future::join_all(clouds.iter().map(|cloud| test(cloud))).await
}

/// The same on changed templates.
pub(crate) async fn each_changed_variant<T>(
    change: impl Fn(&str) -> Template,
    arguments: &[&str],
    test: impl AsyncFn(&LocalCloud) -> T,
) -> Vec<T> {
    let clouds = VARIANTS.map(|variant| LocalCloud::up_changed(variant, change(variant), arguments));
    futures_util::future::join_all(clouds.iter().map(|cloud| test(cloud))).await
}

impl LocalCloud {
    /// Runs a variant whose template was changed.
    pub(crate) fn up_changed(variant: &str, template: Template, arguments: &[&str]) -> Self {
        let mut cloud = Self::up(&template.path, arguments);
        variant.clone_into(&mut cloud.variant);
        cloud.template = Some(template);
        cloud
    }

    /// The same, with the template that it was started from.
    pub(crate) fn keeping(mut self, template: Template) -> Self {
        self.template = Some(template);
        self
    }

    /// Kills the function that is at work, if one is. One that has just answered is frozen a moment later: until then it
    /// is not known who works.
    pub(crate) async fn kill_the_working_function(&self) {
        let started = Instant::now();
        loop {
            let processes = self.function_processes().into_iter();
            let working: Vec<i32> = processes
                .filter_map(|(process, state)| (!"TZ".contains(state)).then_some(process))
                .collect();
            if working.len() <= 1 {
                return working.into_iter().for_each(kill_process);
            }
            assert!(started.elapsed() < PATIENCE, "at work are {working:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills all functions.
    pub(crate) fn kill_functions(&self) {
        for (process, _) in self.function_processes() {
            kill_process(process);
        }
    }

    pub(crate) fn up(template: &str, arguments: &[&str]) -> Self {
        Self::try_up(template, arguments).unwrap_or_else(|log| panic!("{template}: log:\n{log}"))
    }

    /// The same; answers the log where it does not start.
    pub(crate) fn try_up(template: &str, arguments: &[&str]) -> Result<Self, String> {
        let log = NamedTempFile::new().expect("a file for the log");
        let mut process = Command::new(program())
            .args(["up", template, "--json", "--cargo-profile", &profile()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.reopen().expect("the file for the log"))
            .spawn()
            .expect("infra starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let Ok(description) = serde_json::from_str(&line) else {
            // It prints its line, or it ends.
            process.wait().expect("it can be waited for");
            return Err(text_of(&log));
        };
        Ok(Self {
            variant: template.to_owned(),
            template: None,
            process,
            description,
            log,
            client: reqwest::Client::new(),
        })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.text("api_url")))
    }

    /// A request to the AWS endpoint, signed with the keys that `up` printed.
    pub(crate) fn aws(&self, method: Method, path: &str) -> AwsRequest {
        let keys = [self.text("access_key_id"), self.text("secret_access_key")];
        AwsRequest::new(self.unsigned(method, path), keys)
    }

    /// A request to the HTTP API, signed with the same keys.
    pub(crate) fn signed(&self, request: RequestBuilder) -> AwsRequest {
        let keys = [self.text("access_key_id"), self.text("secret_access_key")];
        AwsRequest::to_an_api(request, keys)
    }

    /// A request to the AWS endpoint without a signature.
    pub(crate) fn unsigned(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.text("endpoint_url")))
    }

    /// What `up` printed under that name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.description[name].as_str().unwrap()
    }

    pub(crate) async fn post(&self, task: &Value) -> Response {
        self.request(Method::POST, "/tasks")
            .json(task)
            .send()
            .await
            .unwrap()
    }

    /// The answer to a request that is sent until it is no longer refused.
    pub(crate) async fn retried(&self, request: impl Fn() -> RequestBuilder) -> Value {
        let started = Instant::now();
        loop {
            let response = request().send().await.unwrap();
            if response.status().is_success() {
                return response.json().await.unwrap();
            }
            assert!(started.elapsed() < PATIENCE, "{}: {}", self.variant, self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Has a task accepted. Answers its id.
    pub(crate) async fn accept(&self, task: &Value) -> String {
        let response = self.post(task).await;
        assert_eq!(
            response.status(),
            StatusCode::ACCEPTED,
            "{}: {}",
            self.variant,
            self.log()
        );
        id_of(&response.json().await.unwrap())
    }

    pub(crate) async fn task(&self, id: &str) -> Value {
        let response = self
            .request(Method::GET, &format!("/tasks/{id}"))
            .send()
            .await
            .unwrap();
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "{}: {}",
            self.variant,
            self.log()
        );
        response.json().await.unwrap()
    }

    /// Waits until the task has ended. Answers its record.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        self.task_once(id, |task| !task["finished_at"].is_null()).await
    }

    /// Waits until the record is as wanted.
    pub(crate) async fn task_once(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let task = self.task(id).await;
            if wanted(&task) {
                return task;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{}: still {task}; log:\n{}",
                self.variant,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The processes of functions: id and state, as `/proc` has them.
    pub(crate) fn function_processes(&self) -> Vec<(i32, char)> {
        let parent = self.process.id().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<i32>() else {
                continue;
            };
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
                continue;
            };
            let (name, fields) = stat.rsplit_once(')').unwrap();
            let mut fields = fields.split_whitespace();
            let state = fields.next().unwrap().chars().next().unwrap();
            if fields.next() == Some(parent.as_str()) && !name.ends_with("(infra") {
                found.push((id, state));
            }
        }
        found
    }

    /// How much memory `infra` has resident, in kB.
    pub(crate) fn resident_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }

    /// Waits until the local cloud has ended.
    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        self.process.wait().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        text_of(&self.log)
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
            let _ = self.process.wait();
        }
    }
}

/// Waits until the condition holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "never came about: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The program under test: the one that `INFRA` names, or what Cargo builds.
fn program() -> OsString {
    env::var_os("INFRA").unwrap_or_else(|| env!("CARGO_BIN_EXE_infra").into())
}

/// How Cargo builds the functions: by the profile that `FUNCTIONS_PROFILE` names, or by the one that is quick to build.
fn profile() -> String {
    env::var("FUNCTIONS_PROFILE").unwrap_or_else(|_| "quick".to_owned())
}

fn kill_process(process: i32) {
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
}

pub(crate) fn id_of(task: &Value) -> String {
    task["id"].as_str().expect("an id").to_owned()
}

fn text_of(log: &NamedTempFile) -> String {
    String::from_utf8_lossy(&std::fs::read(log.path()).unwrap()).into_owned()
}
