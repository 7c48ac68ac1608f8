//! What an execution environment is made from: the configuration of a function, and the variables that Lambda sets
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::iam::Credentials;

/// The configuration of a function. It is never changed, only replaced.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The function's name.
    pub name: String,
    /// Its unqualified ARN.
    pub arn: Arc<str>,
    /// What `UpdateFunctionConfiguration` last said about it.
    pub description: String,
    /// The runtime that the template names.
    pub runtime: String,
    /// What the function finds in `_HANDLER`.
    pub handler: String,
    /// The executable file.
    pub executable: PathBuf,
    /// The folder of its code, where it is started.
    pub directory: PathBuf,
    /// Memory, in MB.
    pub memory_size: u32,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// The variables that the template sets, or the last update.
    pub environment: BTreeMap<String, String>,
    /// The Region that the function believes to be in.
    pub region: String,
    /// The keys with which it signs its calls.
    pub credentials: Credentials,
    /// How AWS's services are reached: the variables `AWS_ENDPOINT_URL_*`, and over TLS `AWS_CA_BUNDLE`.
    pub endpoints: Vec<(&'static str, String)>,
}

impl Settings {
    /// All variables of an environment whose Runtime API is at `runtime_api`, as for an OS-only runtime. Nothing else is
    /// passed on: a function sees neither the developer's keys nor their home. Missing are `LD_LIBRARY_PATH`, because
    /// its folders are not on this machine, and `AWS_XRAY_DAEMON_ADDRESS`, because there is no such daemon.
    pub(super) fn environment_variables(
        &self,
        runtime_api: SocketAddr,
        log_stream: &str,
    ) -> Vec<(String, String)> {
        let directory = self.directory.display().to_string();
        let keys = &self.credentials;
        let variables = [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_size.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", keys.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.clone()),
            (
                "AWS_SESSION_TOKEN",
                keys.session_token.clone().unwrap_or_default(),
            ),
            ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
            ("_HANDLER", self.handler.clone()),
            ("LAMBDA_TASK_ROOT", directory.clone()),
            ("LAMBDA_RUNTIME_DIR", directory),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ];
        let named = |(name, value): (&'static str, String)| (name.to_owned(), value);
        let endpoints = self.endpoints.iter().cloned().map(named);
        let lambda = variables.into_iter().map(named);
        // The function's own come last and win: names that are Lambda's alone were refused.
        lambda.chain(endpoints).chain(self.environment.clone()).collect()
    }
}

/// A name for the log stream of a new environment.
pub(super) fn new_log_stream() -> Arc<str> {
    let today = jiff::Timestamp::now().strftime("%Y/%m/%d");
    format!("{today}/[$LATEST]{}", uuid::Uuid::new_v4().simple()).into()
}
