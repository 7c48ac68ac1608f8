//! The little language of `Fn::Sub`: text with `${Name}`, and `${!Name}` for a `${Name}` that stays as it is.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>

use super::error::Problem;
use super::yaml::{Node, Value};

/// A piece of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'text> {
    Text(&'text str),
    Variable(&'text str),
}

/// What `Fn::Sub` is given.
pub(super) struct Arguments<'node> {
    pub(super) text: &'node Node,
    pub(super) variables: &'node [(String, Node)],
}

/// Text and variables, from the short argument or the list form.
pub(super) fn arguments(argument: &Node) -> Result<Arguments<'_>, Problem> {
    match &argument.value {
        Value::Scalar(_) => Ok(Arguments {
            text: argument,
            variables: &[],
        }),
        Value::Sequence(items) => match items.as_slice() {
            [text, variables] => Ok(Arguments {
                text,
                variables: variables.fields()?.entries(),
            }),
            _ => Err(argument.problem("expected a list of two: text and a map of variables")),
        },
        _ => Err(argument.expected("text, or a list of text and a map of variables")),
    }
}

/// The pieces of the text, in order.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let (before, after) = (&rest[..start], &rest[start + length + 1..]);
        let name = &rest[start + 2..start + length];
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        if name.starts_with('!') {
            // Without its exclamation mark it is plain text.
            pieces.push(Piece::Text("${"));
            pieces.push(Piece::Text(&rest[start + 3..=start + length]));
        } else {
            pieces.push(Piece::Variable(name));
        }
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_variables_alternate() {
        assert_eq!(
            pieces("a-${B}${C.D}é"),
            [
                Piece::Text("a-"),
                Piece::Variable("B"),
                Piece::Variable("C.D"),
                Piece::Text("é")
            ]
        );
    }

    #[test]
    fn an_exclamation_mark_keeps_the_dollar() {
        let kept: String = pieces("x${!Literal}y")
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => *text,
                Piece::Variable(_) => panic!("a variable"),
            })
            .collect();
        assert_eq!(kept, "x${Literal}y");
    }

    #[test]
    fn what_is_not_closed_is_text() {
        assert_eq!(pieces("a${b"), [Piece::Text("a${b")]);
        assert_eq!(pieces(""), []);
    }
}
