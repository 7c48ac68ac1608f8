//! Control groups, as far as limits on memory and CPU need them: where this process may make groups of its own, and
//! the files that a limit is written to. Both versions of the kernel's interface
//! (<https://docs.kernel.org/admin-guide/cgroup-v2.html>, <https://docs.kernel.org/admin-guide/cgroup-v1/index.html>).

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// What a control group can limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Cpu,
}

/// The versions of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A folder of this program's own in a controller's hierarchy. The groups of the environments are made in it.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    version: Version,
    pub(super) directory: PathBuf,
}

/// A limit, in the units of the control files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    MemoryBytes(u64),
    /// So much of each period, both in microseconds.
    CpuTime {
        quota: u64,
        period: u64,
    },
}

/// A place in the file system where a controller's groups are.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// Which part of the hierarchy is visible there.
    root: PathBuf,
    point: PathBuf,
}

impl Controller {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }
}

impl Parent {
    /// Makes a folder of that name for the controller.
    pub(super) fn create(controller: Controller, name: &str) -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let membership = fs::read_to_string("/proc/self/cgroup")?;
        let (mount, own) = find(controller, &mounts, &membership)
            .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "no such controller is mounted"))?;
        match mount.version {
            Version::One => {
                let directory = own.join(name);
                make(&directory)?;
                Ok(Self {
                    version: Version::One,
                    directory,
                })
            }
            Version::Two => Self::create_in_version_two(controller, &mount, &own, name),
        }
    }

    /// In version 2, a group that holds processes cannot have groups with limits in it. So the folder stands beside
    /// this process's own group, where there is room and permission.
    fn create_in_version_two(
        controller: Controller,
        mount: &Mount,
        own: &Path,
        name: &str,
    ) -> io::Result<Self> {
        let beside = own
            .parent()
            .filter(|parent| parent.starts_with(&mount.point) && own != mount.point);
        let directory = beside.unwrap_or(own).join(name);
        let is_new = make(&directory)?;
        let enabled = write(
            &directory,
            "cgroup.subtree_control",
            &format!("+{}", controller.name()),
        );
        if enabled.is_err() && is_new {
            let _ = fs::remove_dir(&directory);
        }
        enabled.map(|()| Self {
            version: Version::Two,
            directory,
        })
    }

    /// Makes a group with a limit.
    pub(super) fn group(&self, name: &str, limit: Limit) -> io::Result<PathBuf> {
        let directory = self.directory.join(name);
        make(&directory)?;
        self.set(&directory, limit)?;
        Ok(directory)
    }

    fn set(&self, group: &Path, limit: Limit) -> io::Result<()> {
        match (self.version, limit) {
            (Version::One, Limit::MemoryBytes(bytes)) => {
                write(group, "memory.limit_in_bytes", &bytes.to_string())?;
                // Where the kernel counts swap too: none.
                let _ = write(group, "memory.memsw.limit_in_bytes", &bytes.to_string());
            }
            (Version::Two, Limit::MemoryBytes(bytes)) => {
                write(group, "memory.max", &bytes.to_string())?;
                let _ = write(group, "memory.swap.max", "0");
                // An environment is lost as a whole.
                let _ = write(group, "memory.oom.group", "1");
            }
            (Version::One, Limit::CpuTime { quota, period }) => {
                write(group, "cpu.cfs_period_us", &period.to_string())?;
                write(group, "cpu.cfs_quota_us", &quota.to_string())?;
            }
            (Version::Two, Limit::CpuTime { quota, period }) => {
                write(group, "cpu.max", &format!("{quota} {period}"))?;
            }
        }
        Ok(())
    }

    /// The most memory that was ever charged to a group, in bytes.
    pub(super) fn peak_memory(&self, group: &Path) -> Option<u64> {
        let file = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()
    }

    /// Whether a process of the group was killed because the group was at its limit.
    pub(super) fn ran_out_of_memory(&self, group: &Path) -> bool {
        let file = match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let events = fs::read_to_string(group.join(file)).unwrap_or_default();
        events
            .lines()
            .filter_map(|line| line.strip_prefix("oom_kill "))
            .any(|count| count.trim() != "0")
    }
}

