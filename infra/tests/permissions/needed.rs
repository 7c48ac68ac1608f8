//! Permissions suffice and are minimal: with all that its template gives each variant does what it has to; without any one
//! of them something fails, and the reason is that it was denied.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::{
    statements::{Permission, permissions, without},
    suite,
    support::{Template, VARIANTS},
};

/// How many local clouds run at the same time.
const AT_ONCE: usize = 3;

/// With a permission missing, a step that does not come about has failed. Far more than any of them needs.
const PATIENCE: Duration = Duration::from_secs(15);

/// What fails without a permission.
struct Row {
    variant: &'static str,
    permission: Permission,
    fails: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; .ci/run has it"]
async fn all_permissions_together_suffice() {
    let runs = VARIANTS.map(async |variant| {
        let template = Template::text(variant);
        let ran = suite::run(variant, &template, Duration::from_secs(240)).await;
        ran.unwrap_or_else(|failed| panic!("{variant}: {}:\n{}", failed.step, failed.log));
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; .ci/run has it"]
async fn without_any_one_permission_something_fails() {
    let all = VARIANTS.into_iter().flat_map(|variant| {
        let permissions = permissions(&Template::text(variant)).into_iter();
        permissions.map(move |permission| (variant, permission))
    });
    let rows: Vec<Row> = stream::iter(all)
        .map(|(variant, permission)| row(variant, permission))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let found: Vec<_> = rows.iter().map(Row::json).collect();
    fs::write(target.join("permissions.json"), json!(found).to_string()).unwrap();
    let table = table(&rows);
    println!("{table}");
    let committed = include_str!("../../PERMISSIONS.md");
    assert!(
        committed.ends_with(&table),
        "infra/PERMISSIONS.md does not end with this table:\n\n{table}"
    );
}

async fn row(variant: &'static str, permission: Permission) -> Row {
    let template = without(&Template::text(variant), &permission);
    let Err(failed) = suite::run(variant, &template, PATIENCE).await else {
        panic!("{variant} does without {permission:?}");
    };
    // SQS names the action in lower case.
    let denied = format!("to perform: {} ", permission.action).to_lowercase();
    assert!(
        failed.log.to_lowercase().contains(&denied),
        "{variant} without {permission:?}: {}, but not because it was denied:\n{}",
        failed.step,
        failed.log
    );
    Row {
        variant,
        permission,
        fails: failed.step,
    }
}

impl Row {
    fn json(&self) -> serde_json::Value {
        let Permission {
            function,
            sid,
            action,
            resource,
        } = &self.permission;
        json!({
            "variant": self.variant, "function": function, "sid": sid, "action": action, "resource": resource,
            "fails": self.fails,
        })
    }
}

fn table(rows: &[Row]) -> String {
    let mut table =
        "| variant | role of | action | resource | without it, this fails |\n|---|---|---|---|---|\n"
            .to_owned();
    for Row {
        variant,
        permission,
        fails,
    } in rows
    {
        let Permission {
            function,
            action,
            resource,
            ..
        } = permission;
        let resource = resource.trim_end_matches(".Arn");
        writeln!(
            table,
            "| {variant} | `{function}` | `{action}` | `{resource}` | {fails} |"
        )
        .unwrap();
    }
    table
}
