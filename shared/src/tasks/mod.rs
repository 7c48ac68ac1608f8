//! The tasks that clients can ask for. To add one: a file beside this one that implements [`Task`], its `mod` and
//! `pub use` here, and a line in [`KINDS`].

mod mandelbrot;
mod sleep;

use serde_json::{Map, Number, Value};

use crate::task::{AnyTask, InvalidParameter, Task};

pub use mandelbrot::Mandelbrot;
pub use sleep::Sleep;

/// Every kind of task.
const KINDS: &[Kind] = &[
    Kind::of::<Sleep>(), //
    Kind::of::<Mandelbrot>(),
];

/// One registered kind: its name and how its parameters are read.
struct Kind {
    name: &'static str,
    parse: fn(Value) -> Result<AnyTask, InvalidParameter>,
}

impl Kind {
    const fn of<T: Task>() -> Self {
        Self {
            name: T::KIND,
            parse: parse_as::<T>,
        }
    }
}

/// Reads a task of the given kind from its parameters, and checks them.
///
/// # Errors
///
/// `kind` is unknown, or a parameter is missing, unknown, of the wrong type or out of range; the error names it.
pub fn parse(kind: &str, parameters: Map<String, Value>) -> Result<AnyTask, InvalidParameter> {
    let Some(registered) = KINDS.iter().find(|registered| registered.name == kind) else {
        let known = KINDS
            .iter()
            .map(|registered| registered.name)
            .collect::<Vec<_>>()
            .join(", ");
        return Err(InvalidParameter::new(
            "kind",
            format!("kind must be one of: {known}"),
        ));
    };
    (registered.parse)(Value::Object(parameters))
}

fn parse_as<T: Task>(parameters: Value) -> Result<AnyTask, InvalidParameter> {
    let task: T = serde_path_to_error::deserialize(with_integers(parameters)).map_err(|error| {
        let field = match error.path().to_string() {
            path if path == "." => quoted_field(&error.inner().to_string()),
            path => path,
        };
        let detail = format!("{field}: {}", error.into_inner());
        InvalidParameter::new(field, detail)
    })?;
    task.validate()?;
    Ok(Box::new(task))
}

/// To JSON, 164.0 is the integer 164, and there are clients that write it so; Serde takes it for no integer.
fn with_integers(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(integer(&number).unwrap_or(number)),
        Value::Array(values) => values.into_iter().map(with_integers).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, with_integers(value)))
            .collect(),
        other => other,
    }
}

/// The integer that a number with a decimal point is, if a float can hold it exactly.
fn integer(number: &Number) -> Option<Number> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let float = number
        .as_f64()
        .filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() <= LARGEST)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it has no fraction and is in range"
    )]
    Some((float as i64).into())
}

/// A missing or unknown field is not part of the path at which serde fails; its message has the name in backticks.
fn quoted_field(message: &str) -> String {
    message.split('`').nth(1).unwrap_or("body").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_refused(kind: &str, parameters: Value) -> String {
        let Value::Object(parameters) = parameters else {
            panic!("not an object")
        };
        parse(kind, parameters)
            .err()
            .map(|error| error.field)
            .unwrap_or_default()
    }

    #[test]
    fn a_refusal_names_the_field() {
        use serde_json::json;
        assert_eq!(field_refused("nap", json!({})), "kind");
        assert_eq!(field_refused("sleep", json!({})), "millis");
        assert_eq!(field_refused("sleep", json!({"millis": "long"})), "millis");
        assert_eq!(field_refused("sleep", json!({"millis": -1})), "millis");
        assert_eq!(field_refused("sleep", json!({"millis": 900_001})), "millis");
        assert_eq!(field_refused("sleep", json!({"millis": 1, "extra": 2})), "extra");
        assert_eq!(field_refused("sleep", json!({"millis": 1})), "");
        assert_eq!(field_refused("sleep", json!({"millis": 0.5})), "millis");
        assert_eq!(field_refused("sleep", json!({"millis": 1e300})), "millis");
        let small = json!({"width": 0, "height": 1, "max_iterations": 1});
        assert_eq!(field_refused("mandelbrot", small), "width");
    }

    #[test]
    fn an_integer_may_be_written_with_a_decimal_point() {
        use serde_json::json;
        assert_eq!(field_refused("sleep", json!({"millis": 164.0})), "");
        assert_eq!(field_refused("sleep", json!({"millis": -0.0})), "");
        let nested = with_integers(json!({"a": [1.0, 1.5, {"b": -2.0}], "c": "1.0"}));
        assert_eq!(nested, json!({"a": [1, 1.5, {"b": -2}], "c": "1.0"}));
    }
}
