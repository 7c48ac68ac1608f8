//! `AWS::Lambda::EventSourceMapping` of a queue, and the same as SAM makes it from an event of type `SQS`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html>

use std::time::Duration;

use super::Context;
use crate::template::declaration::Declaration;
use crate::template::error::{Place, Problem, Problems};
use crate::template::identity::Kind;
use crate::template::model::EventSourceMapping;
use crate::template::node::Fields;
use crate::template::yaml::Node;

/// What a mapping has in either form.
const SHARED: [&str; 5] = [
    "BatchSize",
    "Enabled",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "ScalingConfig",
];
/// Tags, and the encryption of filters, of which there are none.
const WITHOUT_EFFECT: [&str; 2] = ["KmsKeyArn", "Tags"];

/// Reads a mapping that is a resource of its own.
pub(in crate::template) fn read(
    declaration: &Declaration,
    context: &Context<'_>,
) -> Result<(EventSourceMapping, Place), Problems> {
    let supported = [SHARED.as_slice(), &["EventSourceArn", "FunctionName"]].concat();
    let properties = declaration.resolve(context.scope, &supported, &WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    let source = context.queue_arn(fields.require("EventSourceArn")?)?;
    let function = function_name(fields.require("FunctionName")?, context)?;
    let mapping = shared(declaration.logical_id.clone(), source, function, fields)?;
    Ok((mapping, declaration.place.clone()))
}

/// Reads the properties of an event of type `SQS`.
pub(super) fn read_event(
    logical_id: String,
    function_name: &str,
    properties: &Node,
    context: &Context<'_>,
) -> Result<EventSourceMapping, Problems> {
    let fields = properties.fields()?;
    fields.allow(&[SHARED.as_slice(), &["Queue"]].concat(), &WITHOUT_EFFECT)?;
    let source = context.queue_arn(fields.require("Queue")?)?;
    shared(logical_id, source, function_name.to_owned(), fields)
}

/// The bounds are those of
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html>.
fn shared(
    logical_id: String,
    event_source_arn: String,
    function_name: String,
    fields: Fields<'_>,
) -> Result<EventSourceMapping, Problems> {
    let batch_size = fields
        .read("BatchSize", |node| node.integer(1..=10_000))?
        .unwrap_or(10);
    let window = fields
        .read("MaximumBatchingWindowInSeconds", |node| node.integer(0..=300))?
        .unwrap_or(0);
    if let Some(node) = fields.get("BatchSize")
        && batch_size > 10
        && window == 0
    {
        let message = "a batch of more than 10 needs a MaximumBatchingWindowInSeconds of at least 1";
        return Err(node.problem(message).into());
    }
    let report = fields.read("FunctionResponseTypes", |node| -> Result<bool, Problem> {
        let types = node
            .items()?
            .iter()
            .map(|item| item.one_of(&["ReportBatchItemFailures"]));
        Ok(!types.collect::<Result<Vec<_>, _>>()?.is_empty())
    })?;
    Ok(EventSourceMapping {
        logical_id,
        event_source_arn,
        function_name,
        batch_size,
        maximum_batching_window: Duration::from_secs(window),
        maximum_concurrency: fields.read("ScalingConfig", maximum_concurrency)?.flatten(),
        report_batch_item_failures: report.unwrap_or(false),
        enabled: fields.read("Enabled", Node::boolean)?.unwrap_or(true),
    })
}

fn maximum_concurrency(node: &Node) -> Result<Option<u32>, Problems> {
    let fields = node.fields()?;
    fields.allow(&["MaximumConcurrency"], &[])?;
    Ok(fields.read("MaximumConcurrency", |node| node.integer(2..=1000))?)
}

/// Lambda takes the name, the ARN, or the part of the ARN that starts with the account.
fn function_name(node: &Node, context: &Context<'_>) -> Result<String, Problem> {
    let text = node.text()?;
    let settings = context.scope.settings;
    let partial = text.strip_prefix(&format!("{}:function:", settings.account_id));
    let found = context.find(Kind::Function, |identity| {
        identity.name == text || Some(identity.name.as_str()) == partial || identity.arn(settings) == text
    });
    match found {
        Some((_, identity)) => Ok(identity.name.clone()),
        None => Err(node.expected("the name or ARN of a function of this template")),
    }
}
