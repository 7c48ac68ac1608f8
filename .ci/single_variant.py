"""Who keeps one variant deletes the folders of the others, and nothing else: what remains builds, and runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIANTS = ["self-invoke", "sqs-worker", "split-lambda"]

# One place for all three, so that what they have in common is built once; and all that they depend on is built already.
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
    command = ["cargo", "infra", "up", variant, "--json"]
    with subprocess.Popen(
        command, cwd=COPY, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as up:
        try:
            api_url = json.loads(up.stdout.readline())["api_url"]
            body = json.dumps({"kind": "sleep", "millis": 0}).encode()
            request = urllib.request.Request(f"{api_url}/tasks", body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == 202, answer.status
        finally:
            os.killpg(up.pid, signal.SIGINT)
            up.wait(60)
    assert up.returncode == 0, up.returncode


def main():
    copy()
    for variant in VARIANTS:
        print(f"--- {variant}", flush=True)
        keep(variant)
        build()
        # They run in the same way. Building this one takes the least time.
        if variant == "self-invoke" or "--run-all" in sys.argv[1:]:
            run(variant)
    shutil.rmtree(COPY)


if __name__ == "__main__":
    main()
