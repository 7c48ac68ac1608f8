"""Who keeps one variant deletes the folders of the others, and nothing else: what remains builds, and runs. So it does for
each variant, in a copy."""

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIANTS = ["self-invoke", "sqs-worker", "split-lambda"]

# Cargo knows the packages of the copy by their places in it, and builds nothing again that is the same in the workspace.
COPY = ROOT / "target/ci-single"
ENVIRONMENT = os.environ | {"CARGO_TARGET_DIR": str(ROOT / "target"), "CARGO_NET_OFFLINE": "true"}


def copy():
    shutil.rmtree(COPY, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def keep(variant):
    """Leaves this variant alone, and Cargo.lock as it was before packages went."""
    for other in VARIANTS:
        shutil.rmtree(COPY / other, ignore_errors=True)
    shutil.copytree(ROOT / variant, COPY / variant)
    shutil.copy2(ROOT / "Cargo.lock", COPY)


def build():
    check = ["cargo", "check", "--workspace", "--all-targets", "--quiet"]
    subprocess.run(check, cwd=COPY, env=ENVIRONMENT, check=True)


def run(variant):
    """Builds and runs it from the copy. The local cloud is the workspace's own, which has the same sources, and would look
    there for a template without a path."""
    command = [ROOT / "target/tools/infra", "up", f"infra/{variant}.yaml", "--json"]
    with subprocess.Popen(command, cwd=COPY, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as up:
        try:
            api_url = json.loads(up.stdout.readline())["api_url"]
            body = json.dumps({"kind": "sleep", "millis": 0}).encode()
            request = urllib.request.Request(f"{api_url}/tasks", body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == 202, answer.status
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)
    assert up.returncode == 0, up.returncode


def main():
    subprocess.run(["cargo", "build", "--quiet", "--profile", "tools", "-p", "infra", "--bin", "infra"], cwd=ROOT, check=True)
    copy()
    for variant in VARIANTS:
        print(f"--- {variant}", flush=True)
        keep(variant)
        build()
        run(variant)
    shutil.rmtree(COPY)


if __name__ == "__main__":
    main()
