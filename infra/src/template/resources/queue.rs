//! `AWS::SQS::Queue`: a standard queue. FIFO queues are refused.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html>

use std::collections::BTreeMap;

use serde_json::json;

use super::Context;
use crate::template::declaration::Declaration;
use crate::template::error::{Problem, Problems};
use crate::template::model::Queue;
use crate::template::node::Fields;
use crate::template::yaml::Node;

/// The numeric attributes with their bounds.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
const NUMBERS: [(&str, u32, u32); 6] = [
    ("DelaySeconds", 0, 900),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
];
const SUPPORTED: [&str; 12] = [
    "DelaySeconds",
    "FifoQueue",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "QueueName",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];
const WITHOUT_EFFECT: [&str; 1] = ["Tags"];

/// The visibility timeout of a queue that sets none.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
const DEFAULT_VISIBILITY_TIMEOUT: u64 = 30;

/// Reads a queue.
pub(in crate::template) fn read(declaration: &Declaration, context: &Context<'_>) -> Result<Queue, Problems> {
    let properties = declaration.resolve(context.scope, &SUPPORTED, &WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    if let Some(fifo) = fields.get("FifoQueue") {
        return Err(fifo
            .problem("FIFO queues are not supported by the local cloud")
            .into());
    }
    let settings = context.scope.settings;
    let identity = context.identity(declaration)?;
    Ok(Queue {
        logical_id: declaration.logical_id.clone(),
        name: identity.name.clone(),
        arn: identity.arn(settings),
        url: identity.queue_url(settings),
        attributes: attributes(fields, context)?,
    })
}

fn attributes(fields: Fields<'_>, context: &Context<'_>) -> Result<BTreeMap<String, String>, Problems> {
    let mut problems = Problems::default();
    let mut attributes = BTreeMap::new();
    for (name, least, most) in NUMBERS {
        if let Some(Some(number)) = problems.absorb(fields.read(name, |node| node.integer(least..=most))) {
            attributes.insert(name.to_owned(), number.to_string());
        }
    }
    // Encryption is an attribute like others, and has no effect on messages that are nowhere at rest.
    let encrypted = fields.read("SqsManagedSseEnabled", |node| {
        node.boolean().map(|on| on.to_string())
    });
    let texts = [
        ("SqsManagedSseEnabled", problems.absorb(encrypted)),
        (
            "KmsMasterKeyId",
            problems.absorb(fields.read("KmsMasterKeyId", |node| node.text().map(str::to_owned))),
        ),
        (
            "RedrivePolicy",
            problems.absorb(fields.read("RedrivePolicy", |node| redrive_policy(node, context))),
        ),
        (
            "RedriveAllowPolicy",
            problems.absorb(fields.read("RedriveAllowPolicy", redrive_allow_policy)),
        ),
    ];
    problems.check()?;
    for (name, text) in texts {
        attributes.extend(text.flatten().map(|text| (name.to_owned(), text)));
    }
    Ok(attributes)
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>
fn redrive_policy(node: &Node, context: &Context<'_>) -> Result<String, Problems> {
    let fields = node.fields()?;
    fields.allow(&["deadLetterTargetArn", "maxReceiveCount"], &[])?;
    let target = context.queue_arn(fields.require("deadLetterTargetArn")?)?;
    let count = fields.require("maxReceiveCount")?.integer(1..=1000_u32)?;
    Ok(json!({ "deadLetterTargetArn": target, "maxReceiveCount": count }).to_string())
}

fn redrive_allow_policy(node: &Node) -> Result<String, Problems> {
    let fields = node.fields()?;
    fields.allow(&["redrivePermission", "sourceQueueArns"], &[])?;
    let permission = fields
        .require("redrivePermission")?
        .one_of(&["allowAll", "byQueue", "denyAll"])?;
    let policy = match fields.read("sourceQueueArns", Node::texts)? {
        Some(arns) => json!({ "redrivePermission": permission, "sourceQueueArns": arns }),
        None => json!({ "redrivePermission": permission }),
    };
    Ok(policy.to_string())
}

/// The visibility timeout of a queue, in seconds.
pub(in crate::template) fn visibility_timeout(queue: &Queue) -> u64 {
    let given = queue
        .attributes
        .get("VisibilityTimeout")
        .and_then(|seconds| seconds.parse().ok());
    given.unwrap_or(DEFAULT_VISIBILITY_TIMEOUT)
}

/// The ARN of a queue of this template, where SAM's `Type` says that it is one.
pub(super) fn typed_target(
    node: &Node,
    kinds: &[&'static str],
    name: &str,
    context: &Context<'_>,
) -> Result<String, Problem> {
    let fields = node.fields()?;
    let kind = fields.require("Type")?.one_of(kinds)?;
    let target = fields.require(name)?;
    if kind == "Lambda" {
        context.function_arn(target)
    } else {
        context.queue_arn(target)
    }
}
