//! From YAML text to a tree whose every node knows its line and path. Intrinsic functions, in the short form
//! (`!Ref x`) and the long one (`Ref: x`), become [`Value::Call`]; what they mean is not decided here.
//!
//! Scalars stay text, as CloudFormation treats them, but for two readings of YAML 1.1: the plain words for true
//! and false become `true` and `false`, and the plain words for nothing become [`Value::Null`].

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, Tag, options};

use super::error::{Place, Problem};

/// Nesting beyond this is refused: no template needs it, and every later step walks the tree recursively.
const DEEPEST: usize = 64;
/// Longest key; also what keeps the paths short.
const LONGEST_KEY: usize = 1024;
/// Bytes, roughly, that a tree may occupy once its aliases are expanded ("billion laughs").
const LARGEST_TREE: usize = 32 * 1024 * 1024;
/// Bytes, roughly, that a node occupies besides its text and its path.
const NODE_SIZE: usize = 96;

/// A value of the template and its place. For the value of a map the line is the one of its key.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(String, Node)>),
    Call(Intrinsic, Box<Node>),
}

/// The intrinsic functions that are read.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intrinsic {
    Ref,
    GetAtt,
    Sub,
    Join,
    If,
    Select,
    Split,
    FindInMap,
    Condition,
    Equals,
    And,
    Or,
    Not,
}

impl Intrinsic {
    /// By the name that follows `!`, which is also the one that follows `Fn::`.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Ref" => Self::Ref,
            "GetAtt" => Self::GetAtt,
            "Sub" => Self::Sub,
            "Join" => Self::Join,
            "If" => Self::If,
            "Select" => Self::Select,
            "Split" => Self::Split,
            "FindInMap" => Self::FindInMap,
            "Condition" => Self::Condition,
            "Equals" => Self::Equals,
            "And" => Self::And,
            "Or" => Self::Or,
            "Not" => Self::Not,
            _ => return None,
        })
    }

    /// The name of the long form.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ref => "Ref",
            Self::GetAtt => "Fn::GetAtt",
            Self::Sub => "Fn::Sub",
            Self::Join => "Fn::Join",
            Self::If => "Fn::If",
            Self::Select => "Fn::Select",
            Self::Split => "Fn::Split",
            Self::FindInMap => "Fn::FindInMap",
            Self::Condition => "Condition",
            Self::Equals => "Fn::Equals",
            Self::And => "Fn::And",
            Self::Or => "Fn::Or",
            Self::Not => "Fn::Not",
        }
    }
}

/// Reads one YAML document.
pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    let options: Options = options! { emit_comments: false };
    let mut tree = Tree {
        events: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        size: 0,
    };
    loop {
        match tree.next()? {
            (Event::StreamStart | Event::DocumentStart(..), _) => {}
            (Event::StreamEnd, _) => return Err(whole_document(1).problem("the template is empty")),
            (event, span) => {
                let root = tree.node(&event, span, whole_document(span.start.line()), 0)?;
                tree.expect_end()?;
                return Ok(root);
            }
        }
    }
}

fn whole_document(line: usize) -> Place {
    Place {
        line,
        path: String::new(),
    }
}

/// The tree under construction.
struct Tree<'text> {
    events: Parser<'text, StrInput<'text>>,
    /// The anchored nodes by the parser's number, each with its size.
    anchors: HashMap<usize, (Node, usize)>,
    size: usize,
}

