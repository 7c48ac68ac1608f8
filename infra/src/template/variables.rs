//! What Lambda demands of the environment variables of a function, in a template or in its API
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).

use std::collections::BTreeMap;

/// Names that Lambda keeps for itself.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
const RESERVED: [&str; 18] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

/// The largest set of variables, in bytes of [`measured`].
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const LARGEST: usize = 4096;

/// Whether Lambda keeps the name for itself.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Whether it is a name at all: `[a-zA-Z]([a-zA-Z0-9_])+`.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html>
pub(crate) fn is_name(name: &str) -> bool {
    let letter_first = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let mut rest = name.chars();
    name.len() >= 2 && letter_first && rest.all(|one| one.is_ascii_alphanumeric() || one == '_')
}

/// The text whose bytes Lambda counts: all variables as one JSON object. The documentation does not say so; the refusals
/// of too many show what was measured (github.com/github-aws-runners/terraform-aws-github-runner/issues/3594).
pub(crate) fn measured(variables: &BTreeMap<String, String>) -> String {
    serde_json::json!(variables).to_string()
}
