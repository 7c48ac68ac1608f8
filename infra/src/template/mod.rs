//! Reads the SAM template that is deployed to AWS and says what it declares, as a [`Stack`]: parameters filled
//! in, conditions decided, intrinsic functions resolved, `Globals` merged, SAM's generated resources added. It
//! starts nothing: the rest of the local cloud runs the stack.
//!
//! What the local cloud cannot run as AWS would is refused with its line and path, never passed over: each
//! resource has a list of the properties that are read and one of those that cannot matter here. The same goes
//! for what AWS itself refuses, such as a circular dependency or a visibility timeout that is shorter than the
//! function's timeout.
//!
//! The way of a template: `yaml` makes the tree, `parameters`, `conditions` and `declaration` read its sections,
//! `globals` merges, `dependencies` finds the order, `identity` and `intrinsics` resolve, `resources` reads each
//! type, `roles` brings the policies together, `checks` looks at the whole, and `stack` calls them in turn.

mod checks;
mod conditions;
mod declaration;
mod dependencies;
mod error;
mod globals;
mod graph;
mod identity;
mod intrinsics;
mod model;
mod node;
mod parameters;
mod resources;
mod roles;
mod stack;
mod substitution;
pub(crate) mod variables;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use error::Problems;
pub use error::{Problem, TemplateError};
pub use model::{
    AsynchronousConfiguration, Code, ContainerService, CorsConfiguration, Effect, EventSourceMapping,
    Function, HttpApi, LoadBalancer, Method, Output, Queue, RecursiveLoop, Resource, ResponseParameter,
    Route, SendMessage, Stack, Statement, Table, Target, Throttling, ThrottlingSettings,
};

/// Bytes that a template may have.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const LARGEST_TEMPLATE: u64 = 1024 * 1024;

/// What a template does not say itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Region that the local cloud stands for.
    pub region: String,
    /// The account that the local cloud stands for.
    pub account_id: String,
    /// Where the AWS APIs answer; queue URLs start with it.
    pub endpoint_url: String,
    /// Where the HTTP API answers.
    pub api_url: String,
    /// The name of the stack.
    pub stack_name: String,
    /// The values of parameters, by name, that replace the template's defaults.
    pub parameters: BTreeMap<String, String>,
}

/// Reads a template.
///
/// # Errors
/// The file cannot be read, or it holds what is malformed, refused by AWS, or not supported by the local cloud;
/// the error lists every problem that one reading can find.
pub fn load(path: &Path, settings: &Settings) -> Result<Stack, TemplateError> {
    let directory = path.parent().unwrap_or(Path::new(""));
    with_bytes(path, |bytes| stack::read(bytes, directory, settings))
}

/// Lists what a template creates, the roles that SAM makes among it, whether the local cloud can run it or not.
///
/// # Errors
/// As [`load`], as far as parameters, conditions and the types of resources are concerned.
pub fn resources(path: &Path, settings: &Settings) -> Result<Vec<Resource>, TemplateError> {
    with_bytes(path, |bytes| stack::resources(bytes, settings))
}

fn with_bytes<T>(path: &Path, act: impl FnOnce(&[u8]) -> Result<T, Problems>) -> Result<T, TemplateError> {
    let file = path.to_owned();
    match read(path) {
        Ok(bytes) => act(&bytes).map_err(|problems| TemplateError::Invalid {
            file,
            problems: problems.into_sorted(),
        }),
        Err(source) => Err(TemplateError::Read { file, source }),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST_TEMPLATE + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_TEMPLATE {
        let message =
            format!("it is larger than {LARGEST_TEMPLATE} bytes, the most that CloudFormation takes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}
