//! A second process that outlives the local cloud by a moment, to kill what it left behind.
//!
//! It reads from a pipe which process groups exist. The pipe ends when the local cloud does, in whatever way, even by
//! SIGKILL; then the reaper kills the groups and ends too. Nothing of this needs the local cloud's cooperation at the
//! time of its death.

use std::{
    collections::HashSet,
    io::{self, BufRead as _, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// The hidden subcommand that makes this program the reaper.
pub const SUBCOMMAND: &str = "reaper";

/// A handle on the reaper. When the last one is dropped, the reaper does its work, and is waited for.
#[derive(Clone, Debug)]
pub struct Reaper {
    process: Arc<Mutex<ReaperProcess>>,
}

#[derive(Debug)]
struct ReaperProcess(Child);

impl Reaper {
    /// Starts this program again, as the reaper.
    ///
    /// # Errors
    ///
    /// The program could not be started.
    pub fn start() -> io::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .arg(SUBCOMMAND)
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

/// The reaper itself: follows the orders on standard input until they end, then kills every group that is left.
///
/// # Errors
///
/// Standard input could not be read; the groups are killed all the same.
pub fn run() -> io::Result<()> {
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
    read
}
