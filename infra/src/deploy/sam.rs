//! Runs SAM's command line on one stack. Flags that are the same for every stack are in `samconfig.toml`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::tools::workspace;

/// A stack in an account and a Region.
#[derive(Debug)]
pub(super) struct Sam {
    pub(super) stack_name: String,
    pub(super) region: Option<String>,
    pub(super) profile: Option<String>,
}

/// An output of a stack, as `sam list stack-outputs` prints it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    pub(super) output_key: String,
    pub(super) output_value: String,
}

impl Sam {
    /// Builds the functions of a template. Answers the template that deploys them.
    pub(super) fn build(&self, template: &Path, parameters: &[(String, String)]) -> anyhow::Result<PathBuf> {
        let directory = workspace().join("target/sam").join(&self.stack_name);
        let mut command = self.command(&["build"]);
        command.arg("--template-file").arg(template);
        command.arg("--build-dir").arg(&directory);
        run(with_overrides(command, parameters))?;
        Ok(directory.join("template.yaml"))
    }

    /// Creates or updates the stack.
    pub(super) fn deploy(
        &self,
        template: &Path,
        parameters: &[(String, String)],
        is_guided: bool,
    ) -> anyhow::Result<()> {
        let mut command = self.on_the_stack(&["deploy"]);
        command.arg("--template-file").arg(template);
        if is_guided {
            command.arg("--guided");
        }
        run(with_overrides(command, parameters))
    }

    /// What the stack tells of itself.
    pub(super) fn outputs(&self) -> anyhow::Result<Vec<Output>> {
        let mut command = self.on_the_stack(&["list", "stack-outputs"]);
        command.args(["--output", "json"]).stderr(Stdio::inherit());
        let output = command.output().context("sam")?;
        if !output.status.success() {
            bail!(
                "`sam list stack-outputs` failed: is there a stack {}?",
                self.stack_name
            );
        }
        serde_json::from_slice(&output.stdout).context("`sam list stack-outputs` printed no JSON")
    }

    /// Prints what the functions have logged.
    pub(super) fn logs(&self, is_followed: bool) -> anyhow::Result<()> {
        let mut command = self.on_the_stack(&["logs"]);
        if is_followed {
            command.arg("--tail");
        }
        run(command)
    }

    /// Deletes the stack, and what it has in SAM's bucket.
    pub(super) fn delete(&self, is_confirmed: bool) -> anyhow::Result<()> {
        let mut command = self.on_the_stack(&["delete"]);
        if is_confirmed {
            command.arg("--no-prompts");
        }
        run(command)
    }

    fn on_the_stack(&self, subcommand: &[&str]) -> Command {
        let mut command = self.command(subcommand);
        command.args(["--stack-name", &self.stack_name]);
        command
    }

    fn command(&self, subcommand: &[&str]) -> Command {
        let mut command = Command::new("sam");
        command.current_dir(workspace()).args(subcommand);
        for (flag, value) in [("--region", &self.region), ("--profile", &self.profile)] {
            if let Some(value) = value {
                command.args([flag, value]);
            }
        }
        command
    }
}

fn with_overrides(mut command: Command, parameters: &[(String, String)]) -> Command {
    if !parameters.is_empty() {
        command.arg("--parameter-overrides").arg(overrides(parameters));
    }
    command
}

/// All of them in one argument, each value in quotes.
fn overrides(parameters: &[(String, String)]) -> String {
    let mut text = String::new();
    for (key, value) in parameters {
        let value = value.replace('"', "\\\"");
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{}{key}=\"{value}\"",
            if text.is_empty() { "" } else { " " }
        );
    }
    text
}

/// Runs it to its end. An error names the subcommand alone: a parameter may be a secret.
fn run(mut command: Command) -> anyhow::Result<()> {
    let status = command.status().context("sam")?;
    if !status.success() {
        let subcommand = command.get_args().next().unwrap_or_default();
        bail!("`sam {}` ended with {status}", subcommand.to_string_lossy());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_parameters_may_hold_anything() {
        let parameters = [("A", "1"), ("B", "two words"), ("C", r#"a "b" \c"#)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(overrides(&parameters), r#"A="1" B="two words" C="a \"b\" \c""#);
    }
}
