//! Typed reading of nodes: text, numbers, lists, maps. Every failure names the place and what was expected.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::error::{Problem, Problems};
use super::yaml::{Node, Value};

impl Node {
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        self.place.problem(message)
    }

    /// "expected X, found Y".
    pub(super) fn expected(&self, what: &str) -> Problem {
        let found = match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Scalar(text) => format!("`{}`", shortened(text)),
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a map".to_owned(),
            Value::Call(intrinsic, _) => format!("the intrinsic function {}", intrinsic.name()),
        };
        self.problem(format!("expected {what}, found {found}"))
    }

    pub(super) fn text(&self) -> Result<&str, Problem> {
        match &self.value {
            Value::Scalar(text) => Ok(text),
            _ => Err(self.expected("text")),
        }
    }

    /// Text that is one of these words.
    pub(super) fn one_of(&self, words: &[&'static str]) -> Result<&'static str, Problem> {
        let found = self.text()?;
        words
            .iter()
            .copied()
            .find(|word| *word == found)
            .ok_or_else(|| self.expected(&format!("one of {}", words.join(", "))))
    }

    pub(super) fn boolean(&self) -> Result<bool, Problem> {
        match self.text() {
            Ok("true") => Ok(true),
            Ok("false") => Ok(false),
            _ => Err(self.expected("true or false")),
        }
    }

    /// A whole number within the bounds.
    pub(super) fn integer<T>(&self, bounds: RangeInclusive<T>) -> Result<T, Problem>
    where
        T: FromStr + PartialOrd + Display,
    {
        let number = self.text().ok().and_then(|text| text.parse().ok());
        number.filter(|number| bounds.contains(number)).ok_or_else(|| {
            self.expected(&format!(
                "a whole number from {} to {}",
                bounds.start(),
                bounds.end()
            ))
        })
    }

    pub(super) fn items(&self) -> Result<&[Node], Problem> {
        match &self.value {
            Value::Sequence(items) => Ok(items),
            _ => Err(self.expected("a list")),
        }
    }

    /// The items of a list, or the node alone where something else stands: AWS takes both in many places.
    pub(super) fn one_or_more(&self) -> &[Node] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self) -> Result<Vec<String>, Problem> {
        self.items()?
            .iter()
            .map(|item| item.text().map(str::to_owned))
            .collect()
    }

    /// The one text, or the texts of a list.
    pub(super) fn one_or_more_texts(&self) -> Result<Vec<String>, Problem> {
        self.one_or_more()
            .iter()
            .map(|item| item.text().map(str::to_owned))
            .collect()
    }

    pub(super) fn fields(&self) -> Result<Fields<'_>, Problem> {
        match &self.value {
            Value::Mapping(entries) => Ok(Fields { node: self, entries }),
            _ => Err(self.expected("a map")),
        }
    }
}

/// The entries of a map, in the order of the template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'node> {
    node: &'node Node,
    entries: &'node [(String, Node)],
}

impl<'node> Fields<'node> {
    pub(super) fn entries(&self) -> &'node [(String, Node)] {
        self.entries
    }

    pub(super) fn get(&self, name: &str) -> Option<&'node Node> {
        self.entries
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, node)| node)
    }

    pub(super) fn require(&self, name: &str) -> Result<&'node Node, Problem> {
        self.get(name)
            .ok_or_else(|| self.node.problem(format!("`{name}` is missing")))
    }

    /// Reads a field where it is given.
    pub(super) fn read<T, E>(
        &self,
        name: &str,
        read: impl FnOnce(&'node Node) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        self.get(name).map(read).transpose()
    }

    /// Refuses, all at once, the entries that are in neither list.
    pub(super) fn allow(&self, supported: &[&str], without_effect: &[&str]) -> Result<(), Problems> {
        let mut problems = Problems::default();
        for (name, node) in self.entries {
            if !supported.contains(&name.as_str()) && !without_effect.contains(&name.as_str()) {
                problems.push(node.problem("not supported by the local cloud"));
            }
        }
        problems.check()
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}
