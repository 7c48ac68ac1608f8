//! The processes of functions: frozen while idle, and none left behind.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::support::{LocalCloud, VARIANTS, each_variant, until};

#[tokio::test(flavor = "multi_thread")]
async fn environments_are_used_again_and_frozen_while_idle() {
    each_variant(&[], async |cloud| {
        for _ in 0..10 {
            cloud
                .ended(&cloud.accept(&json!({"kind": "sleep", "millis": 1})).await)
                .await;
        }
        until("all are frozen", || {
            cloud.function_processes().iter().all(|(_, state)| *state == 'T')
        })
        .await;
        let processes = cloud.function_processes();
        // Requests and tasks overlap a little, but do not need ten environments each.
        assert!(
            (1..=6).contains(&processes.len()),
            "{}: {processes:?}",
            cloud.variant
        );
    })
    .await;
}

/// Ended by a signal while one task runs and other environments are frozen, the local cloud leaves nothing behind.
/// SIGKILL stands for every end that it has no say in, a panic that aborts among them.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind_however_the_local_cloud_ends() {
    for (variant, signal) in VARIANTS
        .iter()
        .zip([Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL])
    {
        let mut cloud = LocalCloud::up(variant, &[]);
        let id = cloud.accept(&json!({"kind": "sleep", "millis": 600_000})).await;
        cloud.task_once(&id, |task| task["status"] == "running").await;
        let processes = cloud.function_processes();
        assert!(processes.len() >= 2, "{variant}: {processes:?}");
        cloud.signal(signal);
        let status = cloud.wait();
        assert_eq!(status.success(), signal != Signal::SIGKILL, "{variant}: {status}");
        let is_gone = |process: i32| {
            let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            // A zombie is gone; it waits for somebody to ask how it ended.
            kill(Pid::from_raw(process), None).is_err() || state.contains(") Z ")
        };
        until("all processes are gone", || {
            processes.iter().all(|(process, _)| is_gone(*process))
        })
        .await;
    }
}
