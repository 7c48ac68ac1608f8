//! The program `compare` from end to end, with a stand-in for `cargo infra up`.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use benches::results::Results;
use benches::variant::Variant;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tempfile::TempDir;

use fake::Behaviour;

mod fake;

/// A run of `compare` in a folder of its own.
struct Run {
    folder: TempDir,
    command: Command,
}

impl Run {
    async fn new(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let endpoints = fake::start(Behaviour::good(Variant::SplitLambda)).await;
        let json = json!({
            "api_url": endpoints.api_url, "endpoint_url": endpoints.endpoint_url, "region": "eu-central-1",
            "access_key_id": "key", "secret_access_key": "secret", "functions": ["a", "b"], "queues": [],
            "tables": ["TaskTable"],
        });
        fs::create_dir(folder.path().join("release")).unwrap();
        for binary in Variant::SplitLambda.binaries() {
            fs::write(folder.path().join("release").join(binary), [0; 1000]).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_compare"));
        command
            .args(arguments)
            .env(
                "CARGO",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake-cargo.sh"),
            )
            .env("FAKE_BROKEN", Variant::Noop.template())
            .env("FAKE_ENDPOINTS", json.to_string())
            // As somebody has it who has deployed the stack.
            .env("AWS_ENDPOINT_URL", &endpoints.endpoint_url)
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env_remove("AWS_PROFILE")
            .stdin(Stdio::null())
            .env("FAKE_PROCESSES", folder.path().join("processes"))
            .env("FAKE_TARGET", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { folder, command }
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("compare").join(name)).unwrap()
    }

    fn processes(&self) -> Vec<Pid> {
        let processes = fs::read_to_string(self.folder.path().join("processes")).unwrap_or_default();
        processes
            .lines()
            .map(|id| Pid::from_raw(id.parse().unwrap()))
            .collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Takes the process's whole time, while the fake deployment goes on in this one.
async fn end_of(child: Child) -> Output {
    tokio::task::spawn_blocking(|| child.wait_with_output().unwrap())
        .await
        .unwrap()
}

fn assert_ended(processes: &[Pid]) {
    assert!(!processes.is_empty());
    for process in processes {
        assert!(kill(*process, None).is_err(), "process {process} was left behind");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_measured_is_reported_and_what_cannot_is_named() {
    let mut run = Run::new(&["--quick", "--variants", "split-lambda"]).await;
    let output = end_of(run.command.spawn().unwrap()).await;
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));

    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("noop.yaml does not build"),
        "the log's last lines are shown: {stderr}"
    );
    assert!(
        stdout.contains("report.html") && stdout.contains("split-lambda"),
        "{stdout}"
    );
    let results: Results = serde_json::from_str(&run.report("results.json")).unwrap();
    assert_eq!(results.of(Variant::SplitLambda).unwrap().load[0].accepted, 200);
    assert_eq!(results.failures[0].variant, Variant::Noop);
    for report in ["report.html", "report.md"] {
        assert!(
            run.report(report)
                .contains("noop: deployment could not be measured"),
            "{report}"
        );
    }
    assert_ended(&run.processes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_the_deployment_too() {
    let mut run = Run::new(&["--variants", "split-lambda"]).await;
    let child = run.command.spawn().unwrap();
    let begin = Instant::now();
    while run.processes().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let output = end_of(child).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("terminated"),
        "{}",
        text(&output.stderr)
    );
    assert_ended(&run.processes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_measured_when_a_signal_comes_is_reported_beside_the_last_whole_report() {
    let mut run = Run::new(&["--quick", "--variants", "split-lambda"]).await;
    let mut child = run.command.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap());
    let id = Pid::from_raw(child.id().try_into().unwrap());
    let stderr = tokio::task::spawn_blocking(move || {
        let mut all = String::new();
        for line in lines.lines() {
            let line = line.unwrap();
            if line.contains(": load, ") {
                kill(id, Signal::SIGINT).unwrap();
            }
            all += &line;
        }
        all
    });
    let output = end_of(child).await;
    let stderr = stderr.await.unwrap();

    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("interrupted: what was started is ended"),
        "{stderr}"
    );
    assert_ended(&run.processes());
    let results: Results = serde_json::from_str(&run.report("interrupted/results.json")).unwrap();
    let measured = results.of(Variant::SplitLambda).unwrap();
    assert!(measured.cold.is_some() && measured.burst.is_none());
    assert!(results.interrupted.unwrap().starts_with("load"));
    assert!(!run.folder.path().join("compare/report.html").exists());
    assert!(
        run.report("interrupted/report.html")
            .contains("The run was interrupted: load")
    );
}

const DEPLOYED: [&str; 5] = ["--quick", "--variants", "split-lambda", "--target", "aws"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployed_stack_is_measured_where_it_is() {
    let task = ["--task", r#"{"kind":"sleep","millis":20}"#];
    let mut run =
        Run::new(&[&DEPLOYED[..], &task, &["--stack", "split-lambda=mine", "--yes"]].concat()).await;
    let output = end_of(run.command.spawn().unwrap()).await;
    let stderr = text(&output.stderr);

    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("split-lambda: stack mine"), "{stderr}");
    assert!(stderr.contains("noop: left out"), "{stderr}");
    assert!(run.processes().is_empty(), "nothing is started");
    let results: Results = serde_json::from_str(&run.report("results.json")).unwrap();
    assert!(
        results.platform.starts_with("the AWS APIs at http://127.0.0.1:"),
        "{}",
        results.platform
    );
    let measured = results.of(Variant::SplitLambda).unwrap();
    assert_eq!(measured.load[0].accepted, 200);
    let billed = measured.billed.as_ref().unwrap();
    assert_eq!(billed.worker.as_ref().unwrap().duration_ms.p50, 4);
    assert!(measured.cold.as_ref().unwrap().worker_init_us.is_some());
    assert!(measured.binaries.is_empty());
    let own = measured.own_task.as_ref().unwrap();
    assert!(own.ended["succeeded"] > 0 && own.usd_per_million.is_some());
    for report in ["report.html", "report.md"] {
        assert!(run.report(report).contains("up to who deployed them"), "{report}");
        assert!(run.report(report).contains("Your task"), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_the_api_finds_fault_with_ends_the_run_with_its_words() {
    let mut run = Run::new(&[&DEPLOYED[..], &["--stack", "split-lambda=mine", "--yes"]].concat()).await;
    run.command.args(["--task", r#"{"kind":"unknown"}"#]);
    let output = end_of(run.command.spawn().unwrap()).await;
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("split-lambda does not take your task: ")
            && stderr.contains("kind: there is no unknown"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_costs_is_said_and_not_spent_unless_somebody_agrees() {
    let mut run = Run::new(&DEPLOYED).await;
    let output = end_of(run.command.spawn().unwrap()).await;
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for expected in ["HTTP requests", "GB-seconds", "$0.", "--yes"] {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
    assert!(!run.folder.path().join("compare").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variant_that_is_not_deployed_is_named_with_its_stack() {
    let mut run = Run::new(&["--target", "aws", "--yes", "--variants", "sqs-worker"]).await;
    let output = end_of(run.command.spawn().unwrap()).await;
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("no stack lambda-offload-sqs-worker"), "{stderr}");
}

#[tokio::test]
async fn arguments_that_do_not_fit_together_are_refused() {
    for (arguments, expected) in [
        (&["--target", "aws", "--chaos", "kill=0.1"][..], "--chaos"),
        (&["--stack", "sqs-worker=mine"], "--target aws"),
        (&["--yes"], "--target aws"),
        (&["--target", "aws", "--stack", "nonsense=mine"], "nonsense"),
        (&["--target", "aws", "--stack", "sqs-worker"], "VARIANT=NAME"),
        (&["--chaos", "kil=0.1"], "the keys are kill,"),
        (&["--chaos", "kill"], "KEY=VALUE"),
        (&["--chaos", "kill=2"], "probability from 0 to 1"),
        (&["--chaos", "kill=0.1,kill=0.2"], "kill is given twice"),
        (&["--chaos", "kill=0.1,seed=x"], "no whole number"),
        (&["--tasks", "5"], "--chaos"),
        (&["--quick", "--completions", "bash"], "--completions"),
        (&["--task", "nonsense"], "it is not JSON"),
        (&["--task", "{}"], "it has no \"kind\""),
        (&["--task", "@nothing.json"], "cannot read nothing.json"),
    ] {
        let mut run = Run::new(arguments).await;
        let output = end_of(run.command.spawn().unwrap()).await;
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn an_unknown_variant_is_refused_with_the_known_ones() {
    let mut run = Run::new(&["--variants", "self-invoke,nonsense"]).await;
    let output = end_of(run.command.spawn().unwrap()).await;
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for expected in ["nonsense", "self-invoke", "sqs-worker", "split-lambda"] {
        assert!(stderr.contains(expected), "{stderr}");
    }
    assert!(!Path::new(&run.folder.path().join("compare")).exists());
}

#[tokio::test]
async fn what_would_fail_after_ten_minutes_fails_at_once() {
    let old = tempfile::NamedTempFile::new().unwrap();
    fs::write(old.path(), r#"{"schema_version":1}"#).unwrap();
    let old = old.path().to_str().unwrap();
    for (arguments, expected) in [
        (
            &["--against", "nothing.json"][..],
            "--against takes the results.json",
        ),
        (&["--against", old], "version 1"),
        (&["--out", "/dev/null/report"], "--out names another folder"),
    ] {
        let mut run = Run::new(arguments).await;
        let output = end_of(run.command.spawn().unwrap()).await;
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
        assert!(run.processes().is_empty(), "{arguments:?}");
    }
}

#[tokio::test]
async fn every_shell_has_a_script_that_completes_the_options_and_the_variants() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let mut run = Run::new(&["--completions", shell]).await;
        let output = end_of(run.command.spawn().unwrap()).await;
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        for word in ["against", "variants", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(run.processes().is_empty());
    }
}

#[tokio::test]
async fn the_help_has_the_exit_codes_and_a_pipe_gets_no_colours() {
    let mut run = Run::new(&["--help"]).await;
    let help = text(&end_of(run.command.spawn().unwrap()).await.stdout);
    assert!(
        help.contains("Exit code: 0 when") && !help.contains('\x1b'),
        "{help}"
    );
}
