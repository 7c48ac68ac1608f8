//! The evaluation of policies: an explicit deny outweighs every allow, and what nothing allows is denied
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>).

use std::borrow::Cow;

use crate::template::{Effect, Statement};

/// What the statements say about an action on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
}

/// Decides by these statements.
pub(super) fn decide(statements: &[Statement], action: &str, resource: &str) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in statements
        .iter()
        .filter(|statement| applies(statement, action, resource))
    {
        match statement.effect {
            Effect::Allow => decision = Decision::Allow,
            Effect::Deny => return Decision::ExplicitDeny,
        }
    }
    decision
}

/// Of an element and its negation, one is empty.
fn applies(statement: &Statement, action: &str, resource: &str) -> bool {
    let is_action = |pattern: &String| matches_action(pattern, action);
    let is_resource = |pattern: &String| matches_resource(pattern, resource);
    let about_action = if statement.not_actions.is_empty() {
        statement.actions.iter().any(is_action)
    } else {
        !statement.not_actions.iter().any(is_action)
    };
    let about_resource = if statement.not_resources.is_empty() {
        statement.resources.iter().any(is_resource)
    } else {
        !statement.not_resources.iter().any(is_resource)
    };
    about_action && about_resource
}

/// Actions are the same in upper and lower case
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>).
fn matches_action(pattern: &str, action: &str) -> bool {
    matches(
        pattern.to_lowercase().as_bytes(),
        action.to_lowercase().as_bytes(),
    )
}

/// Resources are not. An ARN with fewer than six segments stands for all that begin with it
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>).
fn matches_resource(pattern: &str, resource: &str) -> bool {
    let missing = if pattern.starts_with("arn:") {
        6_usize.saturating_sub(pattern.split(':').count())
    } else {
        0
    };
    let pattern = match missing {
        0 => Cow::Borrowed(pattern),
        missing => Cow::Owned(format!("{pattern}{}", ":*".repeat(missing))),
    };
    matches(pattern.as_bytes(), resource.as_bytes())
}

/// `?` stands for one character. `*` stands for any number, and goes beyond a colon only where it ends a segment
/// (same source).
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', pattern)), _) => {
            let ends_segment = pattern.first().is_none_or(|next| *next == b':');
            let segment = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
            let most = if ends_segment { text.len() } else { segment };
            (0..=most).any(|taken| matches(pattern, &text[taken..]))
        }
        (Some((b'?', pattern)), Some((byte, text))) => *byte != b':' && matches(pattern, text),
        (Some((expected, pattern)), Some((byte, text))) => expected == byte && matches(pattern, text),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:tasks";

    fn statement(effect: Effect, actions: &[&str], resources: &[&str]) -> Statement {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Statement {
            effect,
            actions: texts(actions),
            not_actions: Vec::new(),
            resources: texts(resources),
            not_resources: Vec::new(),
        }
    }

    fn allow(actions: &[&str], resources: &[&str]) -> Statement {
        statement(Effect::Allow, actions, resources)
    }

    #[test]
    fn what_nothing_allows_is_denied() {
        assert_eq!(decide(&[], "sqs:SendMessage", QUEUE), Decision::ImplicitDeny);
        let other_action = allow(&["sqs:ReceiveMessage"], &["*"]);
        let other_queue = allow(&["sqs:SendMessage"], &["arn:aws:sqs:us-east-1:123456789012:task"]);
        assert_eq!(
            decide(&[other_action, other_queue], "sqs:SendMessage", QUEUE),
            Decision::ImplicitDeny
        );
    }

    #[test]
    fn one_allow_is_enough_and_one_deny_outweighs_it_in_any_order() {
        let allow = allow(&["sqs:*"], &[QUEUE]);
        let deny = statement(Effect::Deny, &["sqs:SendMessage"], &["*"]);
        assert_eq!(
            decide(std::slice::from_ref(&allow), "sqs:SendMessage", QUEUE),
            Decision::Allow
        );
        for statements in [[allow.clone(), deny.clone()], [deny, allow]] {
            assert_eq!(
                decide(&statements, "sqs:SendMessage", QUEUE),
                Decision::ExplicitDeny
            );
            assert_eq!(decide(&statements, "sqs:DeleteMessage", QUEUE), Decision::Allow);
        }
    }

    #[test]
    fn not_action_and_not_resource_are_about_everything_else() {
        let mut statement = allow(&[], &[]);
        statement.not_actions = vec!["sqs:DeleteQueue".to_owned(), "lambda:*".to_owned()];
        statement.not_resources = vec![QUEUE.to_owned()];
        let decide = |action, resource| decide(std::slice::from_ref(&statement), action, resource);
        let other = "arn:aws:sqs:us-east-1:123456789012:other";
        assert_eq!(decide("sqs:SendMessage", other), Decision::Allow);
        assert_eq!(decide("sqs:SendMessage", QUEUE), Decision::ImplicitDeny);
        assert_eq!(decide("sqs:DeleteQueue", other), Decision::ImplicitDeny);
        assert_eq!(decide("lambda:InvokeFunction", other), Decision::ImplicitDeny);
    }

    #[test]
    fn actions_match_in_any_case_with_wildcards() {
        for (pattern, action, expected) in [
            ("*", "sqs:SendMessage", true),
            ("sqs:*", "sqs:SendMessage", true),
            ("SQS:sendmessage", "sqs:SendMessage", true),
            ("sqs:Send*", "sqs:SendMessage", true),
            ("sqs:*Message", "sqs:SendMessage", true),
            ("sqs:???eMessage", "sqs:SendMessage", false),
            ("sqs:?endMessage", "sqs:SendMessage", true),
            ("sqs:SendMessage", "sqs:SendMessageBatch", false),
            ("dynamodb:*", "sqs:SendMessage", false),
        ] {
            assert_eq!(matches_action(pattern, action), expected, "{pattern} {action}");
        }
    }

    #[test]
    fn resources_match_in_their_own_case_with_wildcards() {
        let table = "arn:aws:dynamodb:us-east-1:123456789012:table/Tasks";
        let function = "arn:aws:lambda:us-east-1:123456789012:function:Worker";
        for (pattern, resource, expected) in [
            ("*", QUEUE, true),
            (QUEUE, QUEUE, true),
            ("arn:aws:sqs:us-east-1:123456789012:Tasks", QUEUE, false),
            ("arn:aws:sqs:*:*:tasks", QUEUE, true),
            ("arn:aws:sqs:us-*-1:123456789012:t?sks", QUEUE, true),
            ("arn:aws:sqs", QUEUE, true),
            ("arn:aws:lambda", QUEUE, false),
            ("arn:aws:sqs:us*tasks", QUEUE, false),
            (table, &format!("{table}/index/ByStatus"), false),
            (
                &format!("{table}/index/*"),
                &format!("{table}/index/ByStatus"),
                true,
            ),
            (&format!("{table}*"), &format!("{table}/index/ByStatus"), true),
            (function, &format!("{function}:$LATEST"), false),
            (&format!("{function}*"), &format!("{function}:$LATEST"), true),
            (&format!("{function}:*"), &format!("{function}:$LATEST"), true),
            (&format!("{function}:*"), function, false),
        ] {
            assert_eq!(
                matches_resource(pattern, resource),
                expected,
                "{pattern} {resource}"
            );
        }
    }
}
