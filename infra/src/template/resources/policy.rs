//! Policy documents, as [`Statement`]s. Conditions are refused: the local cloud has no request context to check
//! them against.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use crate::template::error::{Problem, Problems};
use crate::template::model::{Effect, Statement};
use crate::template::node::Fields;
use crate::template::yaml::{Node, Value};

/// Reads a resolved policy document.
pub(in crate::template) fn document(node: &Node) -> Result<Vec<Statement>, Problems> {
    let fields = node.fields()?;
    fields.allow(&["Statement", "Version"], &["Id"])?;
    fields.read("Version", |node| node.one_of(&["2012-10-17", "2008-10-17"]))?;
    let statements = fields.require("Statement")?.one_or_more();
    let mut problems = Problems::default();
    let read: Vec<Statement> = statements
        .iter()
        .filter_map(|node| problems.absorb(statement(node)))
        .collect();
    problems.check()?;
    Ok(read)
}

fn statement(node: &Node) -> Result<Statement, Problems> {
    let fields = node.fields()?;
    let names = [
        "Action",
        "Condition",
        "Effect",
        "NotAction",
        "NotResource",
        "Resource",
    ];
    fields.allow(&names, &["Sid"])?;
    if let Some(condition) = fields.get("Condition")
        && !matches!(&condition.value, Value::Mapping(entries) if entries.is_empty())
    {
        return Err(condition
            .problem("conditions of policies are not supported by the local cloud")
            .into());
    }
    let effect = match fields.require("Effect")?.one_of(&["Allow", "Deny"])? {
        "Allow" => Effect::Allow,
        _ => Effect::Deny,
    };
    let (actions, not_actions) = one_of_two(node, fields, "Action", "NotAction", is_action)?;
    let (resources, not_resources) = one_of_two(node, fields, "Resource", "NotResource", is_resource)?;
    Ok(Statement {
        effect,
        actions,
        not_actions,
        resources,
        not_resources,
    })
}

/// A statement has an element or its negation, never both.
fn one_of_two(
    node: &Node,
    fields: Fields<'_>,
    name: &str,
    negation: &str,
    check: fn(&Node) -> Result<(), Problem>,
) -> Result<(Vec<String>, Vec<String>), Problem> {
    let read = |list: &Node| {
        list.one_or_more().iter().try_for_each(check)?;
        let texts = list.one_or_more_texts()?;
        if texts.is_empty() {
            Err(list.problem("expected at least one"))
        } else {
            Ok(texts)
        }
    };
    match (fields.get(name), fields.get(negation)) {
        (Some(list), None) => Ok((read(list)?, Vec::new())),
        (None, Some(list)) => Ok((Vec::new(), read(list)?)),
        _ => Err(node.problem(format!("expected either `{name}` or `{negation}`"))),
    }
}

fn is_action(node: &Node) -> Result<(), Problem> {
    let text = node.text()?;
    let whole = text
        .split_once(':')
        .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if text == "*" || whole {
        Ok(())
    } else {
        Err(node.expected("`*` or an action such as `sqs:SendMessage`"))
    }
}

fn is_resource(node: &Node) -> Result<(), Problem> {
    let text = node.text()?;
    if text.contains("${") {
        return Err(node.problem("policy variables are not supported by the local cloud"));
    }
    if text == "*" || text.starts_with("arn:") {
        Ok(())
    } else {
        Err(node.expected("`*` or an ARN"))
    }
}
