//! Limits of memory and CPU, where control groups can enforce them; elsewhere the tests say so and pass.

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{LocalCloud, function, until};

/// A cloud with these limits; nothing, where the system does not permit them.
fn limited(limits: &str, properties: &str) -> Option<LocalCloud> {
    let cloud = LocalCloud::up(
        &function("Function", &format!("Timeout: 30\n{properties}")),
        &["--limits", limits],
    );
    let log = cloud.log();
    let missing = log.lines().find(|line| line.contains("limits are not enforced"));
    if let Some(reason) = missing {
        eprintln!("skipped: {reason}");
        return None;
    }
    Some(cloud)
}

/// They do in the background, while the function runs already. Answers the groups of its process.
async fn limits_take_hold(cloud: &LocalCloud) -> String {
    let (process, _) = cloud.function_processes()[0];
    let membership = || std::fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap();
    until("the process is in its groups", || {
        membership().contains("/infra-")
    })
    .await;
    membership()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_uses_more_memory_than_it_has_is_killed() {
    let Some(cloud) = limited("memory", "MemorySize: 128") else {
        return;
    };
    let allocate = |megabytes: u32| json!({"do": [{"allocate": megabytes}]});
    let outcome = cloud.invoke("Function", &allocate(64)).await;
    assert_eq!(outcome.error, None, "{}", cloud.log());
    limits_take_hold(&cloud).await;
    let outcome = cloud.invoke("Function", &allocate(256)).await;
    assert_eq!(outcome.body["errorType"], "Runtime.ExitError", "{}", cloud.log());
    let message = outcome.body["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Error: Runtime exited with error: signal: killed"),
        "{message}"
    );
    assert!(outcome.log.contains("Max Memory Used: 128 MB"), "{}", outcome.log);
    assert!(
        outcome
            .log
            .trim_end()
            .ends_with("Status: error\tError Type: Runtime.OutOfMemory"),
        "{}",
        outcome.log
    );
    assert_eq!(cloud.invoke("Function", &allocate(64)).await.error, None);
}

/// 1769 MB are one vCPU (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>): 442 MB a quarter.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_cpu_time_in_proportion_to_its_memory() {
    let Some(cloud) = limited("cpu", "MemorySize: 442") else {
        return;
    };
    // The first invocation already.
    let burnt = cloud
        .invoke(
            "Function",
            &json!({"do": [{"burn": 2_000}, {"respond_last": true}]}),
        )
        .await
        .body;
    let burnt = burnt.as_f64().unwrap();
    // A busy machine gives less, never more.
    assert!(burnt < 2_000.0 * 0.25 * 1.3, "{burnt} ms of CPU time in 2 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_can_be_switched_off() {
    let cloud = LocalCloud::up(&function("Function", "MemorySize: 128"), &["--limits", "off"]);
    assert_eq!(
        cloud
            .invoke("Function", &json!({"do": [{"allocate": 256}]}))
            .await
            .error,
        None
    );
    assert_eq!(cloud.count("limits are"), 0);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
#[tokio::test(flavor = "multi_thread")]
async fn a_function_may_have_1024_files_open() {
    let cloud = LocalCloud::up(&function("Function", ""), &[]);
    let event = json!({"do": [{"open_files": true}, {"respond_last": true}]});
    assert_eq!(cloud.invoke("Function", &event).await.body, json!([1_024, 1_024]));
}

/// Even after SIGKILL.
#[tokio::test(flavor = "multi_thread")]
async fn no_control_group_is_left_behind() {
    let Some(cloud) = limited("all", "") else { return };
    cloud.invoke("Function", &json!({})).await;
    let membership = limits_take_hold(&cloud).await;
    let name = membership
        .split(['/', '\n'])
        .find(|name| name.starts_with("infra-"))
        .expect("a group of our own");
    let groups = || named(Path::new("/sys/fs/cgroup"), name);
    assert!(!groups().is_empty());
    cloud.signal(Signal::SIGKILL);
    until("they are removed", || groups().is_empty()).await;
}

/// The folders of that name below another.
fn named(directory: &Path, name: &str) -> Vec<PathBuf> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let folders = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path());
    folders
        .flat_map(|folder| {
            if folder.ends_with(name) {
                vec![folder]
            } else {
                named(&folder, name)
            }
        })
        .collect()
}
