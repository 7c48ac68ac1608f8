//! The two programs that build and deploy: SAM's and cargo-lambda.

use std::{env, fmt, io, path::PathBuf, process::Command};

use anyhow::{Context as _, bail};

/// A program that has to be there.
pub(super) struct Tool {
    program: &'static str,
    /// The arguments with which it tells its version.
    arguments: &'static [&'static str],
    /// The oldest version that will do: that with which deploying was tried. SAM's builds Rust without a beta flag only
    /// since the end of 2025 (<https://github.com/aws/aws-sam-cli/pull/8526>).
    oldest: Version,
    /// What installs it.
    installation: &'static str,
}

pub(super) const SAM: Tool = Tool {
    program: "sam",
    arguments: &["--version"],
    oldest: Version(1, 170, 0),
    installation: "pip install --upgrade aws-sam-cli",
};

pub(super) const CARGO_LAMBDA: Tool = Tool {
    program: "cargo-lambda",
    arguments: &["lambda", "--version"],
    oldest: Version(1, 9, 0),
    installation: "pip install --upgrade cargo-lambda",
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Tool {
    /// Checks that it is there and new enough.
    ///
    /// # Errors
    ///
    /// It is not; the error says what installs it.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let Self {
            program,
            oldest,
            installation,
            ..
        } = self;
        let output = match Command::new(program).args(self.arguments).output() {
            Ok(output) => output,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("{program} is not installed; this installs it: {installation}")
            }
            Err(error) => return Err(error).context(*program),
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let version = Version::in_text(&text).with_context(|| {
            format!("{program} does not tell its version; this installs it anew: {installation}")
        })?;
        if version < *oldest {
            bail!(
                "{program} has version {version}, and {oldest} is needed; this installs it: {installation}"
            );
        }
        Ok(())
    }
}

impl Version {
    /// The first version that a text names.
    fn in_text(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut parts = word.split('.').map(|part| part.parse().ok());
            let version = Self(parts.next()??, parts.next()??, parts.next()??);
            parts.next().is_none().then_some(version)
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(formatter, "{major}.{minor}.{patch}")
    }
}

/// The folder of the workspace, where `samconfig.toml` is.
pub(super) fn workspace() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(PathBuf::from).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared() {
        for (text, expected) in [
            ("SAM CLI, version 1.170.0\n", Some(Version(1, 170, 0))),
            ("cargo-lambda 1.9.1 (0b4c1a2 2026-01-01Z)", Some(Version(1, 9, 1))),
            ("no version", None),
            ("1.2.3.4", None),
        ] {
            assert_eq!(Version::in_text(text), expected, "{text}");
        }
        assert!(Version(1, 99, 9) < Version(1, 170, 0));
    }

    #[test]
    fn what_is_missing_is_named_with_what_installs_it() {
        let tool = Tool {
            program: "no-such-program-anywhere",
            ..SAM
        };
        let error = tool.check().unwrap_err().to_string();
        assert!(
            error.contains("no-such-program-anywhere is not installed"),
            "{error}"
        );
        assert!(error.contains("pip install --upgrade aws-sam-cli"), "{error}");
    }
}
