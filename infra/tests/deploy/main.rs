//! `infra deploy` and its companions, with programs that stand in for SAM's command line and cargo-lambda.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

/// A folder with the tools, and the notes that they take.
struct Tools(TempDir);

impl Tools {
    fn with(programs: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/stand-in.sh");
        for program in programs {
            symlink(&stand_in, directory.path().join(program)).unwrap();
        }
        Self(directory)
    }

    fn infra(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let directory = self.0.path().display();
        Command::new(env!("CARGO_BIN_EXE_infra"))
            .args(arguments)
            .env("PATH", format!("{directory}:/usr/bin:/bin"))
            .env("NOTES", self.0.path().join("notes"))
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    /// What the tools were told to do.
    fn notes(&self) -> Vec<String> {
        let notes = fs::read_to_string(self.0.path().join("notes")).unwrap_or_default();
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let notes = notes.replace(&workspace.display().to_string(), "WORKSPACE");
        notes.lines().map(str::to_owned).collect()
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_deployment_says_what_it_creates_and_costs_and_ends_with_a_request_to_try() {
    let tools = Tools::with(&["sam", "cargo-lambda"]);
    let parameters = ["--parameter", "Dashboard=false", "--parameter", "AlarmTopic="];
    let arguments = [
        &["deploy", "sqs-worker", "--region", "eu-west-1"],
        &parameters[..],
    ]
    .concat();
    let (printed, errors) = texts(&tools.infra(&arguments, &[]));
    let overrides = r#"--parameter-overrides Architecture="arm64" Dashboard="false" AlarmTopic="""#;
    let (built, stack) = (
        "WORKSPACE/target/sam/lambda-offload-sqs-worker",
        "--stack-name lambda-offload-sqs-worker",
    );
    assert_eq!(
        tools.notes(),
        [
            format!(
                "sam build --region eu-west-1 --template-file WORKSPACE/infra/sqs-worker.yaml --build-dir {built} {overrides}"
            ),
            format!(
                "sam deploy --region eu-west-1 {stack} --template-file {built}/template.yaml {overrides}"
            ),
            format!("sam list stack-outputs --region eu-west-1 {stack} --output json"),
        ],
        "{errors}"
    );
    for expected in [
        "AWS::SQS::Queue                   TaskQueue, DeadLetterQueue",
        "AWS::IAM::Role                    ApiFunctionRole, WorkerFunctionRole",
        "7 × alarm",
        "2 × event source mapping",
        "together",
    ] {
        assert!(printed.contains(expected), "no {expected:?} in\n{printed}");
    }
    assert!(!printed.contains("dashboard"), "{printed}");
    let last = printed.lines().last().unwrap();
    assert!(
        last.starts_with("curl -i https://a1.execute-api.eu-west-1.amazonaws.com/tasks"),
        "{last}"
    );
}

#[test]
fn a_template_that_the_local_cloud_cannot_run_can_be_deployed() {
    let tools = Tools::with(&["sam", "cargo-lambda"]);
    let parameters = [
        "Authorizer=JWT",
        "JwtIssuer=https://issuer.example",
        "JwtAudience=tasks",
    ];
    let parameters = parameters.iter().flat_map(|parameter| ["--parameter", parameter]);
    let arguments: Vec<&str> = ["deploy", "split-lambda", "--guided"]
        .into_iter()
        .chain(parameters)
        .collect();
    let (printed, errors) = texts(&tools.infra(&arguments, &[]));
    assert!(
        printed.contains("authorization: Bearer $TOKEN"),
        "{printed}\n{errors}"
    );
    assert!(tools.notes()[1].contains(" --guided"));
}

#[test]
fn what_is_missing_or_too_old_is_named_with_what_installs_it_and_nothing_is_done() {
    for (programs, variables, expected) in [
        (
            &["cargo-lambda"][..],
            &[][..],
            "sam is not installed; this installs it: pip install --upgrade aws-sam-cli",
        ),
        (
            &["sam"],
            &[],
            "cargo-lambda is not installed; this installs it: pip install --upgrade cargo-lambda",
        ),
        (
            &["sam", "cargo-lambda"],
            &[("SAM_VERSION", "1.9.0")],
            "sam has version 1.9.0, and 1.170.0 is needed",
        ),
    ] {
        let tools = Tools::with(programs);
        let output = tools.infra(&["deploy", "self-invoke"], variables);
        let (printed, errors) = texts(&output);
        assert_eq!(output.status.code(), Some(1));
        // What it would cost can be asked without them.
        assert!(printed.contains("A month in which nobody uses it"), "{printed}");
        assert!(
            errors.starts_with("Error: ") && errors.contains(expected),
            "{errors}"
        );
        assert!(tools.notes().is_empty());
    }
}

#[test]
fn a_step_that_fails_is_named_and_is_the_last() {
    let tools = Tools::with(&["sam", "cargo-lambda"]);
    let output = tools.infra(&["deploy", "self-invoke"], &[("FAILS", "build")]);
    let (_, errors) = texts(&output);
    assert!(
        !output.status.success() && errors.contains("Error: `sam build` ended with"),
        "{errors}"
    );
    assert_eq!(tools.notes().len(), 1);
}

#[test]
fn outputs_logs_and_destroy_are_sams() {
    let tools = Tools::with(&["sam"]);
    let (printed, _) = texts(&tools.infra(&["outputs", "self-invoke", "--profile", "p"], &[]));
    assert!(printed.starts_with("ApiUrl          https://"), "{printed}");
    tools.infra(&["logs", "self-invoke", "--stack-name", "mine", "--tail"], &[]);
    tools.infra(&["destroy", "self-invoke", "--yes"], &[]);
    // A template by its path: the name is what a stack may be called.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/split-lambda.yaml");
    tools.infra(&["destroy", path, "--yes"], &[]);
    assert_eq!(
        tools.notes(),
        [
            "sam list stack-outputs --profile p --stack-name lambda-offload-self-invoke --output json",
            "sam logs --stack-name mine --tail",
            "sam delete --stack-name lambda-offload-self-invoke --no-prompts",
            "sam delete --stack-name lambda-offload-split-lambda --no-prompts",
        ]
    );
}
