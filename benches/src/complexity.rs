//! What there is to deploy and to understand, counted in the templates and the sources: nobody's opinion.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use granit_parser::{Event, Options, Parser, StrInput, options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::variant::Variant;
use crate::workspace;

/// What was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Complexity {
    /// Functions in the template.
    pub functions: u64,
    /// Resources in the template, those that SAM adds not counted.
    pub resources: u64,
    /// Queues that Lambda polls, each by an event source mapping.
    pub event_source_mappings: u64,
    /// Permissions: actions in the statements of all policies.
    pub iam_actions: u64,
    /// Parameters that have no default: what must be decided, or made, before it can be deployed.
    pub required_parameters: u64,
    /// Steps from the sources to a stack that is up: a package for each function and an image for each container, each built
    /// and uploaded; a decision for each required parameter; and the stack itself.
    #[serde(default)]
    pub deployment_steps: u64,
    /// Lines of Rust that are its own, without blank lines, comments and tests; `None` where the source is not here.
    pub lines: Option<u64>,
}

/// Counts.
///
/// # Errors
/// Fails when the template cannot be read.
pub fn count(variant: Variant) -> Result<Complexity> {
    let root = workspace::root();
    let path = if variant.is_variant() {
        root.join("infra").join(format!("{variant}.yaml"))
    } else {
        root.join(variant.template())
    };
    let template = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut complexity =
        count_template(&template).with_context(|| format!("cannot count in {}", path.display()))?;
    let sources = variant.sources().iter();
    complexity.lines = sources.map(|source| lines_of(&root.join(source))).sum();
    Ok(complexity)
}

fn lines_of(path: &Path) -> Option<u64> {
    if path.is_dir() {
        let entries = fs::read_dir(path).ok()?;
        return entries.map(|entry| lines_of(&entry.ok()?.path())).sum();
    }
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    Some(if is_rust {
        lines_of_code(&fs::read_to_string(path).ok()?)
    } else {
        0
    })
}

/// Up to the tests, which stand last in a file.
fn lines_of_code(source: &str) -> u64 {
    source
        .lines()
        .map(str::trim)
        .take_while(|line| *line != "#[cfg(test)]")
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count() as u64
}

fn count_template(template: &str) -> Result<Complexity> {
    let template = Node::parse(template)?;
    let resources = template.at("Resources").context("there are no Resources")?;
    let of_type = |kind: &str| {
        let all = resources.entries().iter();
        all.filter(|(_, resource)| resource.at("Type").and_then(Node::text) == Some(kind))
            .count() as u64
    };
    let parameters = template.at("Parameters").map(Node::entries).unwrap_or_default();
    let required = parameters
        .iter()
        .filter(|(_, parameter)| parameter.at("Default").is_none());
    let required_parameters = required.count() as u64;
    let functions = of_type("AWS::Serverless::Function");
    Ok(Complexity {
        functions,
        resources: resources.entries().len() as u64,
        event_source_mappings: of_type("AWS::Lambda::EventSourceMapping"),
        iam_actions: resources.actions(),
        required_parameters,
        deployment_steps: functions + of_type("AWS::ECS::TaskDefinition") + required_parameters + 1,
        lines: None,
    })
}

/// A YAML document, as much of it as counting needs: tags are passed over.
enum Node {
    Text(String),
    List(Vec<Node>),
    Entries(Vec<(String, Node)>),
}

impl Node {
    fn parse(text: &str) -> Result<Self> {
        let options: Options = options! { emit_comments: false };
        let mut events = Parser::new_from_str_with_options(text, options);
        loop {
            match next(&mut events)? {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd => bail!("the document is empty"),
                event => return Self::read(&mut events, event),
            }
        }
    }

    fn read<'text>(events: &mut Parser<'text, StrInput<'text>>, first: Event<'text>) -> Result<Self> {
        match first {
            Event::Scalar(text, ..) => Ok(Self::Text(text.into_owned())),
            Event::SequenceStart(..) => {
                let mut list = Vec::new();
                loop {
                    match next(events)? {
                        Event::SequenceEnd => return Ok(Self::List(list)),
                        event => list.push(Self::read(events, event)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    let key = match next(events)? {
                        Event::MappingEnd => return Ok(Self::Entries(entries)),
                        Event::Scalar(key, ..) => key.into_owned(),
                        other => bail!("a key is no text: {other:?}"),
                    };
                    let value = next(events)?;
                    entries.push((key, Self::read(events, value)?));
                }
            }
            other => bail!("not expected: {other:?}"),
        }
    }

    fn at(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Entries(entries) => entries,
            Self::Text(_) | Self::List(_) => &[],
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Entries(_) => None,
        }
    }

    /// Actions of every statement below that allows something, those of trust policies left out.
    fn actions(&self) -> u64 {
        match self {
            Self::Text(_) => 0,
            Self::List(list) => list.iter().map(Self::actions).sum(),
            Self::Entries(entries) => entries
                .iter()
                .filter(|(key, _)| key != "AssumeRolePolicyDocument")
                .map(|(key, value)| match (key.as_str(), value) {
                    ("Action", Self::Text(_)) => 1,
                    ("Action", Self::List(actions)) => actions.len() as u64,
                    (_, value) => value.actions(),
                })
                .sum(),
        }
    }
}

fn next<'text>(events: &mut Parser<'text, StrInput<'text>>) -> Result<Event<'text>> {
    let (event, _) = events
        .next()
        .context("the document breaks off")?
        .map_err(|error| anyhow::anyhow!("not valid YAML: {}", error.info()))?;
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Parameters:
  Given: {Type: String, Default: x}
  Wanted: {Type: String}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - Statement:
            - Action: [a:One, a:Two]
              Resource: !GetAtt Queue.Arn
            - Action: b:Three
  Mapping: {Type: AWS::Lambda::EventSourceMapping}
  Queue: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Action: 'sts:AssumeRole'}]}
";

    #[test]
    fn a_template_is_counted() {
        let expected = Complexity {
            functions: 1,
            resources: 4,
            event_source_mappings: 1,
            iam_actions: 3,
            required_parameters: 1,
            deployment_steps: 3,
            lines: None,
        };
        assert_eq!(count_template(TEMPLATE).unwrap(), expected);
    }

    #[test]
    fn comments_blanks_and_tests_are_no_lines() {
        let source = "//! Says.\n\nfn main() {\n    // Why.\n    go();\n}\n\n#[cfg(test)]\nmod tests {}\n";
        assert_eq!(lines_of_code(source), 3);
    }

    #[test]
    fn every_way_can_be_counted() {
        for variant in Variant::BASELINES {
            let complexity = count(variant).unwrap();
            assert!(complexity.lines.is_some_and(|lines| lines > 5), "{variant}");
        }
        for variant in Variant::ALL {
            let complexity = count(variant).unwrap();
            assert_eq!(complexity.functions, variant.functions() as u64, "{variant}");
            assert!(complexity.lines.is_some_and(|lines| lines > 20), "{variant}");
            assert!(
                complexity.iam_actions > 5 && complexity.required_parameters == 0,
                "{variant}"
            );
        }
    }
}
