//! Starts a deployment in the local cloud and ends it again, or finds one that is there. All that is known of the local
//! cloud is a command, `cargo infra up`, which prints one line of JSON when the deployment answers, and ends on SIGTERM.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::ChildStdout;

use crate::aws::Aws;
use crate::place::Account;
use crate::progress::Phase;
use crate::target::Target;
use crate::variant::Variant;
use crate::workspace;

/// Building everything from nothing takes minutes; a start that takes longer hangs.
const START_LIMIT: Duration = Duration::from_mins(30);
/// How long the local cloud may take to end its functions.
const END_LIMIT: Duration = Duration::from_secs(10);
const LOG_INTERVAL: Duration = Duration::from_millis(500);
const LOG_LINES_SHOWN: usize = 15;

/// Where a deployment answers.
#[derive(Clone, Debug, Deserialize)]
pub struct Endpoints {
    /// The HTTP API.
    pub api_url: String,
    /// The AWS APIs.
    pub endpoint_url: String,
    /// The file of the certificate authority to trust there, where it is not one that everybody does.
    pub ca_certificate: Option<PathBuf>,
    /// The Region to sign requests for.
    pub region: String,
    /// The credentials to sign requests with.
    pub access_key_id: String,
    /// Their secret half.
    pub secret_access_key: String,
}

/// What is special about a deployment; by default, nothing.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// What it is for, in a word: its log is named after it.
    pub name: Option<&'static str>,
    /// Another template than the variant's own, in a file of the same name.
    pub template: Option<PathBuf>,
    /// How often things break in it, as `--chaos` takes it.
    pub faults: Option<String>,
    /// Whether functions get CPU time in proportion to their memory, where the system can impose it.
    pub limits_cpu: bool,
    /// Whether AWS's APIs are reached over TLS, as they are on AWS.
    pub tls: bool,
    /// Parameters of the template.
    pub parameters: Vec<(&'static str, u32)>,
}

impl Scene {
    /// Its name as the end of what it is called.
    pub fn suffix(&self) -> String {
        self.name.map_or_else(String::new, |name| format!(", {name}"))
    }
}

/// A deployment that runs. Dropping it ends it, if it was started here.
#[derive(Debug)]
pub struct Deployment {
    /// What to measure.
    pub target: Target,
    local_cloud: Option<LocalCloud>,
}

#[derive(Debug)]
struct LocalCloud {
    log: PathBuf,
    // Kept open: a local cloud that printed one line more would find a broken pipe.
    _stdout: BufReader<ChildStdout>,
    _process: Process,
}

impl Deployment {
    /// Builds what is not built, starts the variant, and waits until it answers. What the local cloud and its functions
    /// print goes to the log file.
    ///
    /// # Errors
    /// Fails when the deployment does not come up; the error ends with the last lines of the log.
    pub async fn start(variant: Variant, scene: &Scene, log: &Path, phase: &Phase) -> Result<Self> {
        let mut process = Process::spawn(variant, scene, log)?;
        let mut stdout = process.stdout()?;
        let line = tokio::select! {
            line = read_line(&mut stdout) => line,
            () = follow(log, phase) => None,
            () = tokio::time::sleep(START_LIMIT) => None,
        };
        let line = line.ok_or_else(|| failure(variant, log, "it never became ready"))?;
        let endpoints: Endpoints = serde_json::from_str(&line)
            .map_err(|error| failure(variant, log, &format!("it announced {line:?}: {error}")))?;
        // The local cloud calls its stack after the template.
        let target = Target::find(&Aws::at(&endpoints)?, variant.name(), variant).await?;
        Ok(Self {
            target: target.with_context(|| format!("the local cloud knows no stack {variant}"))?,
            local_cloud: Some(LocalCloud {
                log: log.to_owned(),
                _stdout: stdout,
                _process: process,
            }),
        })
    }

