//! What a function says about its asynchronous invocations: SAM's `EventInvokeConfig` and `DeadLetterQueue`.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventinvokeconfiguration.html>

use std::time::Duration;

use super::Context;
use super::queue::typed_target;
use crate::template::error::Problems;
use crate::template::model::AsynchronousConfiguration;
use crate::template::yaml::Node;

/// Reads `EventInvokeConfig`.
pub(super) fn configuration(
    node: &Node,
    context: &Context<'_>,
) -> Result<AsynchronousConfiguration, Problems> {
    let fields = node.fields()?;
    fields.allow(
        &[
            "DestinationConfig",
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
        ],
        &[],
    )?;
    let mut configuration = AsynchronousConfiguration::default();
    if let Some(attempts) = fields.read("MaximumRetryAttempts", |node| node.integer(0..=2))? {
        configuration.maximum_retry_attempts = attempts;
    }
    if let Some(age) = fields.read("MaximumEventAgeInSeconds", |node| node.integer(60..=21_600))? {
        configuration.maximum_event_age = Duration::from_secs(age);
    }
    if let Some(destinations) = fields.get("DestinationConfig") {
        let fields = destinations.fields()?;
        fields.allow(&["OnFailure", "OnSuccess"], &[])?;
        configuration.on_failure = fields.read("OnFailure", |node| destination(node, context))?;
        configuration.on_success = fields.read("OnSuccess", |node| destination(node, context))?;
    }
    Ok(configuration)
}

/// SAM makes a queue of its own where `Destination` is missing; here it must be given.
fn destination(node: &Node, context: &Context<'_>) -> Result<String, Problems> {
    node.fields()?.allow(&["Destination", "Type"], &[])?;
    Ok(typed_target(node, &["SQS", "Lambda"], "Destination", context)?)
}

/// Reads `DeadLetterQueue`.
pub(super) fn dead_letter_target(node: &Node, context: &Context<'_>) -> Result<String, Problems> {
    node.fields()?.allow(&["TargetArn", "Type"], &[])?;
    Ok(typed_target(node, &["SQS"], "TargetArn", context)?)
}
