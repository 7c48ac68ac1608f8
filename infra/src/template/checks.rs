//! What can only be checked with several resources in view, because AWS refuses their combination.

use std::collections::{BTreeMap, BTreeSet};

use super::declaration::Declaration;
use super::error::{Place, Problems};
use super::identity::Kind;
use super::intrinsics::Scope;
use super::model::{EventSourceMapping, Function, Queue};
use super::resources::queue::visibility_timeout;
use crate::lambda::ACCOUNT_CONCURRENCY;

/// How many of an account's concurrent executions must stay unreserved.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>
const UNRESERVED_CONCURRENCY: u32 = 100;

/// Two resources of one kind cannot have the same name.
pub(super) fn names(declarations: &[Declaration], scope: &Scope<'_>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let mut taken: BTreeMap<(u8, &str), &str> = BTreeMap::new();
    for declaration in declarations {
        let Some(identity) = scope.identities.get(&declaration.logical_id) else {
            continue;
        };
        let key = (kind_number(identity.kind), identity.name.as_str());
        if let Some(other) = taken.insert(key, &declaration.logical_id) {
            let message = format!("has the same name as `{other}`: `{}`", identity.name);
            problems.push(declaration.place.problem(message));
        }
    }
    problems.check()
}

fn kind_number(kind: Kind) -> u8 {
    kind as u8
}

/// Lambda refuses a mapping whose function may run for longer than a message stays hidden, and a second mapping
/// of the same two.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub(super) fn mappings(
    mappings: &[(EventSourceMapping, Place)],
    functions: &[Function],
    queues: &[Queue],
) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let mut known = BTreeSet::new();
    for (mapping, place) in mappings {
        if !known.insert((&mapping.event_source_arn, &mapping.function_name)) {
            problems.push(place.problem("an event source mapping of this queue and function exists already"));
        }
        let function = functions
            .iter()
            .find(|function| function.name == mapping.function_name);
        let queue = queues.iter().find(|queue| queue.arn == mapping.event_source_arn);
        let (Some(function), Some(queue)) = (function, queue) else {
            continue;
        };
        let (hidden, timeout) = (visibility_timeout(queue), function.timeout.as_secs());
        if hidden < timeout {
            problems.push(place.problem(format!(
                "Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds \
                 (queue {}, function {})",
                queue.name, function.name
            )));
        }
    }
    problems.check()
}

/// Lambda keeps part of the account's concurrency for the functions that reserve none.
pub(super) fn reserved_concurrency(
    functions: &[Function],
    declarations: &[Declaration],
) -> Result<(), Problems> {
    let most = ACCOUNT_CONCURRENCY - UNRESERVED_CONCURRENCY;
    let mut reserved = 0_u32;
    for function in functions {
        reserved = reserved.saturating_add(function.reserved_concurrent_executions.unwrap_or(0));
        let declaration = declarations
            .iter()
            .find(|declaration| declaration.logical_id == function.logical_id);
        if let Some(declaration) = declaration
            && reserved > most
        {
            let message = format!(
                "the functions up to this one reserve {reserved} concurrent executions, more than {most}: at \
                 least {UNRESERVED_CONCURRENCY} of {ACCOUNT_CONCURRENCY} stay unreserved"
            );
            return Err(declaration.place.problem(message).into());
        }
    }
    Ok(())
}
