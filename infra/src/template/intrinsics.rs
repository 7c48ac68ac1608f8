//! Resolves the intrinsic functions of a value, with what is known by then: pseudo parameters, parameters,
//! mappings, conditions and the identities of resources. Conditions themselves are evaluated in `conditions`.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::Settings;
use super::error::Problem;
use super::identity::Identity;
use super::parameters::{Parameter, Parameters};
use super::substitution::{self, Arguments, Piece};
use super::yaml::{Intrinsic, Node, Value};

/// Bytes of text that one reading may produce: nested `Fn::Sub` can double its text at each level.
const MOST_TEXT: usize = 64 * 1024 * 1024;

/// Everything that a value can refer to.
pub(super) struct Scope<'a> {
    pub(super) settings: &'a Settings,
    pub(super) parameters: Parameters,
    pub(super) mappings: Option<&'a Node>,
    pub(super) conditions: BTreeMap<String, bool>,
    /// The resources that exist, by logical id; each is known once all that it depends on is.
    pub(super) identities: BTreeMap<String, Identity>,
    /// The resources whose condition is false.
    pub(super) absent: BTreeSet<String>,
    text_left: Cell<usize>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(settings: &'a Settings, parameters: Parameters, mappings: Option<&'a Node>) -> Self {
        Self {
            settings,
            parameters,
            mappings,
            conditions: BTreeMap::new(),
            identities: BTreeMap::new(),
            absent: BTreeSet::new(),
            text_left: Cell::new(MOST_TEXT),
        }
    }

    /// The value without intrinsic functions, or nothing where `AWS::NoValue` stands for it.
    pub(super) fn resolve(&self, node: &Node) -> Result<Option<Node>, Problem> {
        let value = match &node.value {
            Value::Null => return Err(node.expected("a value")),
            Value::Scalar(text) => {
                self.charge(text.len(), node)?;
                Value::Scalar(text.clone())
            }
            Value::Sequence(items) => {
                let resolved: Result<Vec<_>, _> = items
                    .iter()
                    .filter_map(|item| self.resolve(item).transpose())
                    .collect();
                Value::Sequence(resolved?)
            }
            Value::Mapping(entries) => {
                let mut resolved = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    if let Some(value) = self.resolve(value)? {
                        resolved.push((key.clone(), value));
                    }
                }
                Value::Mapping(resolved)
            }
            Value::Call(Intrinsic::Ref, argument) if argument.text() == Ok("AWS::NoValue") => {
                return Ok(None);
            }
            Value::Call(Intrinsic::If, argument) => return self.resolve(self.branch(argument)?),
            Value::Call(intrinsic, argument) => self.call(*intrinsic, argument, node)?,
        };
        self.charge(size_of::<Node>() + node.place.path.len(), node)?;
        Ok(Some(Node {
            place: node.place.clone(),
            value,
        }))
    }

    /// The value, where it must be there.
    pub(super) fn value(&self, node: &Node) -> Result<Node, Problem> {
        self.resolve(node)?
            .ok_or_else(|| node.problem("AWS::NoValue cannot stand here"))
    }

    /// The value, where it must be text.
    pub(super) fn text(&self, node: &Node) -> Result<String, Problem> {
        self.value(node)?.text().map(str::to_owned)
    }

    /// Whether the condition with this name holds.
    pub(super) fn condition(&self, name: &Node) -> Result<bool, Problem> {
        let text = name.text()?;
        self.conditions
            .get(text)
            .copied()
            .ok_or_else(|| name.problem(format!("there is no condition `{text}` in this template")))
    }

    /// The branch of `Fn::If` that is taken.
    pub(super) fn branch<'node>(&self, argument: &'node Node) -> Result<&'node Node, Problem> {
        match argument.items()? {
            [condition, holds, fails] => Ok(if self.condition(condition)? { holds } else { fails }),
            _ => {
                Err(argument.problem("expected a list of three: condition, value if it holds, value if not"))
            }
        }
    }

    fn call(&self, intrinsic: Intrinsic, argument: &Node, node: &Node) -> Result<Value, Problem> {
        match intrinsic {
            Intrinsic::Ref => self.reference(argument.text()?, argument),
            Intrinsic::GetAtt => {
                let (resource, attribute) = self.attribute_names(argument)?;
                self.attribute(&resource, &attribute, argument).map(Value::Scalar)
            }
            Intrinsic::Sub => self.substitute(argument).map(Value::Scalar),
            Intrinsic::Join => self.join(argument).map(Value::Scalar),
            Intrinsic::Select => self.select(argument),
            Intrinsic::Split => self.split(argument),
            Intrinsic::FindInMap => self.find_in_map(argument),
            Intrinsic::If
            | Intrinsic::Condition
            | Intrinsic::Equals
            | Intrinsic::And
            | Intrinsic::Or
            | Intrinsic::Not => {
                Err(node.problem(format!("{} can only stand in `Conditions`", intrinsic.name())))
            }
        }
    }

    fn reference(&self, name: &str, place: &Node) -> Result<Value, Problem> {
        if let Some(text) = self.pseudo_parameter(name) {
            return Ok(Value::Scalar(text));
        }
        match self.parameters.get(name) {
            Some(Parameter::Text(text)) => {
                self.charge(text.len(), place)?;
                Ok(Value::Scalar(text.clone()))
            }
            Some(Parameter::List(items)) => {
                let item = |text: &String| Node {
                    place: place.place.clone(),
                    value: Value::Scalar(text.clone()),
                };
                self.charge(
                    items.iter().map(|text| size_of::<Node>() + text.len()).sum(),
                    place,
                )?;
                Ok(Value::Sequence(items.iter().map(item).collect()))
            }
            None => Ok(Value::Scalar(
                self.identity(name, place)?.reference(self.settings),
            )),
        }
    }

    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>
    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let Settings {
            region,
            account_id,
            stack_name,
            ..
        } = self.settings;
        Some(match name {
            "AWS::Region" => region.clone(),
            "AWS::AccountId" => account_id.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackName" => stack_name.clone(),
            "AWS::StackId" => {
                format!("arn:aws:cloudformation:{region}:{account_id}:stack/{stack_name}/local")
            }
            _ => return None,
        })
    }

    fn identity(&self, logical_id: &str, place: &Node) -> Result<&Identity, Problem> {
        self.identities.get(logical_id).ok_or_else(|| {
            place.problem(if self.absent.contains(logical_id) {
                format!("`{logical_id}` does not exist: its condition is false")
            } else {
                format!("`{logical_id}` names nothing that can be referred to here")
            })
        })
    }

    /// Resource and attribute of `Fn::GetAtt`, from `Resource.Attribute` or `[Resource, Attribute]`.
    fn attribute_names(&self, argument: &Node) -> Result<(String, String), Problem> {
        let split = match &argument.value {
            Value::Scalar(text) => text
                .split_once('.')
                .map(|(one, other)| (one.to_owned(), other.to_owned())),
            Value::Sequence(items) => match items.as_slice() {
                [resource, attribute] => Some((resource.text()?.to_owned(), self.text(attribute)?)),
                _ => None,
            },
            _ => None,
        };
        split.ok_or_else(|| argument.expected("`Resource.Attribute` or a list of the two"))
    }

    fn attribute(&self, logical_id: &str, attribute: &str, place: &Node) -> Result<String, Problem> {
        self.identity(logical_id, place)?
            .attribute(attribute, self.settings)
            .map_err(|known| {
                let message =
                    format!("`{logical_id}` has no attribute `{attribute}` in the local cloud, but {known}");
                place.problem(message)
            })
    }

    fn substitute(&self, argument: &Node) -> Result<String, Problem> {
        let Arguments {
            text: template,
            variables,
        } = substitution::arguments(argument)?;
        let mut values = BTreeMap::new();
        for (name, value) in variables {
            values.insert(name.as_str(), self.text(value)?);
        }
        let mut result = String::new();
        for piece in substitution::pieces(template.text()?) {
            let text = match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Variable(name) => match values.get(name) {
                    Some(value) => value.clone(),
                    None => self.substituted(name, template)?,
                },
            };
            self.charge(text.len(), template)?;
            result.push_str(&text);
        }
        Ok(self.localised(result))
    }

    /// `${Name}` or `${Resource.Attribute}`.
    fn substituted(&self, name: &str, place: &Node) -> Result<String, Problem> {
        if let Some((logical_id, attribute)) = name.split_once('.') {
            return self.attribute(logical_id, attribute, place);
        }
        match self.reference(name, place)? {
            Value::Scalar(text) => Ok(text),
            _ => Err(place.problem(format!("`{name}` is a list, and Fn::Sub takes text"))),
        }
    }

    fn join(&self, argument: &Node) -> Result<String, Problem> {
        let [delimiter, list] = argument.items()? else {
            return Err(argument.problem("expected a list of two: delimiter and list"));
        };
        let (delimiter, list) = (delimiter.text()?, self.value(list)?);
        let mut joined = String::new();
        for (index, item) in list.items()?.iter().enumerate() {
            let text = item.text()?;
            self.charge(delimiter.len() + text.len(), argument)?;
            if index > 0 {
                joined.push_str(delimiter);
            }
            joined.push_str(text);
        }
        Ok(self.localised(joined))
    }

    fn select(&self, argument: &Node) -> Result<Value, Problem> {
        let [index, list] = argument.items()? else {
            return Err(argument.problem("expected a list of two: index and list"));
        };
        let (index, list) = (self.value(index)?, self.value(list)?);
        let chosen: usize = index.integer(0..=usize::MAX)?;
        match list.items()? {
            items if chosen < items.len() => Ok(items[chosen].value.clone()),
            items => Err(index.problem(format!("no item {chosen} in a list of {}", items.len()))),
        }
    }

    fn split(&self, argument: &Node) -> Result<Value, Problem> {
        let [delimiter, text] = argument.items()? else {
            return Err(argument.problem("expected a list of two: delimiter and text"));
        };
        let delimiter = delimiter.text()?;
        if delimiter.is_empty() {
            return Err(argument.problem("the delimiter is empty"));
        }
        let text = self.text(text)?;
        let parts: Vec<&str> = text.split(delimiter).collect();
        self.charge(
            parts.len() * (size_of::<Node>() + argument.place.path.len()),
            argument,
        )?;
        let node = |part: &str| Node {
            place: argument.place.clone(),
            value: Value::Scalar(part.to_owned()),
        };
        Ok(Value::Sequence(parts.into_iter().map(node).collect()))
    }

    fn find_in_map(&self, argument: &Node) -> Result<Value, Problem> {
        let [map, first, second] = argument.items()? else {
            return Err(argument.problem("expected a list of three: map, first key, second key"));
        };
        let keys = [self.text(map)?, self.text(first)?, self.text(second)?];
        let mut found = self.mappings;
        for key in &keys {
            found = match found {
                Some(node) => node.fields()?.get(key),
                None => None,
            };
        }
        let missing = || argument.problem(format!("`Mappings` has no {}", keys.join(".")));
        let value = found.ok_or_else(missing)?;
        // A map holds literal values alone: an intrinsic function in it is refused, not resolved.
        let texts = value.one_or_more_texts()?;
        self.charge(
            texts.iter().map(|text| size_of::<Node>() + text.len()).sum(),
            argument,
        )?;
        Ok(value.value.clone())
    }

    /// The public address of an API leads to AWS; here it is the address of the local one.
    fn localised(&self, text: String) -> String {
        if !text.contains(".execute-api.") {
            return text;
        }
        self.identities
            .values()
            .filter_map(|identity| identity.public_address(self.settings))
            .fold(text, |text, address| {
                text.replace(&address, self.settings.api_url.trim_end_matches('/'))
            })
    }

    fn charge(&self, size: usize, node: &Node) -> Result<(), Problem> {
        let left = self.text_left.get().checked_sub(size);
        self.text_left
            .set(left.ok_or_else(|| node.problem("the resolved template is too large"))?);
        Ok(())
    }
}
