//! `compare --target aws` against a stack that is really there: on the local cloud, found through the environment, as one
//! on AWS would be. All that is known of the local cloud is what `cargo infra up --json` prints.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use benches::deployment::Endpoints;
use benches::results::Results;
use benches::variant::Variant;
use benches::workspace;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running `cargo infra up`; ended when dropped.
struct LocalCloud(Child);

impl LocalCloud {
    fn up(variant: Variant, log: &Path) -> (Self, Endpoints) {
        let mut command = workspace::cargo();
        command.args([
            "infra",
            "up",
            &variant.template(),
            "--json",
            "--cargo-profile",
            // As the tests of `infra` have it.
            &env::var("FUNCTIONS_PROFILE").unwrap_or_else(|_| "quick".to_owned()),
        ]);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(File::create(log).unwrap());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let cloud = Self(process);
        stdout.read_line(&mut line).unwrap();
        let endpoints = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}\n{}", fs::read_to_string(log).unwrap()));
        (cloud, endpoints)
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        // Cargo has become the program it runs.
        let _ = kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

fn measured(variant: Variant) -> Results {
    let folder = tempfile::tempdir().unwrap();
    let (_cloud, endpoints) = LocalCloud::up(variant, &folder.path().join("log"));
    let stack = format!("{variant}={variant}");
    let output = Command::new(env!("CARGO_BIN_EXE_compare"))
        .args([
            "--quick",
            "--target",
            "aws",
            "--yes",
            "--variants",
            variant.name(),
            "--stack",
            &stack,
        ])
        .arg("--out")
        .arg(folder.path())
        .env("AWS_ENDPOINT_URL", &endpoints.endpoint_url)
        .env("AWS_REGION", &endpoints.region)
        .env("AWS_ACCESS_KEY_ID", &endpoints.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &endpoints.secret_access_key)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_PROFILE")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains(&format!("{variant}: stack {variant}")),
        "{stderr}"
    );
    serde_json::from_str(&fs::read_to_string(folder.path().join("results.json")).unwrap()).unwrap()
}

/// The one whose worker is a function of its own, and the one whose worker is not.
#[test]
fn a_deployed_stack_is_measured_through_the_apis_of_aws() {
    for variant in [Variant::SplitLambda, Variant::SelfInvoke] {
        let results = measured(variant);
        let measured = results.of(variant).unwrap();
        assert_eq!(measured.load[0].accepted, 200);
        assert!(measured.first_invocation().unwrap().init_us.p50 > 0);
        let billed = measured.billed.as_ref().unwrap();
        let worker = billed.worker.as_ref().unwrap();
        // Nearly all of them find a warm environment.
        assert!(
            (100..=260).contains(&worker.duration_ms.count),
            "{}",
            worker.duration_ms.count
        );
        assert!(worker.memory_mb >= 128 && worker.duration_ms.min >= 1);
        if variant == Variant::SplitLambda {
            let init = measured.cold.as_ref().unwrap().worker_init_us.as_ref().unwrap();
            assert!(init.count >= 5);
        }
    }
}
