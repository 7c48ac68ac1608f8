//! Installing and running the other programs. Each is a process group of its own, and ends with the bench.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use benches::workspace;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

const PACKAGES: [&str; 3] = ["ministack==1.5.33", "cargo-lambda==1.9.2", "moto[server]==5.2.5"];

/// How long a program may take until it answers; `cargo-lambda` may have to build first.
const START_LIMIT: Duration = Duration::from_mins(10);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A Python environment with the programs in it.
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Makes it below Cargo's folder, unless it is there.
    pub(crate) fn install() -> Result<Self> {
        let folder = workspace::target_directory()?.join("peers");
        let environment = Self { folder };
        if !environment.path("pip").exists() {
            run(Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment.folder))?;
        }
        run(Command::new(environment.path("pip"))
            .args(["install", "--quiet"])
            .args(PACKAGES))?;
        Ok(environment)
    }

    fn path(&self, program: &str) -> PathBuf {
        self.folder.join("bin").join(program)
    }

    /// A program with a port of its own, which becomes arguments and variables. It is not started yet.
    pub(crate) fn program(
        &self,
        name: &str,
        arguments: &[&str],
        port: impl Fn(u16) -> (Vec<String>, Vec<(&'static str, String)>),
    ) -> Result<Program> {
        let free = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let (more_arguments, variables) = port(free);
        let arguments = arguments.iter().map(ToString::to_string).chain(more_arguments);
        Ok(Program {
            url: format!("http://127.0.0.1:{free}"),
            port: free,
            path: self.path(name),
            arguments: arguments.collect(),
            variables,
            log: self.folder.join(format!("{name}.log")),
            process: Mutex::new(None),
        })
    }

    /// A deployment package.
    pub(crate) fn zip_as_bootstrap(&self, binary: &Path) -> Result<Vec<u8>> {
        let (bootstrap, package) = (self.folder.join("bootstrap"), self.folder.join("package.zip"));
        fs::copy(binary, &bootstrap).with_context(|| format!("cannot read {}", binary.display()))?;
        let mut zip = Command::new(self.path("python"));
        run(zip.args(["-m", "zipfile", "-c"]).arg(&package).arg(&bootstrap))?;
        Ok(fs::read(package)?)
    }
}

/// One program; it ends when it is dropped.
pub(crate) struct Program {
    pub(crate) url: String,
    port: u16,
    path: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    log: PathBuf,
    process: Mutex<Option<Group>>,
}

impl Program {
    /// Ends it, if it runs, and starts it. When this returns, it takes connections.
    pub(crate) async fn restart(&self) -> Result<()> {
        let log = File::create(&self.log)?;
        {
            let mut process = self.process.lock().ok().context("a bench panicked")?;
            *process = None;
            let started = Command::new(&self.path)
                .args(&self.arguments)
                .envs(self.variables.iter().map(|(name, value)| (name, value)))
                .current_dir(workspace::root())
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .process_group(0)
                .spawn()
                .with_context(|| format!("cannot start {}", self.path.display()))?;
            *process = Some(Group::of(started)?);
        }
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            if begin.elapsed() > START_LIMIT {
                bail!("it does not answer; see {}", self.log.display());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }
}

/// The groups that run.
static RUNNING: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// Sees to it that Ctrl-C ends them too, which reaches the bench's own group alone.
pub(crate) fn end_with_ctrl_c(runtime: &Runtime) {
    runtime.spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            running().iter().for_each(|group| end(*group));
            std::process::exit(130);
        }
    });
}

fn running() -> MutexGuard<'static, BTreeSet<Pid>> {
    // Each change of it is one call, so it is whole whatever panicked.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end(group: Pid) {
    // It may be gone already.
    let _ = killpg(group, Signal::SIGKILL);
}

/// A process, and those that it started.
struct Group {
    process: Child,
    id: Pid,
}

impl Group {
    fn of(process: Child) -> Result<Self> {
        let id = Pid::from_raw(process.id().try_into()?);
        running().insert(id);
        Ok(Self { process, id })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        end(self.id);
        let _ = self.process.wait();
        running().remove(&self.id);
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
