//! What a function may use of the machine: memory and CPU by control groups ([`super::cgroup`]), where the system
//! permits it, and open files.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use clap::ValueEnum;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::process::{Pid, Resource as ProcessResource, Rlimit, prlimit};
use tokio::task::JoinHandle;

use super::cgroup::{self, Controller, Limit, Parent};
use crate::say::say;

/// The memory that goes with one whole vCPU, in MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
const MEMORY_OF_ONE_CPU: u64 = 1_769;

/// CPU time is given out by this period, in microseconds. AWS does not document its own.
const CPU_PERIOD: u64 = 20_000;

/// The least that the kernel takes as a quota, in microseconds.
const SMALLEST_CPU_QUOTA: u64 = 1_000;

/// Files that a function may have open
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const OPEN_FILES: u64 = 1_024;

/// Which limits are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Enforcement {
    /// No limits: a function may use what the machine has
    Off,
    /// A function that uses more memory than it has is killed
    #[default]
    Memory,
    /// A function gets CPU time in proportion to its memory
    Cpu,
    /// Both
    All,
}

/// The limits that are enforced. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    memory: Option<Parent>,
    cpu: Option<Parent>,
    groups: Arc<Groups>,
}

/// The groups that were made.
#[derive(Debug, Default)]
struct Groups {
    made: AtomicU64,
    /// Those that could not be removed yet: a process takes a moment to die.
    left: Mutex<Vec<PathBuf>>,
}

/// The groups of one environment; removed when dropped, or soon after.
#[derive(Debug)]
pub(super) struct Group {
    limits: Limits,
    memory: Option<PathBuf>,
    cpu: Option<PathBuf>,
}

impl Limits {
    /// Prepares what is wanted, as far as the system permits it. Says on standard error what that is.
    pub fn prepare(wanted: Enforcement) -> Self {
        let name = format!("infra-{}", std::process::id());
        let prepare = |controller, is_wanted: bool| {
            if !is_wanted {
                return None;
            }
            match Parent::create(controller, &name) {
                Ok(parent) => {
                    say!("infra: {} limits are enforced", controller.name());
                    Some(parent)
                }
                Err(error) => {
                    say!(
                        "infra: {} limits are not enforced: control groups: {error}",
                        controller.name()
                    );
                    None
                }
            }
        };
        Self {
            memory: prepare(
                Controller::Memory,
                matches!(wanted, Enforcement::Memory | Enforcement::All),
            ),
            cpu: prepare(
                Controller::Cpu,
                matches!(wanted, Enforcement::Cpu | Enforcement::All),
            ),
            groups: Arc::default(),
        }
    }

    /// The folders that are to be removed when all processes are gone.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        self.memory
            .iter()
            .chain(&self.cpu)
            .map(|parent| parent.directory.clone())
            .collect()
    }

    /// Removes the folders, which nobody uses yet.
    pub(super) fn abandon(&self) {
        for directory in self.directories() {
            // What cannot be removed is empty and does no harm.
            let _ = std::fs::remove_dir(directory);
        }
    }

    /// The groups of an environment with `memory_size` MB; nothing where nothing is enforced.
    pub(super) fn group(&self, memory_size: u32) -> std::io::Result<Option<Group>> {
        self.remove_left();
        let number = self.groups.made.fetch_add(1, Ordering::Relaxed).to_string();
        let make = |parent: &Option<Parent>, limit| {
            parent
                .as_ref()
                .map(|parent| parent.group(&number, limit))
                .transpose()
        };
        let memory_size = u64::from(memory_size);
        let memory = make(&self.memory, Limit::MemoryBytes(memory_size * 1024 * 1024))?;
        let cpu = make(
            &self.cpu,
            Limit::CpuTime {
                quota: cpu_quota(memory_size),
                period: CPU_PERIOD,
            },
        )?;
        let group = Group {
            limits: self.clone(),
            memory,
            cpu,
        };
        Ok((group.memory.is_some() || group.cpu.is_some()).then_some(group))
    }

    fn remove_left(&self) {
        let mut left = self.groups.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|directory| std::fs::remove_dir(directory).is_err() && directory.exists());
    }
}

impl Group {
    /// Has a process put into the groups, in the background: the kernel takes some ten milliseconds for it, and init is
    /// not to wait so long. What the process does until then is not limited, and not counted.
    pub(super) fn admit(self: &Arc<Self>, process: i32) -> JoinHandle<()> {
        let group = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let mut directories = group.memory.iter().chain(&group.cpu);
            let entered = directories.try_for_each(|directory| cgroup::enter(directory, process));
            if let Err(error) = entered
                && Path::new(&format!("/proc/{process}")).exists()
            {
                say!("infra: process {process} is not limited: {error}");
            }
        })
    }

    /// Whether CPU time is limited.
    pub(super) fn limits_cpu(&self) -> bool {
        self.cpu.is_some()
    }

    /// The most memory that the environment ever used, in bytes.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        self.limits.memory.as_ref()?.peak_memory(self.memory.as_deref()?)
    }

    /// Whether a process was killed for want of memory.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        let group = self.limits.memory.as_ref().zip(self.memory.as_deref());
        group.is_some_and(|(parent, group)| parent.ran_out_of_memory(group))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let directories = self.memory.take().into_iter().chain(self.cpu.take());
        self.limits
            .groups
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(directories);
        self.limits.remove_left();
    }
}

/// The part of [`CPU_PERIOD`] that an environment with so much memory may use; more than all of it is more than one
/// vCPU.
fn cpu_quota(memory_size: u64) -> u64 {
    (CPU_PERIOD * memory_size / MEMORY_OF_ONE_CPU).max(SMALLEST_CPU_QUOTA)
}

/// Lets this process have as many files open as the system permits: each environment takes several.
pub fn raise_open_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE)
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, most, most)
    {
        say!("infra: the limit of open files stays as it is: {error}");
    }
}

/// Gives a function's process the limit of open files that Lambda has.
pub(super) fn limit_open_files(process: i32) {
    let limit = Rlimit {
        current: Some(OPEN_FILES),
        maximum: Some(OPEN_FILES),
    };
    // Where the system has a lower one, that one stays.
    let _ = Pid::from_raw(process).map(|process| prlimit(Some(process), ProcessResource::Nofile, limit));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_comes_in_proportion_to_memory() {
        assert_eq!(cpu_quota(1_769), CPU_PERIOD);
        assert_eq!(cpu_quota(2 * 1_769), 2 * CPU_PERIOD);
        assert_eq!(cpu_quota(128), 1_447);
    }

    #[test]
    fn nothing_is_made_where_nothing_is_enforced() {
        assert!(Limits::default().group(128).unwrap().is_none());
    }
}
