//! A function's configuration: what it is, and how it is changed
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::http::{Response, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{json_response, refusal::Refusal};
use crate::lambda::{Lambda, function::Function};

/// The part of `UpdateFunctionConfiguration` that has an effect here. Any update, even of the description, makes new
/// environments take the place of the present ones, as on AWS.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    description: Option<String>,
    memory_size: Option<u32>,
    timeout: Option<u64>,
    environment: Option<UpdatedEnvironment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdatedEnvironment {
    variables: BTreeMap<String, String>,
}

/// Changes the configuration of a function. Answers the new one.
pub(super) fn update(function: &Arc<Function>, body: &[u8]) -> Result<Response<Bytes>, Refusal> {
    let update: Update =
        serde_json::from_slice(body).map_err(|error| Refusal::invalid_parameter(error.to_string()))?;
    let mut settings = function.settings().as_ref().clone();
    if let Some(description) = update.description {
        settings.description = description;
    }
    if let Some(memory_size) = update.memory_size {
        if !(128..=10_240).contains(&memory_size) {
            let message = format!("MemorySize must be between 128 and 10240, not {memory_size}");
            return Err(Refusal::invalid_parameter(message));
        }
        settings.memory_size = memory_size;
    }
    if let Some(timeout) = update.timeout {
        if !(1..=900).contains(&timeout) {
            let message = format!("Timeout must be between 1 and 900, not {timeout}");
            return Err(Refusal::invalid_parameter(message));
        }
        settings.timeout = Duration::from_secs(timeout);
    }
    if let Some(environment) = update.environment {
        settings.environment = environment.variables;
    }
    function.configure(settings);
    Ok(json_response(StatusCode::OK, &of(function)))
}

/// The configurations of all functions.
pub(super) fn list(lambda: &Lambda) -> Value {
    json!({"Functions": lambda.functions().map(of).collect::<Vec<_>>()})
}

/// The configuration of a function.
pub(super) fn of(function: &Arc<Function>) -> Value {
    let settings = function.settings();
    json!({
        "FunctionName": settings.name,
        "FunctionArn": settings.arn.as_ref(),
        "Description": settings.description,
        "Runtime": settings.runtime,
        "Handler": settings.handler,
        "MemorySize": settings.memory_size,
        "Timeout": settings.timeout.as_secs(),
        "Environment": {"Variables": settings.environment},
        "Version": "$LATEST",
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}
