//! The command `infra` as people meet it: what it completes, how it ends, and what it says to the mistakes of a newcomer.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Exit code, standard output, standard error.
fn infra(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_infra"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn every_shell_has_a_script_that_completes_the_subcommands_and_their_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, script, _) = infra(&["completions", shell]);
        assert_eq!(code, 0);
        for word in ["up", "deploy", "time-scale", "stack-name"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_help_has_the_exit_codes_and_a_pipe_gets_no_colours() {
    let (code, help, _) = infra(&["--help"]);
    assert_eq!(code, 0);
    assert!(help.contains("Exit code: 0 when"), "{help}");
    let (_, _, refusal) = infra(&["up", "self-invoke", "--chaos", "nonsense"]);
    for text in [help, refusal] {
        assert!(!text.contains('\x1b'), "{text}");
    }
}

#[test]
fn wrong_arguments_are_answered_with_2_and_what_would_be_right() {
    for (arguments, expected) in [
        (&["up"][..], "VARIANT"),
        (&["self-invoke"], "Usage: infra <COMMAND>"),
        (&["up", "self-invoke", "--parameter", "WorkerMemory"], "KEY=VALUE"),
        (&["up", "self-invoke", "--chaos", "kil=0.1"], "the keys are kill,"),
        (
            &["up", "self-invoke", "--chaos", "kill=2"],
            "probability from 0 to 1",
        ),
        (&["up", "self-invoke", "--api-port", "99999"], "65535"),
        (&["completions", "tcsh"], "zsh"),
    ] {
        let (code, _, stderr) = infra(arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn what_cannot_be_done_is_answered_with_1_and_what_to_do_instead() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, expected) in [
        (
            &["up", "selfinvoke"][..],
            "give one of self-invoke, split-lambda, sqs-worker",
        ),
        (&["up", "nothing.yaml"], "there is no template nothing.yaml"),
        (
            &["up", "self-invoke", "--parameter", "Memory=1"],
            "the template has TaskTimeout",
        ),
        (
            &["up", "self-invoke", "--parameter", "WorkerMemory=lots"],
            "expected a number",
        ),
        (&["up", "self-invoke", "--api-port", &port], "give another port"),
    ] {
        let (code, _, stderr) = infra(arguments);
        assert_eq!(code, 1, "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("Error: "), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

/// A build takes minutes. Whoever ends `up` meanwhile, by a signal to it alone, does not wait for that, and leaves nothing
/// behind.
#[test]
fn ended_while_it_builds_it_takes_cargo_and_its_compilers_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    let script = "#!/bin/sh\n(sleep 30; echo 'left behind' >&2) &\necho 'Cargo is at work' >&2\nwait\n";
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_infra"))
        .args(["up", "self-invoke", "--json"])
        .env("CARGO", &cargo)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(up.stderr.take().unwrap()).lines();
    let at_work = |line: &Result<String, _>| line.as_ref().is_ok_and(|line| line == "Cargo is at work");
    assert!(lines.any(|line| at_work(&line)));
    kill(Pid::from_raw(up.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    // They end when the last process that could write has ended.
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert!(rest.is_empty(), "{rest:?}");
    assert!(up.wait().unwrap().success());
}
