"""Sees to it that the commands in README.md and CONTRIBUTING.md work.

Each command of a code block there is dealt with in COMMANDS below: it is run here, it is run by another step of .ci/run,
or there is a reason why it is not. One that is not in the list, or is no longer in the documents, is an error.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "CONTRIBUTING.md"]


def try_a_variant():
    """The three commands with which a newcomer tries a variant: up, a task, its record; then Ctrl-C."""
    port = free_port(preferred=8080)
    command = shlex.split(UP.replace("8080", str(port)))
    # A process group of its own, as in a terminal: Ctrl-C reaches Cargo and what it runs.
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as up:
        try:
            first = up.stdout.readline()
            assert f":{port}" in first, f"{UP} says: {first}"
            accepted = shell(HAND_IN.replace("8080", str(port)))
            assert accepted.startswith("HTTP/1.1 202"), accepted
            task_id = re.search(r"^location: /tasks/(\S+)", accepted, re.IGNORECASE | re.MULTILINE)[1]
            record = shell(LOOK.replace("8080", str(port)).replace("ID", task_id))
            assert f'"id":"{task_id}"' in record and '"status":"' in record, record
            assert functions(), "no function runs"
        finally:
            os.killpg(up.pid, signal.SIGINT)
            up.wait(60)
    assert up.returncode == 0, f"{UP} ended with {up.returncode}"
    assert not functions(), f"left behind: {functions()}"


def functions():
    """The processes of this workspace's functions, where the system tells."""
    found = []
    for link in Path("/proc").glob("[0-9]*/exe"):
        try:
            found += [link.parent.name] if link.readlink().is_relative_to(ROOT / "target/release") else []
        except OSError:
            pass
    return found


def free_port(preferred):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", preferred))
        except OSError:
            listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def shell(command):
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class Example:
    """It runs an example. Here it is built with the features that the whole workspace has, as the tests were; by its package
    alone Cargo would build all that it needs once more. It has to succeed."""

    def check(self, command, _steps):
        cargo, arguments = command.split(" -- ")
        example = cargo.split()[-1]
        shell(f"cargo build --workspace --quiet --example {example}")
        shell(f"target/debug/examples/{example} {arguments}")


class Part:
    """It is part of something that is run here."""

    def __init__(self, whole=None):
        self.whole = whole

    def check(self, _command, _steps):
        if self.whole:
            self.whole()


class Step:
    """A step of .ci/run runs it, or more than it: this command."""

    def __init__(self, name, ran=None):
        self.name, self.ran = name, ran

    def check(self, command, steps):
        assert self.name in steps, f"there is no step {self.name} in .ci/run"
        words = shlex.split(steps[self.name])
        for word in shlex.split(self.ran or command):
            assert any(it == word or it.startswith(f"{word},") for it in words), f"{self.name} does without {word}"


class NotRun:
    """Neither, for a reason."""

    def __init__(self, reason):
        self.reason = reason

    def check(self, _command, _steps):
        pass


UP = "cargo infra up self-invoke --api-port 8080"
HAND_IN = "curl -i localhost:8080/tasks -H 'content-type: application/json' -d '{\"kind\":\"sleep\",\"millis\":45000}'"
LOOK = "curl localhost:8080/tasks/ID"

NO_ACCOUNT = NotRun("needs an AWS account; infra/tests/deploy and benches/tests/deployed.rs run it against stand-ins")

