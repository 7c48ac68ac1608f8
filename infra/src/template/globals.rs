//! SAM's `Globals` section, merged into the functions and APIs before anything is resolved: maps are merged,
//! lists concatenated, everything else is overridden by the resource.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>

use super::declaration::{Declaration, ResourceType};
use super::error::Problems;
use super::yaml::{Node, Value};

/// What SAM keeps to the function itself. What else is not supported is refused with the functions that it goes to.
const REFUSED_FOR_FUNCTIONS: [&str; 4] = ["Events", "FunctionName", "Policies", "Role"];
/// SAM keeps these to the API itself.
const REFUSED_FOR_APIS: [&str; 4] = ["DefinitionBody", "DefinitionUri", "Name", "StageName"];
/// Nodes that merging may add: each function gets a copy.
const MOST_NODES: usize = 500_000;

/// Merges the section into the properties of the resources.
pub(super) fn apply(section: Option<&Node>, declarations: &mut [Declaration]) -> Result<(), Problems> {
    let Some(section) = section else { return Ok(()) };
    let fields = section.fields()?;
    fields.allow(&["Function", "HttpApi"], &[])?;
    for (name, kind, refused) in [
        ("Function", ResourceType::Function, REFUSED_FOR_FUNCTIONS),
        ("HttpApi", ResourceType::HttpApi, REFUSED_FOR_APIS),
    ] {
        let Some(global) = fields.get(name) else { continue };
        for (property, node) in global.fields()?.entries() {
            if refused.contains(&property.as_str()) {
                return Err(node
                    .problem("SAM does not take this property from Globals")
                    .into());
            }
        }
        let targets = declarations
            .iter_mut()
            .filter(|declaration| declaration.kind == kind);
        let mut budget = MOST_NODES;
        for declaration in targets {
            budget = budget
                .checked_sub(count(global))
                .ok_or_else(|| global.problem("too large for so many resources"))?;
            declaration.properties = merge(global, &declaration.properties, name == "Function");
        }
    }
    Ok(())
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::Sequence(items) => items.iter().map(count).sum(),
        Value::Mapping(entries) => entries.iter().map(|(_, value)| count(value)).sum(),
        Value::Call(_, argument) => count(argument),
    }
}

/// Two values of the same property. A list that stands directly under `Function: Architectures` is not
/// concatenated: SAM makes that one exception.
fn merge(global: &Node, local: &Node, functions: bool) -> Node {
    let value = match (&global.value, &local.value) {
        (Value::Mapping(global), Value::Mapping(local)) => {
            Value::Mapping(merge_maps(global, local, functions))
        }
        (Value::Sequence(global), Value::Sequence(local)) => {
            Value::Sequence([global.as_slice(), local].concat())
        }
        _ => local.value.clone(),
    };
    Node {
        place: local.place.clone(),
        value,
    }
}

fn merge_maps(global: &[(String, Node)], local: &[(String, Node)], functions: bool) -> Vec<(String, Node)> {
    let mut merged: Vec<(String, Node)> = Vec::with_capacity(global.len() + local.len());
    for (name, global) in global {
        let value = match local.iter().find(|(key, _)| key == name) {
            Some((_, local)) if functions && name == "Architectures" => local.clone(),
            Some((_, local)) => merge(global, local, false),
            None => global.clone(),
        };
        merged.push((name.clone(), value));
    }
    let own = local
        .iter()
        .filter(|(name, _)| global.iter().all(|(key, _)| key != name));
    merged.extend(own.cloned());
    merged
}
