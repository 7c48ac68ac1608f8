//! `AWS::DynamoDB::Table`, as the `CreateTable` request that makes it.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Context;
use crate::template::declaration::Declaration;
use crate::template::error::{Problem, Problems};
use crate::template::model::Table;
use crate::template::node::Fields;
use crate::template::yaml::Node;

const SUPPORTED: [&str; 8] = [
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "TableName",
    "TimeToLiveSpecification",
];
/// Safety, encryption, insight and price of data that ends with the process.
const WITHOUT_EFFECT: [&str; 6] = [
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "TableClass",
    "Tags",
];

/// Reads a table.
pub(in crate::template) fn read(declaration: &Declaration, context: &Context<'_>) -> Result<Table, Problems> {
    let properties = declaration.resolve(context.scope, &SUPPORTED, &WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    let name = context.identity(declaration)?.name.clone();
    Ok(Table {
        logical_id: declaration.logical_id.clone(),
        create_table: request(&name, fields)?,
        name,
        time_to_live_attribute: fields.read("TimeToLiveSpecification", time_to_live)?.flatten(),
    })
}

/// The `CreateTable` request.
fn request(name: &str, fields: Fields<'_>) -> Result<Value, Problems> {
    let definitions = fields.require("AttributeDefinitions")?;
    let modes = ["PAY_PER_REQUEST", "PROVISIONED"];
    let mode = fields
        .read("BillingMode", |node| node.one_of(&modes))?
        .unwrap_or("PROVISIONED");
    let on_demand = mode == "PAY_PER_REQUEST";
    let mut keys = BTreeSet::new();
    let mut request = Map::new();
    let mut add = |name: &str, value: Value| request.insert(name.to_owned(), value);
    add("TableName", json!(name));
    add("BillingMode", json!(mode));
    add("AttributeDefinitions", attribute_definitions(definitions)?);
    add("KeySchema", key_schema(fields.require("KeySchema")?, &mut keys)?);
    if let Some(throughput) = throughput(fields, on_demand)? {
        add("ProvisionedThroughput", throughput);
    }
    for (kind, billing) in [
        ("GlobalSecondaryIndexes", Some(on_demand)),
        ("LocalSecondaryIndexes", None),
    ] {
        if let Some(node) = fields.get(kind) {
            let indexes = node.items()?.iter().map(|node| index(node, billing, &mut keys));
            add(kind, Value::Array(indexes.collect::<Result<_, _>>()?));
        }
    }
    check_definitions(definitions, &keys)?;
    Ok(Value::Object(request))
}

fn attribute_definitions(node: &Node) -> Result<Value, Problems> {
    let definition = |node: &Node| {
        let fields = node.fields()?;
        fields.allow(&["AttributeName", "AttributeType"], &[])?;
        let name = fields.require("AttributeName")?.text()?;
        let kind = fields.require("AttributeType")?.one_of(&["B", "N", "S"])?;
        Ok(json!({ "AttributeName": name, "AttributeType": kind }))
    };
    let definitions: Result<Vec<Value>, Problems> = node.items()?.iter().map(definition).collect();
    Ok(Value::Array(definitions?))
}

/// A partition key, and a sort key after it where there is one.
fn key_schema(node: &Node, keys: &mut BTreeSet<String>) -> Result<Value, Problems> {
    let mut schema = Vec::new();
    for (index, element) in node.items()?.iter().enumerate() {
        let fields = element.fields()?;
        fields.allow(&["AttributeName", "KeyType"], &[])?;
        let name = fields.require("AttributeName")?.text()?;
        let expected = match index {
            0 => "HASH",
            1 => "RANGE",
            _ => return Err(element.problem("a key has at most two attributes").into()),
        };
        let kind = fields.require("KeyType")?.one_of(&[expected])?;
        keys.insert(name.to_owned());
        schema.push(json!({ "AttributeName": name, "KeyType": kind }));
    }
    if schema.is_empty() {
        return Err(node.problem("a key has at least one attribute").into());
    }
    Ok(Value::Array(schema))
}

/// DynamoDB demands capacity of a provisioned table and refuses it for one on demand.
fn throughput(fields: Fields<'_>, on_demand: bool) -> Result<Option<Value>, Problems> {
    const NAME: &str = "ProvisionedThroughput";
    if on_demand {
        return match fields.get(NAME) {
            Some(node) => Err(node.problem("not with `BillingMode: PAY_PER_REQUEST`").into()),
            None => Ok(None),
        };
    }
    let throughput = fields.require(NAME)?.fields()?;
    throughput.allow(&["ReadCapacityUnits", "WriteCapacityUnits"], &[])?;
    let units = |name| throughput.require(name)?.integer(1..=u32::MAX);
    Ok(Some(json!({
        "ReadCapacityUnits": units("ReadCapacityUnits")?,
        "WriteCapacityUnits": units("WriteCapacityUnits")?,
    })))
}

/// A secondary index; a global one has capacity of its own, as the table's billing mode has it.
fn index(node: &Node, on_demand: Option<bool>, keys: &mut BTreeSet<String>) -> Result<Value, Problems> {
    let fields = node.fields()?;
    let names: &[&str] = match on_demand {
        Some(_) => &["IndexName", "KeySchema", "Projection", "ProvisionedThroughput"],
        None => &["IndexName", "KeySchema", "Projection"],
    };
    fields.allow(names, &["ContributorInsightsSpecification"])?;
    let mut index = Map::new();
    index.insert(
        "IndexName".to_owned(),
        json!(fields.require("IndexName")?.text()?),
    );
    index.insert(
        "KeySchema".to_owned(),
        key_schema(fields.require("KeySchema")?, keys)?,
    );
    index.insert(
        "Projection".to_owned(),
        projection(fields.require("Projection")?)?,
    );
    if let Some(on_demand) = on_demand
        && let Some(throughput) = throughput(fields, on_demand)?
    {
        index.insert("ProvisionedThroughput".to_owned(), throughput);
    }
    Ok(Value::Object(index))
}

fn projection(node: &Node) -> Result<Value, Problems> {
    let fields = node.fields()?;
    fields.allow(&["NonKeyAttributes", "ProjectionType"], &[])?;
    let kind = fields
        .require("ProjectionType")?
        .one_of(&["ALL", "INCLUDE", "KEYS_ONLY"])?;
    Ok(match fields.read("NonKeyAttributes", Node::texts)? {
        Some(attributes) => json!({ "ProjectionType": kind, "NonKeyAttributes": attributes }),
        None => json!({ "ProjectionType": kind }),
    })
}

/// DynamoDB wants the attributes of the keys defined, and no others.
fn check_definitions(definitions: &Node, keys: &BTreeSet<String>) -> Result<(), Problem> {
    let names = definitions
        .items()?
        .iter()
        .map(|node| node.fields()?.require("AttributeName")?.text());
    let defined: Result<BTreeSet<&str>, Problem> = names.collect();
    let (defined, used) = (defined?, keys.iter().map(String::as_str).collect());
    if defined == used {
        return Ok(());
    }
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!("expected exactly the attributes of the keys ({})", list(used));
    Err(definitions.problem(format!("{message}, found {}", list(defined))))
}

fn time_to_live(node: &Node) -> Result<Option<String>, Problems> {
    let fields = node.fields()?;
    fields.allow(&["AttributeName", "Enabled"], &[])?;
    let enabled = fields.require("Enabled")?.boolean()?;
    let attribute = fields.require("AttributeName")?.text()?;
    Ok(enabled.then(|| attribute.to_owned()))
}