    /// Finds the variant's stack, which is deployed and stays so.
    ///
    /// # Errors
    /// Fails when it is not, or is not one of this variant.
    pub async fn find(variant: Variant, account: &Account) -> Result<Self> {
        let stack = account.stack(variant);
        let target = Target::find(&account.aws, &stack, variant).await?;
        let target = target.with_context(|| {
            format!(
                "there is no stack {stack} where the environment points to, {}: deploy it, or name another with --stack \
                 {variant}=NAME",
                account.aws.name()
            )
        })?;
        Ok(Self {
            target,
            local_cloud: None,
        })
    }

    /// Whether the local cloud gives functions no more CPU than goes with their memory: it says so in its log.
    ///
    /// # Errors
    /// Fails when the log cannot be read.
    pub fn imposes_cpu_shares(&self) -> Result<bool> {
        let Some(LocalCloud { log, .. }) = &self.local_cloud else {
            return Ok(false);
        };
        let log = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
        let log = String::from_utf8_lossy(&log);
        Ok(log.lines().any(|line| line == "infra: cpu limits are enforced"))
    }

    /// Where the log of this variant's deployment is kept below a folder; that of a special scene by itself.
    ///
    /// # Errors
    /// Fails when the folder cannot be made.
    pub fn log_file(folder: &Path, variant: Variant, scene: &Scene) -> Result<PathBuf> {
        let logs = folder.join("logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        Ok(logs.join(match scene.name {
            Some(scene) => format!("{variant}-{scene}.log"),
            None => format!("{variant}.log"),
        }))
    }
}

/// The first line, or nothing when there is none: the process has ended.
async fn read_line(stdout: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    let read = stdout.read_line(&mut line).await;
    (matches!(read, Ok(1..)) && line.ends_with('\n')).then(|| line.trim_end().to_owned())
}

/// Shows the last line of the log, again and again, for as long as it is waited for.
async fn follow(log: &Path, phase: &Phase) {
    loop {
        phase.detail(&last_lines(log, 1));
        tokio::time::sleep(LOG_INTERVAL).await;
    }
}

fn failure(variant: Variant, log: &Path, what: &str) -> anyhow::Error {
    anyhow!(
        "`cargo infra up {}` failed: {what}. Its log is {} and ends with:\n{}",
        variant.template(),
        log.display(),
        last_lines(log, LOG_LINES_SHOWN),
    )
}

fn last_lines(log: &Path, count: usize) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The child process. It is ended with its owner, whichever way that goes.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn spawn(variant: Variant, scene: &Scene, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = workspace::cargo();
        let template = scene.template.as_ref().map(|path| path.display().to_string());
        let template = template.unwrap_or_else(|| variant.template());
        command.args(["infra", "up", &template, "--json"]);
        if let Some(faults) = &scene.faults {
            command.args(["--chaos", faults]);
        }
        // Putting a process into a control group takes the kernel some ten milliseconds, in which no other can start. On AWS
        // there is no such thing: so nothing is limited where limits are not what is measured.
        command.args(["--limits", if scene.limits_cpu { "all" } else { "off" }]);
        if scene.tls {
            command.arg("--tls");
        }
        for (name, value) in &scene.parameters {
            command.args(["--parameter", &format!("{name}={value}")]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map(Self)
            .context("cannot run `cargo infra up`")
    }

    fn stdout(&mut self) -> Result<BufReader<ChildStdout>> {
        let stdout = self.0.stdout.take().context("standard output was taken before")?;
        Ok(BufReader::new(
            ChildStdout::from_std(stdout).context("cannot read from `cargo infra up`")?,
        ))
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    fn ask_to_end(&self) {
        // Cargo has become the program it runs, so the signal reaches it. An error means that it is gone already.
        if let Ok(id) = i32::try_from(self.0.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        self.ask_to_end();
        let begin = Instant::now();
        while begin.elapsed() < END_LIMIT {
            if self.has_ended() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        eprintln!(
            "The local cloud did not end on SIGTERM within {} s; killing it.",
            END_LIMIT.as_secs()
        );
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
