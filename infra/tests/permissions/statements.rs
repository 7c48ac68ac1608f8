//! The policy statements of a variant's template, as its text has them, and the template without one of their permissions.

/// A permission: one action on one resource, in a statement of a role.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Permission {
    /// The function that has the role.
    pub(crate) function: String,
    pub(crate) sid: String,
    pub(crate) action: String,
    /// As in `TaskQueue.Arn`.
    pub(crate) resource: String,
}

/// A statement, and where it stands.
struct Statement {
    function: String,
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
    /// Lines of the template.
    lines: std::ops::Range<usize>,
    indentation: usize,
}

/// Every permission that the template gives.
pub(crate) fn permissions(template: &str) -> Vec<Permission> {
    let mut permissions = Vec::new();
    for statement in statements(template) {
        for action in &statement.actions {
            for resource in &statement.resources {
                permissions.push(Permission {
                    function: statement.function.clone(),
                    sid: statement.sid.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                });
            }
        }
    }
    permissions
}

/// The template without this permission, and with all others.
pub(crate) fn without(template: &str, removed: &Permission) -> String {
    let statements = statements(template);
    let statement = statements
        .iter()
        .find(|statement| (&statement.function, &statement.sid) == (&removed.function, &removed.sid))
        .unwrap();
    let others = |all: &[String], one: &str| -> Vec<String> {
        all.iter().filter(|other| *other != one).cloned().collect()
    };
    let mut left = String::new();
    for (actions, resources) in [
        (
            others(&statement.actions, &removed.action),
            statement.resources.clone(),
        ),
        (
            vec![removed.action.clone()],
            others(&statement.resources, &removed.resource),
        ),
    ] {
        if !actions.is_empty() && !resources.is_empty() {
            left += &written(statement.indentation, &actions, &resources);
        }
    }
    if left.is_empty() {
        // An empty list is none: what is left allows nothing that anybody does.
        left = written(
            statement.indentation,
            &["sqs:ListQueueTags".to_owned()],
            &statement.resources,
        );
    }
    let lines: Vec<&str> = template.lines().collect();
    let before = lines[..statement.lines.start].join("\n");
    let after = lines[statement.lines.end..].join("\n");
    format!("{before}\n{left}{after}\n")
}

fn written(indentation: usize, actions: &[String], resources: &[String]) -> String {
    let resources: Vec<String> = resources
        .iter()
        .map(|resource| format!("!GetAtt {resource}"))
        .collect();
    format!(
        "{:indentation$}- {{Effect: Allow, Action: [{}], Resource: [{}]}}\n",
        "",
        actions.join(", "),
        resources.join(", ")
    )
}

fn statements(template: &str) -> Vec<Statement> {
    let lines: Vec<&str> = template.lines().collect();
    let mut statements = Vec::new();
    let mut function = String::new();
    for (number, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let indentation = line.len() - text.len();
        if indentation == 2 && !text.starts_with('#') {
            text.trim_end_matches(':').clone_into(&mut function);
        }
        // A policy of its own says whose role it is for.
        if let Some(role) = text.strip_prefix("Roles: [!Ref ") {
            role.trim_end_matches("Role]").clone_into(&mut function);
        }
        if let Some(sid) = text.strip_prefix("- Sid: ") {
            let of_it = |line: &&&str| line.len() - line.trim_start().len() > indentation;
            let length = 1 + lines[number + 1..].iter().take_while(of_it).count();
            let block = &lines[number..number + length];
            statements.push(Statement {
                function: function.clone(),
                sid: sid.to_owned(),
                actions: values(block, "Action:"),
                resources: values(block, "Resource:"),
                lines: number..number + length,
                indentation,
            });
        }
    }
    statements
}

/// The value of a key, or the values of its list, without the intrinsic function.
fn values(block: &[&str], key: &str) -> Vec<String> {
    let position = block
        .iter()
        .position(|line| line.trim_start().starts_with(key))
        .unwrap();
    let first = block[position].trim_start().trim_start_matches(key).trim();
    let list = block[position + 1..]
        .iter()
        .map_while(|line| line.trim_start().strip_prefix("- "));
    let values = if first.is_empty() {
        list.collect()
    } else {
        vec![first]
    };
    values
        .iter()
        .map(|value| value.trim_start_matches("!GetAtt ").to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{Template, VARIANTS};

    #[test]
    fn each_permission_is_found_and_can_be_removed() {
        for variant in VARIANTS {
            let template = Template::text(variant);
            let all = permissions(&template);
            let actions = template.matches("Action:").count();
            assert!(
                all.len() > actions && template.matches("- Sid: ").count() == actions,
                "{all:?}"
            );
            for permission in &all {
                let others: Vec<_> = all.iter().filter(|other| *other != permission).collect();
                let text = without(&template, permission);
                let same = |other: &&&Permission| {
                    other.function == permission.function && other.sid == permission.sid
                };
                for other in others.iter().filter(same) {
                    assert!(text.contains(&other.action), "{text}");
                }
                assert_eq!(text.matches("- Sid: ").count() + 1, actions);
            }
        }
    }
}
