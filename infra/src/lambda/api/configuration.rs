//! A function's configuration: what it is, and how it is changed
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::http::{Response, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{json_response, parameter, refusal::Refusal};
use crate::{
    lambda::{Lambda, function::Function},
    template::variables,
};

/// As many functions come in one answer, however many are asked for
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>).
const LARGEST_PAGE: usize = 50;

/// The part of `UpdateFunctionConfiguration` that has an effect here. Any update, even of the description, makes new
/// environments take the place of the present ones, as on AWS.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    description: Option<String>,
    memory_size: Option<i64>,
    timeout: Option<i64>,
    environment: Option<UpdatedEnvironment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdatedEnvironment {
    #[serde(default)]
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
        settings.memory_size = within("memorySize", memory_size, 128, 10_240)?;
    }
    if let Some(timeout) = update.timeout {
        settings.timeout = Duration::from_secs(within("timeout", timeout, 1, 900)?);
    }
    if let Some(UpdatedEnvironment { variables }) = update.environment {
        check_variables(&variables)?;
        settings.environment = variables;
    }
    function.configure(settings);
    Ok(json_response(StatusCode::OK, &of(function)))
}

/// A number within its bounds (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
fn within<T: TryFrom<i64>>(member: &str, value: i64, least: i64, most: i64) -> Result<T, Refusal> {
    let constraint = if value < least {
        format!("Member must have value greater than or equal to {least}")
    } else {
        format!("Member must have value less than or equal to {most}")
    };
    let fits = T::try_from(value)
        .ok()
        .filter(|_| (least..=most).contains(&value));
    fits.ok_or_else(|| Refusal::invalid_value(value, member, &constraint))
}

/// The texts stand in public recordings, such as
/// github.com/github-aws-runners/terraform-aws-github-runner/issues/3594 and
/// github.com/neverendingqs/serverless-dotenv-plugin/issues/28.
fn check_variables(environment: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if !environment
        .keys()
        .all(|name| variables::is_reserved(name) || variables::is_name(name))
    {
        let constraint = "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: \
            [a-zA-Z]([a-zA-Z0-9_])+]";
        let value = variables::measured(environment);
        return Err(Refusal::invalid_value(value, "environment.variables", constraint));
    }
    let refuse = |what: &str| {
        let message = "Lambda was unable to configure your environment variables because the environment variables you \
            have provided";
        Err(Refusal::invalid_parameter(format!("{message} {what}")))
    };
    let names = environment.keys().map(String::as_str);
    let reserved: Vec<&str> = names.filter(|name| variables::is_reserved(name)).collect();
    if !reserved.is_empty() {
        let reserved = reserved.join(", ");
        return refuse(&format!(
            "contains reserved keys that are currently not supported for modification. Reserved keys used in this \
             request: {reserved}"
        ));
    }
    let measured = variables::measured(environment);
    if measured.len() > variables::LARGEST {
        return refuse(&format!("exceeded the 4KB limit. String measured: {measured}"));
    }
    Ok(())
}

/// A page of the configurations of all functions, in the order of their names
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>). The marker of the next page is the last name
/// of this one.
pub(super) fn list(lambda: &Lambda, query: &str) -> Result<Response<Bytes>, Refusal> {
    let most = match parameter(query, "MaxItems") {
        None => LARGEST_PAGE,
        Some(text) => {
            let number = text
                .parse()
                .map_err(|_| Refusal::invalid_parameter(format!("MaxItems: {text} is no number")))?;
            within::<usize>("maxItems", number, 1, 10_000)?.min(LARGEST_PAGE)
        }
    };
    let marker = parameter(query, "Marker").unwrap_or_default();
    let mut functions: Vec<_> = lambda
        .functions()
        .map(|function| (function.settings(), function))
        .collect();
    functions.retain(|(settings, _)| settings.name > marker);
    functions.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    let is_last = functions.len() <= most;
    functions.truncate(most);
    let page: Vec<_> = functions.iter().map(|(_, function)| of(function)).collect();
    let mut answer = json!({ "Functions": page });
    if let Some((last, _)) = functions.last().filter(|_| !is_last) {
        answer["NextMarker"] = json!(last.name);
    }
    Ok(json_response(StatusCode::OK, &answer))
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