impl<'text> Tree<'text> {
    fn next(&mut self) -> Result<(Event<'text>, Span), Problem> {
        match self.events.next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                let message = format!("not valid YAML: {}", error.info());
                Err(whole_document(error.marker().line()).problem(message))
            }
            None => Err(whole_document(1).problem("not valid YAML: the document ends too early")),
        }
    }

    fn expect_end(&mut self) -> Result<(), Problem> {
        loop {
            match self.next()? {
                (Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(()),
                (_, span) => {
                    let place = whole_document(span.start.line());
                    return Err(place.problem("a second YAML document: a template is one"));
                }
            }
        }
    }

    /// The node that starts with this event.
    fn node(
        &mut self,
        event: &Event<'text>,
        span: Span,
        place: Place,
        depth: usize,
    ) -> Result<Node, Problem> {
        if depth > DEEPEST {
            return Err(place.problem(format!("nested deeper than {DEEPEST} levels")));
        }
        if let Some(alias) = event.alias_id() {
            return self.alias(alias, &place);
        }
        let before = self.size;
        let called = event.tag().map(|tag| intrinsic_of_tag(tag, &place)).transpose()?;
        let inner = called.map_or_else(|| place.clone(), |intrinsic| place.part(intrinsic.name()));
        let value = match event {
            Event::Scalar(text, style, ..) if called.is_none() && *style == ScalarStyle::Plain => {
                plain_scalar(text)
            }
            Event::Scalar(text, ..) => Value::Scalar(text.to_string()),
            Event::SequenceStart(..) => self.sequence(&inner, depth)?,
            Event::MappingStart(..) => self.mapping(&inner, depth)?,
            _ => return Err(place.problem("not valid YAML: a value was expected")),
        };
        let length = event.scalar().map_or(0, |(text, _)| text.len());
        self.grow(NODE_SIZE + length + place.path.len(), span.start.line())?;
        let value = match called {
            Some(intrinsic) => Value::Call(intrinsic, Box::new(Node { place: inner, value })),
            None => value,
        };
        let node = Node { place, value };
        if let Some(anchor) = event.anchor_id() {
            let size = self.size - before;
            self.grow(size, span.start.line())?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, place: &Place) -> Result<Node, Problem> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(place.problem("an alias inside of what it stands for"));
        };
        let (node, size) = (node.clone(), *size);
        self.grow(size, place.line)?;
        Ok(node)
    }

    fn grow(&mut self, size: usize, line: usize) -> Result<(), Problem> {
        self.size += size;
        if self.size > LARGEST_TREE {
            return Err(whole_document(line).problem("the template is too large, with its aliases expanded"));
        }
        Ok(())
    }

    fn sequence(&mut self, place: &Place, depth: usize) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Sequence(items));
            }
            let line = span.tag_start().map_or(span.start.line(), |tag| tag.line());
            let item = Place {
                line,
                ..place.item(items.len())
            };
            items.push(self.node(&event, span, item, depth + 1)?);
        }
    }

    fn mapping(&mut self, place: &Place, depth: usize) -> Result<Value, Problem> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return call_or_mapping(entries, place);
            }
            let key = key(
                &event,
                &Place {
                    line: span.start.line(),
                    path: place.path.clone(),
                },
            )?;
            let part = Place {
                line: span.start.line(),
                ..place.part(&key)
            };
            if !seen.insert(key.clone()) {
                return Err(part.problem("given twice"));
            }
            let (event, span) = self.next()?;
            let value = self.node(&event, span, part, depth + 1)?;
            entries.push((key, value));
        }
    }
}

fn key(event: &Event<'_>, place: &Place) -> Result<String, Problem> {
    match event {
        Event::Scalar(text, style, _, None) if text.len() <= LONGEST_KEY => {
            if *style == ScalarStyle::Plain && text == "<<" {
                return Err(
                    place.problem("YAML merge keys (`<<`) are not supported: CloudFormation has none")
                );
            }
            Ok(text.to_string())
        }
        _ => Err(place.problem(format!("a key must be plain text of at most {LONGEST_KEY} bytes"))),
    }
}

/// A map of one entry that is named like an intrinsic function is a call of it. `Condition` is not taken for one:
/// it is also an attribute of resources and of policy statements.
fn call_or_mapping(mut entries: Vec<(String, Node)>, place: &Place) -> Result<Value, Problem> {
    let Some((name, node)) = entries
        .iter()
        .find(|(name, _)| name == "Ref" || name.starts_with("Fn::"))
    else {
        return Ok(Value::Mapping(entries));
    };
    let Some(intrinsic) = Intrinsic::named(name.trim_start_matches("Fn::")) else {
        return Err(unsupported(&node.place, name));
    };
    if intrinsic.name() != name {
        return Err(unsupported(&node.place, name));
    }
    if entries.len() > 1 {
        return Err(place.problem(format!(
            "`{name}` must stand alone: other keys beside it have no meaning"
        )));
    }
    match entries.pop() {
        Some((_, node)) => Ok(Value::Call(intrinsic, Box::new(node))),
        None => Ok(Value::Mapping(entries)),
    }
}

fn intrinsic_of_tag(tag: &Tag, place: &Place) -> Result<Intrinsic, Problem> {
    let known = if tag.parts().0 == "!" {
        Intrinsic::named(tag.suffix())
    } else {
        None
    };
    known.ok_or_else(|| unsupported(place, &tag.original()))
}

fn unsupported(place: &Place, name: &str) -> Problem {
    place.problem(format!(
        "the intrinsic function or tag `{name}` is not supported by the local cloud"
    ))
}

fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            Value::Scalar("true".to_owned())
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Value::Scalar("false".to_owned())
        }
        _ => Value::Scalar(text.to_owned()),
    }
}
