//! The `Conditions` section: each condition evaluated once, after those it refers to.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>

use std::collections::BTreeSet;

use super::error::{Problem, Problems};
use super::graph::{self, Dependencies};
use super::intrinsics::Scope;
use super::yaml::{Intrinsic, Node, Value};

/// Evaluates the section into the scope.
pub(super) fn evaluate(section: Option<&Node>, scope: &mut Scope<'_>) -> Result<(), Problems> {
    let Some(section) = section else { return Ok(()) };
    let fields = section.fields()?;
    let mut dependencies = Dependencies::new();
    for (name, node) in fields.entries() {
        let mut needs = BTreeSet::new();
        collect(node, &mut needs);
        dependencies.insert(name.clone(), needs);
    }
    let ordered = graph::order(&dependencies).map_err(|circle| {
        section.problem(format!(
            "these conditions refer to one another in a circle: {}",
            circle.join(" → ")
        ))
    })?;
    let mut problems = Problems::default();
    for name in ordered {
        let Some(node) = fields.get(name) else { continue };
        if let Some(holds) = problems.absorb(holds(node, scope)) {
            scope.conditions.insert(name.to_owned(), holds);
        }
    }
    problems.check()
}

/// The names of the conditions that an expression refers to.
fn collect(node: &Node, needs: &mut BTreeSet<String>) {
    match &node.value {
        Value::Null | Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for item in items {
                collect(item, needs);
            }
        }
        Value::Mapping(entries) => {
            if let Some(name) = named_condition(node) {
                needs.extend(name.text().map(str::to_owned));
            }
            for (_, value) in entries {
                collect(value, needs);
            }
        }
        Value::Call(intrinsic, argument) => {
            let name = match (intrinsic, argument.items()) {
                (Intrinsic::Condition, _) => Some(&**argument),
                (Intrinsic::If, Ok(items)) => items.first(),
                _ => None,
            };
            needs.extend(name.and_then(|name| name.text().ok()).map(str::to_owned));
            collect(argument, needs);
        }
    }
}

/// `Condition: name`, the long form of `!Condition name`.
fn named_condition(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::Mapping(entries) => match entries.as_slice() {
            [(key, name)] if key == Intrinsic::Condition.name() => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn holds(node: &Node, scope: &Scope<'_>) -> Result<bool, Problem> {
    if let Some(name) = named_condition(node) {
        return scope.condition(name);
    }
    let Value::Call(intrinsic, argument) = &node.value else {
        return Err(node.expected("a condition: Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition"));
    };
    match intrinsic {
        Intrinsic::Condition => scope.condition(argument),
        Intrinsic::Equals => match argument.items()? {
            [one, other] => Ok(scope.text(one)? == scope.text(other)?),
            _ => Err(argument.problem("expected a list of two values to compare")),
        },
        Intrinsic::Not => match argument.items()? {
            [negated] => Ok(!holds(negated, scope)?),
            _ => Err(argument.problem("expected a list of one condition")),
        },
        Intrinsic::And => Ok(operands(argument, scope)?.into_iter().all(|holds| holds)),
        Intrinsic::Or => Ok(operands(argument, scope)?.into_iter().any(|holds| holds)),
        _ => Err(node.expected("a condition: Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition")),
    }
}

fn operands(argument: &Node, scope: &Scope<'_>) -> Result<Vec<bool>, Problem> {
    let items = argument.items()?;
    if !(2..=10).contains(&items.len()) {
        return Err(argument.problem(format!(
            "expected a list of 2 to 10 conditions, found {}",
            items.len()
        )));
    }
    items.iter().map(|item| holds(item, scope)).collect()
}
