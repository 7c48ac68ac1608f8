//! What the comparison was measured on, and with which code: figures mean little without.

use std::fs;
use std::process::Command;
use std::thread;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workspace;

/// What follows the commit where files differ from it.
const DIRTY: &str = "-dirty";

/// The machine, the compiler and the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// The processor's model.
    pub cpu: String,
    /// How many cores this program may use; 0 where that is unknown.
    pub cores: usize,
    /// Main memory; 0 where that is unknown.
    pub memory_bytes: u64,
    /// The operating system and its kernel.
    pub os: String,
    /// The compiler.
    pub rustc: String,
    /// The commit of the workspace, with `-dirty` where files differ from it.
    pub commit: String,
}

impl Machine {
    /// This machine. What cannot be found out is said to be unknown.
    pub fn this() -> Self {
        Self {
            cpu: cpu().unwrap_or_else(unknown),
            cores: thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: memory_bytes().unwrap_or(0),
            os: os().unwrap_or_else(unknown),
            rustc: output_of("rustc", &["--version"]).unwrap_or_else(unknown),
            commit: commit().unwrap_or_else(unknown),
        }
    }

    /// Whether both were of the same code, as far as that is known: of one commit, without changes to it.
    pub fn has_same_code(&self, other: &Self) -> bool {
        self.commit == other.commit && self.commit != unknown() && !self.commit.ends_with(DIRTY)
    }
}

fn unknown() -> String {
    "unknown".into()
}

fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    field(&info, "model name", ':').or_else(|| output_of("sysctl", &["-n", "machdep.cpu.brand_string"]))
}

fn memory_bytes() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    if let Some(kibibytes) = field(&info, "MemTotal", ':') {
        return Some(kibibytes.strip_suffix(" kB")?.parse::<u64>().ok()? * 1024);
    }
    output_of("sysctl", &["-n", "hw.memsize"])?.parse().ok()
}

fn os() -> Option<String> {
    let kernel = output_of("uname", &["-srm"])?;
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    match field(&release, "PRETTY_NAME", '=') {
        Some(name) => Some(format!("{}, {kernel}", name.trim_matches('"'))),
        None => Some(kernel),
    }
}

fn commit() -> Option<String> {
    let commit = output_of("git", &["rev-parse", "HEAD"])?;
    let changes = output_of("git", &["status", "--porcelain"]).is_some();
    Some(if changes { commit + DIRTY } else { commit })
}

/// The value of the first line `name` `separator` `value`.
fn field(text: &str, name: &str, separator: char) -> Option<String> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(separator)?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

/// What a command prints; `None` when that is nothing or the command fails.
fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(workspace::root())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "model\t\t: 85\nmodel name\t: Some CPU @ 2.5: fast\nmodel name\t: another";
        assert_eq!(
            field(text, "model name", ':').as_deref(),
            Some("Some CPU @ 2.5: fast")
        );
        assert_eq!(field(text, "name", ':'), None);
    }

    #[test]
    fn code_is_the_same_only_where_it_is_known() {
        let of = |commit: &str| Machine {
            commit: commit.to_owned(),
            ..Machine::this()
        };
        assert!(of("abc").has_same_code(&of("abc")));
        for (one, other) in [("abc", "def"), ("abc-dirty", "abc-dirty"), ("unknown", "unknown")] {
            assert!(!of(one).has_same_code(&of(other)), "{one}");
        }
    }

    #[test]
    fn a_command_that_fails_gives_nothing() {
        assert_eq!(output_of("false", &[]), None);
        assert_eq!(output_of("no-such-program", &[]), None);
    }

    #[test]
    fn this_machine_is_described() {
        let machine = Machine::this();
        assert!(machine.cores > 0);
        assert!(machine.rustc.starts_with("rustc "), "{}", machine.rustc);
    }
}
