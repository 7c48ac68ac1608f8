//! Processes that are started here and must not outlive the local cloud.
//!
//! Each is the leader of a process group of its own, so that it can be frozen, thawed and killed together with
//! whatever it started. However the local cloud ends (return, panic, SIGKILL), [`reaper`] kills the groups that are
//! left. What they may use of the machine is the matter of [`limits`].

mod cgroup;
pub mod limits;
pub mod reaper;

use crate::say::say;
use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
    path::Path,
    process::{ExitStatus, Output, Stdio},
    sync::Arc,
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
    runtime::Handle,
    task::JoinHandle,
};

use limits::{Group, Limits};
use reaper::Reaper;

/// Where processes are started: what watches over them, and what limits them. Clones are the same host.
#[derive(Clone, Debug)]
pub struct Host {
    reaper: Reaper,
    limits: Limits,
}

impl Host {
    /// A host whose processes are limited so, and die with this one.
    ///
    /// # Errors
    ///
    /// The reaper could not be started.
    pub fn start(limits: Limits) -> io::Result<Self> {
        let reaper = Reaper::start(&limits.directories()).inspect_err(|_| limits.abandon())?;
        Ok(Self { reaper, limits })
    }

    /// Runs a tool to its end, as the leader of a new group, without limits. Answers what it printed to standard output; its
    /// standard error is the local cloud's own. Dropped before the end, it kills the group.
    ///
    /// # Errors
    ///
    /// It could not be started, or not be read.
    pub async fn output(&self, mut command: Command) -> io::Result<Output> {
        let mut leader = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipe = leader.stdout.take();
        let mut group = ProcessGroup::led_by(leader, self)?;
        let mut stdout = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut stdout).await?;
        }
        Ok(Output {
            status: group.leader.wait().await?,
            stdout,
            stderr: Vec::new(),
        })
    }
}

/// What to start.
#[derive(Debug)]
pub struct Program<'a> {
    /// The executable file.
    pub executable: &'a Path,
    /// Its whole environment: nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// Its working directory.
    pub directory: &'a Path,
    /// The memory that it may use, in MB, where that is enforced.
    pub memory_size: u32,
    /// Where its standard output and standard error go.
    pub output: OwnedFd,
}

/// A process group that was started here; killed when dropped.
#[derive(Debug)]
pub struct ProcessGroup {
    leader: Leader,
    group: Pid,
    reaper: Reaper,
    limited: Option<Arc<Group>>,
    /// Goes on until its CPU time is limited, where it is to be.
    admission: Option<JoinHandle<()>>,
}

impl ProcessGroup {
    /// Starts the program as the leader of a new group. It has to be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// The program could not be started.
    pub fn start(program: Program<'_>, host: &Host) -> io::Result<Self> {
        let limited = host.limits.group(program.memory_size)?.map(Arc::new);
        let leader = Command::new(program.executable)
            .env_clear()
            .envs(program.environment)
            .current_dir(program.directory)
            .stdin(Stdio::null())
            .stdout(program.output.try_clone()?)
            .stderr(program.output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let mut started = Self::led_by(leader, host)?;
        let id = started.group.as_raw();
        let admission = limited
            .as_ref()
            .map(|group| (group.admit(id), group.limits_cpu()));
        started.admission = admission.and_then(|(admission, limits_cpu)| limits_cpu.then_some(admission));
        started.limited = limited;
        limits::limit_open_files(id);
        Ok(started)
    }

    /// The group that this process leads.
    fn led_by(leader: Child, host: &Host) -> io::Result<Self> {
        let id = leader
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .ok_or_else(|| io::Error::other("it ended at once"))?;
        host.reaper.watch(id);
        Ok(Self {
            leader: Leader(Some(leader)),
            group: Pid::from_raw(id),
            reaper: host.reaper.clone(),
            limited: None,
            admission: None,
        })
    }

    /// Returns once the process gets no more CPU time than it may; at once where that is not limited.
    pub async fn cpu_is_limited(&mut self) {
        if let Some(admission) = self.admission.take() {
            // Where it failed, it has said so.
            let _ = admission.await;
        }
    }

    /// Stops every process of the group where it is.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets every process of the group go on.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Waits until the leader has ended. Says how, in Lambda's words. Cancel safe.
    pub async fn ended(&mut self) -> String {
        use std::os::unix::process::ExitStatusExt as _;
        match self.leader.wait().await {
            Ok(status) => match (
                status.code(),
                status.signal().and_then(|signal| Signal::try_from(signal).ok()),
            ) {
                (Some(code), _) => format!("exit status {code}"),
                (None, Some(Signal::SIGKILL)) => "signal: killed".to_owned(),
                (None, Some(signal)) => format!("signal: {signal}"),
                (None, None) => "an unknown status".to_owned(),
            },
            Err(error) => format!("an unknown status: {error}"),
        }
    }

    /// Whether the leader has ended already.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.leader.try_wait(), Ok(None))
    }

    /// Kills every process of the group.
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// Asks the leader to end.
    pub fn terminate(&self) {
        if let Err(error) = kill(self.group, Signal::SIGTERM)
            && error != Errno::ESRCH
        {
            say!("infra: cannot send SIGTERM to process {}: {error}", self.group);
        }
    }

    /// The most memory that the leader has had resident, in MB; once it has ended, what was charged to its control
    /// group. Nothing where the system does not say.
    pub fn peak_memory(&self) -> Option<u64> {
        let resident = || {
            // At the end of each invocation, so with one read and no more.
            let mut status = [0; 4096];
            let mut file = File::open(format!("/proc/{}/status", self.group)).ok()?;
            let length = file.read(&mut status).ok()?;
            let status = std::str::from_utf8(&status[..length]).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
            Some(kibibytes.div_ceil(1024))
        };
        let charged = || Some(self.limited.as_ref()?.peak_memory()?.div_ceil(1024 * 1024));
        resident().or_else(charged)
    }

    /// Whether a process of the group was killed because it wanted more memory than it may use.
    pub fn ran_out_of_memory(&self) -> bool {
        self.limited
            .as_ref()
            .is_some_and(|group| group.ran_out_of_memory())
    }

    fn signal(&self, signal: Signal) {
        match killpg(self.group, signal) {
            // Nobody is left in the group.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => say!(
                "infra: cannot send {signal} to process group {}: {error}",
                self.group
            ),
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
        self.reaper.forget(self.group.as_raw());
    }
}

/// The first process of a group. When it is dropped it is still waited for, in the background: Tokio looks after a child that
/// nobody waits for when it next hears of the end of any, and of this one's it may have heard already. It would stay as a
/// zombie, the last one for good.
#[derive(Debug)]
struct Leader(Option<Child>);

impl Leader {
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child()?.wait().await
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child()?.try_wait()
    }

    /// It is gone only while it is dropped.
    fn child(&mut self) -> io::Result<&mut Child> {
        self.0.as_mut().ok_or_else(|| io::Error::other("it was dropped"))
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { child.wait().await });
        }
    }
}
