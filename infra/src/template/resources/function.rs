//! `AWS::Serverless::Function`, without its events and its role.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html>

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Context, asynchronous};
use crate::template::declaration::Declaration;
use crate::template::error::{Problem, Problems};
use crate::template::model::{Code, Function, RecursiveLoop};
use crate::template::node::Fields;
use crate::template::variables;
use crate::template::yaml::Node;

const SUPPORTED: [&str; 12] = [
    "CodeUri",
    "DeadLetterQueue",
    "Environment",
    "EventInvokeConfig",
    "FunctionName",
    "Handler",
    "MemorySize",
    "PackageType",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Runtime",
    "Timeout",
];
/// Read by other modules.
const ELSEWHERE: [&str; 3] = ["Events", "Policies", "Role"];
/// Labels, encryption, tracing, log format, code signing, runtime updates, who may assume the role. The
/// instruction set is that of the machine.
const WITHOUT_EFFECT: [&str; 11] = [
    "Architectures",
    "AssumeRolePolicyDocument",
    "CodeSigningConfigArn",
    "Description",
    "KmsKeyArn",
    "LoggingConfig",
    "PropagateTags",
    "RuntimeManagementConfig",
    "SourceKMSKeyArn",
    "Tags",
    "Tracing",
];
/// The runtimes in which the function brings its own, as a file `bootstrap`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html>
const RUNTIMES: [&str; 2] = ["provided.al2023", "provided.al2"];
/// Reads a function; its role and its statements are filled in later.
pub(in crate::template) fn read(
    declaration: &Declaration,
    context: &Context<'_>,
) -> Result<Function, Problems> {
    let without_effect = [ELSEWHERE.as_slice(), &WITHOUT_EFFECT].concat();
    let properties = declaration.resolve(context.scope, &SUPPORTED, &without_effect)?;
    let fields = properties.fields()?;
    fields.read("PackageType", |node| node.one_of(&["Zip"]))?;
    let timeout = fields.read("Timeout", |node| node.integer(1..=900))?.unwrap_or(3);
    let reserved = fields.read("ReservedConcurrentExecutions", |node| node.integer(0..=u32::MAX))?;
    let asynchronous = fields.read("EventInvokeConfig", |node| {
        asynchronous::configuration(node, context)
    })?;
    let dead_letter = fields.read("DeadLetterQueue", |node| {
        asynchronous::dead_letter_target(node, context)
    })?;
    let recursive_loop = match fields.read("RecursiveLoop", |node| node.one_of(&["Allow", "Terminate"]))? {
        Some("Allow") => RecursiveLoop::Allow,
        _ => RecursiveLoop::Terminate,
    };
    let identity = context.identity(declaration)?;
    Ok(Function {
        logical_id: declaration.logical_id.clone(),
        name: identity.name.clone(),
        arn: identity.arn(context.scope.settings),
        code: code(declaration, fields, context.directory)?,
        handler: fields.require("Handler")?.text()?.to_owned(),
        runtime: fields.require("Runtime")?.one_of(&RUNTIMES)?.to_owned(),
        memory_size: fields
            .read("MemorySize", |node| node.integer(128..=10_240))?
            .unwrap_or(128),
        timeout: Duration::from_secs(timeout),
        environment: fields.read("Environment", environment)?.unwrap_or_default(),
        reserved_concurrent_executions: reserved,
        asynchronous: asynchronous.unwrap_or_default(),
        dead_letter_target: dead_letter,
        recursive_loop,
        role_name: String::new(),
        statements: Vec::new(),
    })
}

/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-rust.html>
fn code(declaration: &Declaration, fields: Fields<'_>, template: &Path) -> Result<Code, Problems> {
    let uri = fields.require("CodeUri")?;
    let directory = directory(uri, template)?;
    let metadata = declaration.metadata.as_ref().map(Node::fields).transpose()?;
    let method = metadata.as_ref().and_then(|metadata| metadata.get("BuildMethod"));
    let Some(method) = method else {
        check_bootstrap(&directory, uri)?;
        return Ok(Code::Bootstrap { directory });
    };
    method.one_of(&["rust-cargolambda"])?;
    let properties = metadata
        .as_ref()
        .and_then(|metadata| metadata.get("BuildProperties"));
    let missing =
        || method.problem("needs `BuildProperties: Binary:`, the name of the Cargo binary to build");
    let properties = properties.ok_or_else(missing)?.fields()?;
    properties.allow(&["Binary"], &[])?;
    let binary = properties.get("Binary").ok_or_else(missing)?.text()?.to_owned();
    Ok(Code::CargoBinary { directory, binary })
}

/// The folder that a template names, absolute.
pub(super) fn directory(uri: &Node, template: &Path) -> Result<PathBuf, Problem> {
    let text = uri
        .text()
        .map_err(|_| uri.expected("a folder, relative to the template"))?;
    let base = if template.as_os_str().is_empty() {
        Path::new(".")
    } else {
        template
    };
    match base.join(text).canonicalize() {
        Ok(directory) if directory.is_dir() => Ok(directory),
        _ => Err(uri.expected("a folder, relative to the template")),
    }
}

fn check_bootstrap(directory: &Path, uri: &Node) -> Result<(), Problem> {
    let file = directory.join("bootstrap");
    let executable = file
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
    if executable {
        return Ok(());
    }
    let message =
        "a folder that holds an executable file `bootstrap`, or `Metadata: BuildMethod: rust-cargolambda`";
    Err(uri.expected(message))
}

fn environment(node: &Node) -> Result<BTreeMap<String, String>, Problems> {
    let fields = node.fields()?;
    fields.allow(&["Variables"], &[])?;
    let Some(declared) = fields.get("Variables") else {
        return Ok(BTreeMap::new());
    };
    let mut problems = Problems::default();
    let mut environment = BTreeMap::new();
    for (name, value) in declared.fields()?.entries() {
        problems.absorb(check_variable(name, value));
        if let Some(text) = problems.absorb(value.text()) {
            environment.insert(name.clone(), text.to_owned());
        }
    }
    problems.check()?;
    let size = variables::measured(&environment).len();
    if size > variables::LARGEST {
        let message = format!("{size} bytes, as JSON, are more than {}", variables::LARGEST);
        return Err(declared.problem(message).into());
    }
    Ok(environment)
}

fn check_variable(name: &str, value: &Node) -> Result<(), Problem> {
    if variables::is_reserved(name) {
        return Err(value.problem("Lambda reserves this name for itself"));
    }
    if !variables::is_name(name) {
        return Err(value.problem("expected a name of a letter and then letters, digits and `_`"));
    }
    Ok(())
}
