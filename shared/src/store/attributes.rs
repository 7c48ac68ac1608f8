//! Records as DynamoDB items: JSON to attribute values and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};

/// An item, as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A JSON object as an item.
pub(super) fn to_item(object: Map<String, Value>) -> Item {
    object
        .into_iter()
        .map(|(name, value)| (name, to_attribute(value)))
        .collect()
}

/// An item as a JSON object.
pub(super) fn from_item(item: Item) -> Value {
    Value::Object(
        item.into_iter()
            .map(|(name, value)| (name, from_attribute(value)))
            .collect(),
    )
}

fn to_attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(truth) => AttributeValue::Bool(truth),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(to_attribute).collect()),
        Value::Object(object) => AttributeValue::M(to_item(object)),
    }
}

/// The kinds that [`to_attribute`] never writes (sets, binary) read as null.
fn from_attribute(attribute: AttributeValue) -> Value {
    match attribute {
        AttributeValue::Bool(truth) => Value::Bool(truth),
        // DynamoDB keeps numbers as decimals: what was written as 1.0 comes back as 1. Both read as a float.
        AttributeValue::N(number) => number.parse().map_or(Value::Null, Value::Number),
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::L(values) => Value::Array(values.into_iter().map(from_attribute).collect()),
        AttributeValue::M(item) => from_item(item),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_comes_back_as_it_was() {
        let object = json!({
            "text": "ä", "number": 17, "fraction": 0.25, "large": u64::MAX, "yes": true, "nothing": null,
            "list": [1, "two", {"three": 3}], "map": {"empty": {}},
        });
        let Value::Object(map) = object.clone() else {
            panic!("not an object")
        };
        assert_eq!(from_item(to_item(map)), object);
    }
}
