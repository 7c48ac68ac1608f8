//! A second process that outlives the local cloud by a moment, to kill what it left behind.
//!
//! It reads from a pipe which process groups exist. The pipe ends when the local cloud does, in whatever way, even by
//! SIGKILL; then the reaper kills the groups and ends too. Nothing of this needs the local cloud's cooperation at the
//! time of its death.

use std::{
    collections::HashSet,
    fs,
    io::{self, BufRead as _, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// The hidden subcommand that makes this program the reaper.
pub const SUBCOMMAND: &str = "reaper";

/// How often, and how far apart, the removal of a control group is tried.
const REMOVALS: u32 = 200;
const REMOVAL_DELAY: Duration = Duration::from_millis(10);

/// A handle on the reaper. When the last one is dropped, the reaper does its work, and is waited for.
#[derive(Clone, Debug)]
pub struct Reaper {
    process: Arc<Mutex<ReaperProcess>>,
}

#[derive(Debug)]
struct ReaperProcess(Child);

impl Reaper {
    /// Starts this program again, as the reaper. It also removes those control groups, with the groups in them.
    ///
    /// # Errors
    ///
    /// The program could not be started.
    pub(super) fn start(control_groups: &[PathBuf]) -> io::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .arg(SUBCOMMAND)
            .args(control_groups)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // A group of its own: Ctrl-C reaches the terminal's group and must not reach the reaper.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            process: Arc::new(Mutex::new(ReaperProcess(child))),
        })
    }

    pub(super) fn watch(&self, group: i32) {
        self.order('+', group);
    }

    pub(super) fn forget(&self, group: i32) {
        self.order('-', group);
    }

    fn order(&self, sign: char, group: i32) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = &mut process.0.stdin {
            // Where somebody killed the reaper, the groups are still killed when they are dropped.
            let _ = writeln!(orders, "{sign}{group}");
        }
    }
}

impl Drop for ReaperProcess {
    fn drop(&mut self) {
        // The end of its standard input is its signal.
        drop(self.0.stdin.take());
        // It cannot fail in a way that could be mended here.
        let _ = self.0.wait();
    }
}

/// The reaper itself: follows the orders on standard input until they end, then kills every group that is left, and
/// removes the control groups.
///
/// # Errors
///
/// Standard input could not be read; the groups are killed all the same.
pub fn run(control_groups: &[PathBuf]) -> io::Result<()> {
    let mut groups = HashSet::new();
    let read = io::stdin().lock().lines().try_for_each(|line| {
        let line = line?;
        match (
            line.get(..1),
            line.get(1..).and_then(|group| group.parse::<i32>().ok()),
        ) {
            (Some("+"), Some(group)) => groups.insert(group),
            (Some("-"), Some(group)) => groups.remove(&group),
            _ => false,
        };
        Ok(())
    });
    for group in groups {
        // A group that is gone already is what we want.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    for group in control_groups {
        remove(group);
    }
    read
}

/// Removes a control group and those in it. While processes are dying in it, it cannot be removed.
fn remove(control_group: &Path) {
    for _ in 0..REMOVALS {
        for entry in control_group.read_dir().into_iter().flatten().flatten() {
            // The files in it cannot be removed, and need not be.
            let _ = fs::remove_dir(entry.path());
        }
        if fs::remove_dir(control_group).is_ok() || !control_group.exists() {
            return;
        }
        thread::sleep(REMOVAL_DELAY);
    }
}
