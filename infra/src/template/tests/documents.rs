//! Files that are no template: each an error, never a panic, a hang or an exhausted memory.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{assert_refused, function_template, problems, read, settings, template};
use crate::template::{Problem, TemplateError, load};

#[test]
fn what_is_not_a_map_is_refused() {
    assert_refused("", "the template is empty");
    assert_refused("# only a comment\n", "the template is empty");
    assert_refused("---\n", "expected a map, found nothing");
    assert_refused("just text", "1: expected a map, found `just text`");
    assert_refused("- a\n- b\n", "expected a map, found a list");
}

#[test]
fn what_is_not_yaml_is_refused_with_its_line() {
    assert_refused("Resources:\n  A: [1, 2\n", "not valid YAML");
    assert_refused("Transform: x\nResources:\n\tA: b\n", "3: not valid YAML");
    assert_refused("a: *nowhere", "not valid YAML");
}

#[test]
fn what_is_not_utf8_is_refused_with_its_line() {
    assert_refused(
        b"Transform: x\nDescription: \xff\n",
        "2: the template is not UTF-8 text",
    );
}

#[test]
fn a_second_document_is_refused() {
    assert_refused("a: b\n---\nc: d\n", "a second YAML document");
}

#[test]
fn a_key_given_twice_is_refused() {
    assert_refused("Resources:\n  A: 1\n  A: 2\n", "3: Resources.A: given twice");
}

#[test]
fn keys_that_are_no_text_are_refused() {
    assert_refused("? [a, b]\n: c\n", "a key must be plain text");
    assert_refused(
        format!("? {}\n: c\n", "k".repeat(2000)),
        "a key must be plain text",
    );
}

#[test]
fn merge_keys_are_refused() {
    assert_refused("a: &a {b: c}\nd:\n  <<: *a\n", "3: d: YAML merge keys");
}

#[test]
fn deep_nesting_is_refused() {
    assert_refused(
        format!("a: {}{}", "[".repeat(100), "]".repeat(100)),
        "nested deeper than 64 levels",
    );
    assert_refused(format!("a: {}", "[".repeat(100_000)), "recursion limit exceeded");
    let mut blocks = String::new();
    for depth in 0..3000 {
        blocks.push_str(&" ".repeat(depth));
        blocks.push_str("a:\n");
    }
    assert_refused(blocks, "nested deeper than 64 levels");
    assert_refused(
        format!("a:\n{}x", "- ".repeat(200)),
        "nested deeper than 64 levels",
    );
}

#[test]
fn aliases_that_multiply_are_refused_quickly() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        let line = format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "));
        laughs.push_str(&line);
    }
    let start = Instant::now();
    assert_refused(laughs, "too large, with its aliases expanded");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn substitutions_that_multiply_are_refused_quickly() {
    let mut nested = "x".repeat(100);
    for _ in 0..25 {
        nested = format!("!Sub ['${{a}}${{a}}', {{a: {nested}}}]");
    }
    let start = Instant::now();
    let template = function_template(&format!("      Environment: {{Variables: {{BIG: {nested}}}}}"));
    let found = problems(template).join("\n");
    assert!(
        found.contains("nested deeper") || found.contains("too large"),
        "{found}"
    );
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn an_alias_inside_of_itself_is_refused() {
    assert_refused("a: &a [*a]\n", "inside of what it stands for");
}

#[test]
fn aliases_stand_for_their_anchor() {
    let more = "      Environment: {Variables: {ONE: &text first, TWO: *text}}";
    let stack = read(&function_template(more));
    assert_eq!(stack.functions[0].environment["TWO"], "first");
}

#[test]
fn tags_that_mean_nothing_are_refused() {
    assert_refused(
        "a: !Unknown b\n",
        "1: a: the intrinsic function or tag `!Unknown` is not supported",
    );
    assert_refused("a: !!binary aGk=\n", "`!!binary` is not supported");
}

#[test]
fn sections_that_are_not_supported_are_refused() {
    let template = format!("{}Rules: {{}}\nHooks: {{}}\n", function_template(""));
    let found = problems(template);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].ends_with("Rules: not supported by the local cloud"),
        "{found:?}"
    );
}

#[test]
fn the_header_is_checked() {
    assert_refused("Resources: {}\n", "Transform: missing");
    assert_refused(
        "Transform: Other\nResources: {}\n",
        "expected one of AWS::Serverless-2016-10-31",
    );
    let old = format!("AWSTemplateFormatVersion: 2009-01-01\n{}", function_template(""));
    assert_refused(old, "expected one of 2010-09-09");
    assert_refused(
        "Transform: AWS::Serverless-2016-10-31\n",
        "`Resources` is missing",
    );
    assert_refused(template("  {}\n"), "at least one resource");
}

#[test]
fn a_template_without_a_folder_in_its_path_stands_in_the_current_one() {
    let stack = read(&function_template(""));
    assert!(
        matches!(&stack.functions[0].code, crate::template::Code::CargoBinary { directory, .. }
        if *directory == std::env::current_dir().unwrap().canonicalize().unwrap())
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_name() {
    let error = load(Path::new("no/such/template.yaml"), &settings()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the template no/such/template.yaml cannot be read"
    );
}

#[test]
fn a_file_beyond_the_limit_of_cloudformation_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.yaml");
    fs::write(&file, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert!(matches!(
        load(&file, &settings()),
        Err(TemplateError::Read { .. })
    ));
}

#[test]
fn problems_are_reported_with_file_line_and_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.yaml");
    fs::write(
        &file,
        function_template("      Timeout: 1000\n      VpcConfig: {}"),
    )
    .unwrap();
    let error = load(&file, &settings()).unwrap_err();
    let expected = Problem {
        line: 11,
        path: "Resources.F.Properties.VpcConfig".to_owned(),
        message: "not supported by the local cloud".to_owned(),
    };
    assert!(matches!(&error, TemplateError::Invalid { problems, .. } if *problems == [expected]));
    let line = "bad.yaml:11: Resources.F.Properties.VpcConfig: not supported by the local cloud";
    assert!(error.to_string().ends_with(line), "{error}");
}