COMMANDS = {
    # README.md
    "cargo compare --quick": Step("comparison, with a soak"),
    "cargo test --workspace": Step("tests"),
    UP: Part(try_a_variant),
    HAND_IN: Part(),
    LOOK: Part(),
    "cargo compare --quick --chaos kill=0.02,duplicate=0.05,throttle=0.02,drop-response=0.02": Step(
        "comparison, with a soak"
    ),
    "cargo compare --target aws --variants split-lambda --stack split-lambda=my-tasks": NO_ACCOUNT,
    "cargo infra deploy split-lambda --region eu-west-1": NO_ACCOUNT,
    "sam build && sam deploy": NO_ACCOUNT,
    "cargo run -p shared --example count-primes -- '{\"up_to\": 2000000}'": Example(),
    "cargo compare --quick --task '{\"kind\":\"sleep\",\"millis\":2000}'": Step("comparison, with a soak"),
    # CONTRIBUTING.md
    "cargo check -p PACKAGE": Step("clippy", "cargo clippy --workspace"),
    "cargo test -p shared": Step("tests", "cargo test --workspace"),
    "bash .ci/run": NotRun("is what runs this"),
    "cargo test -p infra --test baselines": Step("baselines", "cargo test --test baselines"),
    "cargo test -p infra --test permissions -- --ignored": Step(
        "each permission is needed", "cargo test --test permissions -- --ignored"
    ),
    "cargo test -p infra --test lambda -- --ignored": Step("memory stays flat", "cargo test --test lambda -- --ignored"),
    "cargo test -p benches --test deployed": Step("a stack that is deployed", "cargo test --test deployed"),
    "for run in $(seq 20); do cargo test --workspace --test variants --test lambda --test permissions --test chaos "
    "--test malformed --test command_line || break; done": NotRun("takes an hour; the step tests runs each of them once"),
    "cargo bench -p benches --bench cold_start -- --save-baseline quiet": NotRun("measures for minutes; clippy compiles it"),
    "cargo bench -p benches --bench cold_start -- --baseline quiet": NotRun("measures for minutes; clippy compiles it"),
    "cargo bench -p benches --bench peers": NotRun("measures for minutes; clippy compiles it"),
    "cargo bench -p benches --bench ablation": NotRun("measures for minutes; clippy compiles it"),
    "cargo bench -p benches --bench ablation -- --rows opt-s,mimalloc": NotRun("measures for minutes; clippy compiles it"),
    "cargo bench -p benches --bench first_poll": NotRun("measures for minutes; clippy compiles it"),
    "cargo bench -p benches --bench first_poll -- --from-disk": NotRun("measures for minutes; clippy compiles it"),
    "cargo bench -p benches --bench start_order": NotRun("changes a file of the repository; clippy compiles it"),
    "cargo compare --quick --variants self-invoke,sqs-worker,split-lambda": Step(
        "comparison, with a soak", "cargo compare --quick"
    ),
    "cp target/compare/charts/start-curve.svg benches/report-chart.svg": NotRun("changes a file of the repository"),
}


def commands(text):
    """The lines of its code blocks: fenced as sh, or indented after an empty line. Comments at their ends are left out."""
    fence, in_block, after_blank = None, False, True
    for line in text.splitlines():
        marker = re.match(r" *```(\w*)", line)
        if marker:
            fence = None if fence is not None else marker[1]
            continue
        in_block = line.startswith("    ") and (in_block or after_blank)
        after_blank = not line.strip()
        if (fence in ("sh", "bash", "shell", "console") or (fence is None and in_block)) and not after_blank:
            yield re.sub(r"\s{2,}#.*", "", line).strip()


def steps():
    """The steps of .ci/run: their names and commands."""
    script = (ROOT / ".ci/run").read_text().replace("\\\n", " ")
    return dict(re.findall(r'^step "([^"]+)" (.*)$', script, re.MULTILINE))


def main():
    documented = [command for name in DOCUMENTS for command in commands((ROOT / name).read_text())]
    faults = [f"not dealt with in .ci/documents.py: {it}" for it in documented if it not in COMMANDS]
    faults += [f"in no document any more: {it}" for it in COMMANDS if it not in documented]
    if not faults:
        known = steps()
        for command, way in COMMANDS.items():
            print(f"{type(way).__name__.lower():7} {command}", flush=True)
            try:
                way.check(command, known)
            except AssertionError as error:
                faults.append(f"{command}: {error}")
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
