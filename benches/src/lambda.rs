//! The Lambda API, as far as cold starts need it: make the next invocation a cold one, invoke, read the REPORT
//! line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{LastUpdateStatus, LogType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::Value;

use crate::aws::{Aws, readable};
use crate::report_line::ReportLine;

const UPDATE_LIMIT: Duration = Duration::from_mins(1);
const UPDATE_POLL_INTERVAL: Duration = Duration::from_millis(25);

/// A client of the Lambda API.
#[derive(Clone, Debug)]
pub struct Lambda {
    client: Client,
    /// Sends nothing twice: a repeated invocation would no longer be the first one.
    invoker: Client,
}

/// What a synchronous invocation returned.
#[derive(Debug)]
pub struct Invocation {
    /// The function's answer.
    pub payload: Value,
    /// Its REPORT line.
    pub report: ReportLine,
}

impl Lambda {
    /// A client of this account's functions.
    pub fn new(aws: &Aws) -> Self {
        let once = Builder::from(aws.config()).retry_config(RetryConfig::disabled());
        Self {
            client: Client::new(aws.config()),
            invoker: Client::from_conf(once.build()),
        }
    }

    /// How much memory a function has, in MB.
    ///
    /// # Errors
    /// Fails when its configuration cannot be read.
    pub async fn memory_size_mb(&self, function: &str) -> Result<u64> {
        let configuration = self.configuration(function).await?;
        let size = configuration.memory_size();
        let size = size.with_context(|| format!("the configuration of {function} has no memory size"))?;
        Ok(size.try_into()?)
    }

    /// Makes the next invocation start in a fresh execution environment: a changed configuration retires those that
    /// exist. Until the update is successful, invocations may still reach the old ones:
    /// <https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>.
    ///
    /// # Errors
    /// Fails when the update is refused, fails, or takes over a minute.
    pub async fn reset(&self, function: &str) -> Result<()> {
        let update = self.client.update_function_configuration();
        self.update(function, update.description(new_description())).await
    }

    /// Gives a function another memory size, in MB, and waits until it has it.
    ///
    /// # Errors
    /// Fails as [`reset`](Self::reset) does.
    pub async fn set_memory(&self, function: &str, memory_mb: u32) -> Result<()> {
        let memory = i32::try_from(memory_mb).context("more memory than a function can have")?;
        let update = self.client.update_function_configuration();
        self.update(function, update.memory_size(memory)).await
    }

    async fn update(&self, function: &str, update: UpdateFunctionConfigurationFluentBuilder) -> Result<()> {
        update
            .function_name(function)
            .send()
            .await
            .map_err(readable)
            .with_context(|| format!("cannot update the configuration of {function}"))?;
        let begin = Instant::now();
        while !self.update_is_successful(function).await? {
            if begin.elapsed() > UPDATE_LIMIT {
                bail!(
                    "the update of {function} is not successful after {} s",
                    UPDATE_LIMIT.as_secs()
                );
            }
            tokio::time::sleep(UPDATE_POLL_INTERVAL).await;
        }
        Ok(())
    }

    async fn configuration(&self, function: &str) -> Result<GetFunctionConfigurationOutput> {
        let request = self.client.get_function_configuration().function_name(function);
        let configuration = request.send().await.map_err(readable);
        configuration.with_context(|| format!("cannot read the configuration of {function}"))
    }

    async fn update_is_successful(&self, function: &str) -> Result<bool> {
        let configuration = self.configuration(function).await?;
        match configuration.last_update_status() {
            Some(LastUpdateStatus::Successful) => Ok(true),
            Some(LastUpdateStatus::InProgress) => Ok(false),
            status => bail!(
                "the update of {function} ended as {status:?}: {}",
                configuration
                    .last_update_status_reason()
                    .unwrap_or("no reason given"),
            ),
        }
    }

    /// Invokes a function, waits for its answer, and reads the REPORT line from the end of its log.
    ///
    /// # Errors
    /// Fails when the invocation is refused, the function fails, or the log has no REPORT line.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Invocation> {
        let output = self
            .invoker
            .invoke()
            .function_name(function)
            .log_type(LogType::Tail)
            .payload(Blob::new(event.to_string()))
            .send()
            .await
            .map_err(readable)
            .with_context(|| format!("cannot invoke {function}"))?;
        let payload = output.payload().map(Blob::as_ref).unwrap_or_default();
        if let Some(error) = output.function_error() {
            bail!(
                "{function} failed ({error}): {}",
                String::from_utf8_lossy(payload)
            );
        }
        let log = output
            .log_result()
            .with_context(|| format!("the invocation of {function} has no log"))?;
        let log = BASE64
            .decode(log)
            .with_context(|| format!("the log of {function} is not Base64"))?;
        Ok(Invocation {
            payload: serde_json::from_slice(payload)
                .with_context(|| format!("{function} answered no JSON"))?,
            report: ReportLine::last_of(&String::from_utf8_lossy(&log))?,
        })
    }
}

/// Another one each time: the same description would be no change.
fn new_description() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!(
        "cold start {} of {}",
        NUMBER.fetch_add(1, Ordering::Relaxed),
        Timestamp::now()
    )
}
