//! The `Parameters` section: defaults, the values given by the user, and the bounds that CloudFormation checks.
//! `AllowedPattern` alone is accepted without a check, because its regular expressions are Java's: AWS checks it.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use std::collections::BTreeMap;

use super::error::{Place, Problem, Problems};
use super::node::Fields;
use super::yaml::Node;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parameter {
    Text(String),
    List(Vec<String>),
}

/// The values by name.
pub(super) type Parameters = BTreeMap<String, Parameter>;

const TYPES: [&str; 6] = [
    "String",
    "Number",
    "CommaDelimitedList",
    "List<Number>",
    OF_THE_NETWORK[0],
    OF_THE_NETWORK[1],
];
/// The types of parameters that say where something runs. Nothing here depends on it, so they need no value.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html>
const OF_THE_NETWORK: [&str; 2] = ["AWS::EC2::VPC::Id", "List<AWS::EC2::Subnet::Id>"];
const SUPPORTED: [&str; 7] = [
    "Type",
    "Default",
    "AllowedValues",
    "MinValue",
    "MaxValue",
    "MinLength",
    "MaxLength",
];
const WITHOUT_EFFECT: [&str; 4] = ["AllowedPattern", "ConstraintDescription", "Description", "NoEcho"];

/// Reads the section with the values that the user gave.
pub(super) fn read(section: Option<&Node>, given: &BTreeMap<String, String>) -> Result<Parameters, Problems> {
    let declared = section.map(Node::fields).transpose()?;
    let declared = declared.as_ref().map(Fields::entries).unwrap_or_default();
    let mut problems = Problems::default();
    let mut values = Parameters::new();
    for (name, node) in declared {
        if let Some(value) = problems.absorb(read_one(name, node, given.get(name))) {
            values.insert(name.clone(), value);
        }
    }
    let place = section.map_or(
        Place {
            line: 1,
            path: "Parameters".to_owned(),
        },
        |section| section.place.clone(),
    );
    for name in given.keys() {
        if !declared.iter().any(|(known, _)| known == name) {
            let message = format!("there is no parameter `{name}`; {}", list(declared));
            problems.push(place.problem(message));
        }
    }
    problems.check()?;
    Ok(values)
}

fn list(declared: &[(String, Node)]) -> String {
    if declared.is_empty() {
        return "the template has none".to_owned();
    }
    let names: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
    format!("the template has {}", names.join(", "))
}

fn read_one(name: &str, node: &Node, given: Option<&String>) -> Result<Parameter, Problems> {
    let fields = node.fields()?;
    fields.allow(&SUPPORTED, &WITHOUT_EFFECT)?;
    let kind = fields.require("Type")?.one_of(&TYPES)?;
    let (text, place) = match (given, fields.get("Default")) {
        (Some(given), _) => (given.as_str(), &node.place),
        (None, Some(default)) => (default.text()?, &default.place),
        (None, None) if OF_THE_NETWORK.contains(&kind) => ("local", &node.place),
        (None, None) => {
            let message = "has no default and was given no value: set it with `--parameter";
            return Err(node.problem(format!("{message} {name}=…`")).into());
        }
    };
    let value = if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        Parameter::List(text.split(',').map(|item| item.trim().to_owned()).collect())
    } else {
        Parameter::Text(text.to_owned())
    };
    match &value {
        Parameter::Text(text) => check(text, kind, fields, place)?,
        Parameter::List(items) => items
            .iter()
            .try_for_each(|item| check(item, kind, fields, place))?,
    }
    Ok(value)
}

/// Checks one text against everything that the declaration demands of it.
fn check(text: &str, kind: &str, fields: Fields<'_>, place: &Place) -> Result<(), Problem> {
    if let Some(allowed) = fields.read("AllowedValues", Node::texts)?
        && !allowed.iter().any(|allowed| allowed == text)
    {
        return Err(place.problem(format!("expected one of {}, found `{text}`", allowed.join(", "))));
    }
    if kind == "Number" || kind == "List<Number>" {
        check_number(text, fields, place)
    } else {
        check_length(text, fields, place)
    }
}

fn check_number(text: &str, fields: Fields<'_>, place: &Place) -> Result<(), Problem> {
    let Some(value) = number(text) else {
        return Err(place.problem(format!("expected a number, found `{text}`")));
    };
    let bound = |name| {
        fields.read(name, |node| {
            number(node.text()?).ok_or_else(|| node.expected("a number"))
        })
    };
    if let Some(least) = bound("MinValue")?
        && value < least
    {
        return Err(place.problem(format!("expected a number of at least {least}, found `{text}`")));
    }
    if let Some(most) = bound("MaxValue")?
        && value > most
    {
        return Err(place.problem(format!("expected a number of at most {most}, found `{text}`")));
    }
    Ok(())
}

fn check_length(text: &str, fields: Fields<'_>, place: &Place) -> Result<(), Problem> {
    let length = text.chars().count();
    let bound = |name| fields.read(name, |node| node.integer(0..=usize::MAX));
    if let Some(least) = bound("MinLength")?
        && length < least
    {
        return Err(place.problem(format!("expected at least {least} characters, found {length}")));
    }
    if let Some(most) = bound("MaxLength")?
        && length > most
    {
        return Err(place.problem(format!("expected at most {most} characters, found {length}")));
    }
    Ok(())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
