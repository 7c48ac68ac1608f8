//! Parameters: defaults, values from outside, and their bounds.

use super::{assert_refused, function_resource, problems_with, read_with, settings, with_parameters};

fn parameter_template(parameter: &str) -> String {
    let output = "Outputs:\n  Value: {Value: !Ref P}\n";
    let head = format!("Transform: AWS::Serverless-2016-10-31\nParameters:\n  P: {{{parameter}}}\n");
    format!("{head}Resources:\n{}{output}", function_resource(""))
}

fn value(parameter: &str, given: &[(&str, &str)]) -> String {
    read_with(&parameter_template(parameter), &with_parameters(given)).outputs[0]
        .value
        .clone()
}

#[test]
fn a_given_value_replaces_the_default() {
    assert_eq!(value("Type: String, Default: a", &[]), "a");
    assert_eq!(value("Type: String, Default: a", &[("P", "b")]), "b");
    assert_eq!(value("Type: Number", &[("P", "1.5")]), "1.5");
    assert_eq!(value("Type: String, Default: ''", &[]), "");
}

#[test]
fn a_parameter_without_a_value_is_named() {
    assert_refused(
        parameter_template("Type: String"),
        "3: Parameters.P: has no default and was given no value: set it with `--parameter P=…`",
    );
}

#[test]
fn an_unknown_parameter_is_named_with_those_that_exist() {
    let found = problems_with(
        parameter_template("Type: String, Default: a"),
        &with_parameters(&[("TaskTimeOut", "1")]),
    );
    assert_eq!(
        found,
        ["2: Parameters: there is no parameter `TaskTimeOut`; the template has P"]
    );
    let none = super::function_template("");
    let found = problems_with(none, &with_parameters(&[("X", "1")]));
    assert_eq!(
        found,
        ["1: Parameters: there is no parameter `X`; the template has none"]
    );
}

#[test]
fn bounds_are_checked_for_defaults_and_given_values() {
    for (parameter, given, expected) in [
        (
            "Type: Number, Default: 900, MaxValue: 800",
            None,
            "at most 800, found `900`",
        ),
        ("Type: Number, MinValue: 2", Some("1"), "at least 2, found `1`"),
        ("Type: Number", Some("many"), "expected a number, found `many`"),
        ("Type: Number", Some("NaN"), "expected a number, found `NaN`"),
        (
            "Type: String, AllowedValues: [a, b]",
            Some("c"),
            "expected one of a, b, found `c`",
        ),
        (
            "Type: String, MinLength: 2",
            Some("é"),
            "at least 2 characters, found 1",
        ),
        (
            "Type: String, MaxLength: 2",
            Some("éèê"),
            "at most 2 characters, found 3",
        ),
        (
            "Type: CommaDelimitedList, AllowedValues: [a]",
            Some("a,b"),
            "expected one of a, found `b`",
        ),
        (
            "Type: 'List<Number>'",
            Some("1,x"),
            "expected a number, found `x`",
        ),
        (
            "Type: 'AWS::EC2::KeyPair::KeyName', Default: x",
            None,
            "expected one of String, Number",
        ),
        ("Default: x", None, "`Type` is missing"),
        (
            "Type: String, Default: x, Unknown: y",
            None,
            "P.Unknown: not supported",
        ),
    ] {
        let settings = given.map_or_else(settings, |given| with_parameters(&[("P", given)]));
        let found = problems_with(parameter_template(parameter), &settings).join("\n");
        assert!(found.contains(expected), "{parameter}: {found}");
    }
}

#[test]
fn what_matters_to_the_console_alone_is_passed_over() {
    let parameter = "Type: String, Default: a, NoEcho: true, AllowedPattern: 'x+', Description: d, ConstraintDescription: c";
    assert_eq!(value(parameter, &[]), "a");
}

#[test]
fn a_list_is_split_and_trimmed() {
    let template = parameter_template("Type: CommaDelimitedList, Default: 'a, b ,c'")
        .replace("!Ref P", "!Join ['|', !Ref P]");
    assert_eq!(read_with(&template, &settings()).outputs[0].value, "a|b|c");
}