/// Makes a folder, which may be there already for another controller. Answers whether it is new.
fn make(directory: &Path) -> io::Result<bool> {
    match fs::create_dir(directory) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Puts a process into a group.
pub(super) fn enter(group: &Path, process: i32) -> io::Result<()> {
    write(group, "cgroup.procs", &process.to_string())
}

fn write(group: &Path, file: &str, value: &str) -> io::Result<()> {
    // Control files are there from the beginning; they are not created.
    let mut file = fs::OpenOptions::new().write(true).open(group.join(file))?;
    io::Write::write_all(&mut file, value.as_bytes())
}

/// Where a controller is mounted, and the folder of this process's own group there.
fn find(controller: Controller, mountinfo: &str, membership: &str) -> Option<(Mount, PathBuf)> {
    let mounts: Vec<(Mount, &str)> = mountinfo.lines().filter_map(mount).collect();
    let has = |options: &str| options.split(',').any(|option| option == controller.name());
    for line in membership.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let version = if controllers.is_empty() {
            Version::Two
        } else {
            Version::One
        };
        if version == Version::One && !has(controllers) {
            continue;
        }
        let found = mounts
            .iter()
            .find(|(mount, options)| mount.version == version && (version == Version::Two || has(options)));
        let Some((mount, _)) = found else { continue };
        let own = mount.point.join(Path::new(path).strip_prefix(&mount.root).ok()?);
        if version == Version::Two && !is_available(controller, &own) {
            continue;
        }
        let Mount { root, point, .. } = mount;
        return Some((
            Mount {
                version,
                root: root.clone(),
                point: point.clone(),
            },
            own,
        ));
    }
    None
}

/// Whether groups beside or below this one can have the controller.
fn is_available(controller: Controller, own: &Path) -> bool {
    let controllers = fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default();
    controllers
        .split_whitespace()
        .any(|name| name == controller.name())
}

/// A line of `mountinfo` (<https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>) that mounts control
/// groups, with the options that name version 1's controllers.
fn mount(line: &str) -> Option<(Mount, &str)> {
    let (place, kind) = line.split_once(" - ")?;
    let mut kind = kind.split(' ');
    let version = match kind.next()? {
        "cgroup" => Version::One,
        "cgroup2" => Version::Two,
        _ => return None,
    };
    let options = kind.nth(1)?;
    let mut place = place.split(' ').skip(3);
    let (root, point) = (place.next()?.into(), place.next()?.into());
    Some((Mount { version, root, point }, options))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION_ONE: &str = "\
20 1 0:19 / /proc rw,nosuid - proc proc rw
31 29 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
32 29 0:28 /docker/x /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
";

    #[test]
    fn version_one_has_a_hierarchy_for_each_controller() {
        let membership = "5:cpu,cpuacct:/user.slice\n4:memory:/docker/x/y\n0::/\n";
        let (mount, own) = find(Controller::Cpu, VERSION_ONE, membership).unwrap();
        assert_eq!(mount.version, Version::One);
        assert_eq!(own, Path::new("/sys/fs/cgroup/cpu,cpuacct/user.slice"));
        // Only a part of the hierarchy is visible in a container.
        let (_, own) = find(Controller::Memory, VERSION_ONE, membership).unwrap();
        assert_eq!(own, Path::new("/sys/fs/cgroup/memory/y"));
    }

    #[test]
    fn version_two_counts_only_where_it_has_the_controller() {
        let point = tempfile::tempdir().unwrap();
        let own = point.path().join("app.slice");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("cgroup.controllers"), "cpu memory pids\n").unwrap();
        let mounts = format!(
            "30 23 0:26 / {} rw - cgroup2 cgroup2 rw,nsdelegate\n",
            point.path().display()
        );
        let (mount, found) = find(Controller::Memory, &mounts, "0::/app.slice\n").unwrap();
        assert_eq!((mount.version, found), (Version::Two, own.clone()));
        fs::write(own.join("cgroup.controllers"), "pids\n").unwrap();
        assert_eq!(find(Controller::Memory, &mounts, "0::/app.slice\n"), None);
    }

    #[test]
    fn a_system_without_control_groups_has_none() {
        assert_eq!(
            find(Controller::Memory, "20 1 0:19 / /proc rw - proc proc rw\n", ""),
            None
        );
    }
}
