//! Tests of the reader as a whole: small templates in, stacks or problems out.

mod api;
mod circles;
mod documents;
mod functions;
mod intrinsics;
mod mappings;
mod parameters;
mod policies;
mod project;
mod queues_and_tables;
mod resources;
mod services;

use std::collections::BTreeMap;
use std::path::Path;

use super::{Function, Settings, Stack, stack};

fn settings() -> Settings {
    Settings {
        region: "eu-central-1".to_owned(),
        account_id: "123456789012".to_owned(),
        endpoint_url: "http://127.0.0.1:4566".to_owned(),
        api_url: "http://127.0.0.1:3000".to_owned(),
        stack_name: "test".to_owned(),
        parameters: BTreeMap::new(),
    }
}

fn with_parameters(values: &[(&str, &str)]) -> Settings {
    let parameters = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Settings {
        parameters,
        ..settings()
    }
}

/// The stack of a good template.
fn read(template: &str) -> Stack {
    read_with(template, &settings())
}

fn read_with(template: &str, settings: &Settings) -> Stack {
    match stack::read(template.as_bytes(), Path::new(""), settings) {
        Ok(stack) => stack,
        Err(problems) => panic!("{:?}\nin\n{template}", problems.into_sorted()),
    }
}

/// The problems of a bad template, as `line: path: message`.
fn problems(template: impl AsRef<[u8]>) -> Vec<String> {
    problems_with(template, &settings())
}

fn problems_with(template: impl AsRef<[u8]>, settings: &Settings) -> Vec<String> {
    match stack::read(template.as_ref(), Path::new(""), settings) {
        Ok(stack) => panic!("accepted: {stack:?}"),
        Err(problems) => problems.into_sorted().iter().map(ToString::to_string).collect(),
    }
}

/// Asserts that a template has exactly one problem, and that it is this one.
#[track_caller]
fn assert_refused(template: impl AsRef<[u8]>, expected: &str) {
    let found = problems(&template);
    let start = String::from_utf8_lossy(&template.as_ref()[..template.as_ref().len().min(2000)]);
    assert!(
        matches!(found.as_slice(), [only] if only.contains(expected)),
        "expected `{expected}`, found {found:#?} in\n{start}"
    );
}

/// A template with these resources, whose first line is line 3.
fn template(resources: &str) -> String {
    format!("Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}")
}

/// A good function `F`, with more properties from line 10 on, indented by six spaces.
fn function_resource(more: &str) -> String {
    named_function("F", more)
}

fn named_function(logical_id: &str, more: &str) -> String {
    format!(
        "  {logical_id}:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: rust-cargolambda, BuildProperties: {{Binary: worker}}}}
    Properties:
      CodeUri: .
      Handler: bootstrap
      Runtime: provided.al2023
{more}
"
    )
}

/// A template with the function `F`.
fn function_template(more: &str) -> String {
    template(&function_resource(more))
}

/// The function `F` of such a template.
fn function(more: &str) -> Function {
    read(&function_template(more)).functions.remove(0)
}
