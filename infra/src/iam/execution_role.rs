//! What Lambda itself does under a function's role, without a signed request: it reads the queue of an event source
//! mapping, and sends what becomes of asynchronous invocations to dead-letter targets and destinations. AWS refuses
//! such a configuration where the role does not allow it, in the words that are used here
//! (github.com/aws/aws-cdk/issues/6770 of mappings, github.com/elastic/beats/issues/13963 of dead-letter targets).

use super::{Account, Denied, Principal};
use crate::template::{EventSourceMapping, Function, Stack};

/// What the role of a mapped function has to allow
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions>).
const OF_A_MAPPING: [&str; 3] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
];

/// A role does not allow what the template needs of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{logical_id}: The function execution role does not have permissions to call {action}: {denied}")]
pub struct MissingPermission {
    /// The mapping or the function whose configuration is refused.
    logical_id: String,
    /// `ReceiveMessage on SQS`.
    action: String,
    denied: Box<Denied>,
}

/// Checks that the roles allow what event source mappings, dead-letter targets and destinations need.
///
/// # Errors
///
/// The first permission that is missing.
pub fn check(stack: &Stack, account: &Account) -> Result<(), MissingPermission> {
    for function in &stack.functions {
        let principal = Principal::function(account, function);
        check_targets(function, &principal)?;
        let mappings = stack.event_source_mappings.iter();
        for mapping in mappings.filter(|mapping| mapping.function_name == function.name) {
            check_mapping(mapping, &principal)?;
        }
    }
    Ok(())
}

/// Disabled mappings are checked too: AWS looks when a mapping is made.
fn check_mapping(mapping: &EventSourceMapping, principal: &Principal) -> Result<(), MissingPermission> {
    OF_A_MAPPING
        .iter()
        .try_for_each(|action| check_one(&mapping.logical_id, principal, action, &mapping.event_source_arn))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
fn check_targets(function: &Function, principal: &Principal) -> Result<(), MissingPermission> {
    let asynchronous = &function.asynchronous;
    let targets = [
        &function.dead_letter_target,
        &asynchronous.on_success,
        &asynchronous.on_failure,
    ];
    targets.into_iter().flatten().try_for_each(|target| {
        let action = if target.starts_with("arn:aws:lambda:") {
            "lambda:InvokeFunction"
        } else {
            "sqs:SendMessage"
        };
        check_one(&function.logical_id, principal, action, target)
    })
}

fn check_one(
    logical_id: &str,
    principal: &Principal,
    action: &str,
    resource: &str,
) -> Result<(), MissingPermission> {
    principal
        .may(action, resource)
        .map_err(|denied| MissingPermission {
            logical_id: logical_id.to_owned(),
            action: match action.split_once(':') {
                Some(("sqs", name)) => format!("{name} on SQS"),
                Some((_, name)) => format!("{name} on Lambda"),
                None => action.to_owned(),
            },
            denied: Box::new(denied),
        })
}
