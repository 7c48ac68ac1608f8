"""Puts each variant, as it runs on the local cloud, to the test of its own description: requests are made from
shared/openapi.yaml, fitting and unfitting ones, and every answer has to be one that stands there. Before that, the ready
requests of shared/requests.http have to be answered with the status in their titles.

    target/ci-tools/bin/python .ci/contract.py
"""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "infra/conformance"))

from cloud import Cloud  # noqa: E402

VARIANTS = ["self-invoke", "sqs-worker", "split-lambda"]

# The whole test of a variant takes about ten seconds.
LIMIT = 90

SETTINGS = [
    "--max-examples=30",
    # The same requests in each run: a change of ours is to blame, never luck.
    "--seed=1",
    "--generation-database=none",
    # A task that was deleted is cancelled, and its record stays.
    "--exclude-checks=use_after_free",
]

REQUEST = re.compile(r"^### (\d+) (.*)\n(\w+) {{api}}(\S+)\n((?:[\w-]+: .*\n)*)(?:\n(?!###)(.+)\n)?", re.MULTILINE)


def answers_ready_requests(cloud):
    text = (ROOT / "shared/requests.http").read_text()
    requests = REQUEST.findall(text)
    assert len(requests) == text.count("###"), "a request cannot be read"
    task_id = None
    for expected, title, method, path, headers, body in requests:
        if expected == "503":
            continue  # It takes 30 seconds, and is what infra/tests/variants/contract.rs is about.
        headers = [line.split(": ", 1) for line in headers.splitlines()]
        answer = cloud.http(method, path.replace("{{id}}", task_id or ""), headers, body.encode() if body else None)
        assert answer.status == int(expected), (title, answer.status, answer.body)
        task_id = task_id or answer.json()["id"]
    print(f"{len(requests)} ready requests", flush=True)


def fits(variant):
    """Whether the variant answers as it is described."""
    print(f"--- {variant}", flush=True)
    program = Path(sys.executable).parent / "schemathesis"
    options = ["--config-file", HERE / "schemathesis.toml"]
    with Cloud(variant) as cloud:
        answers_ready_requests(cloud)
        command = [program, *options, "run", ROOT / "shared/openapi.yaml", "--url", cloud.description["api_url"], *SETTINGS]
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "short_tasks", "PYTHONPATH": str(HERE)}
        return subprocess.run(command, env=environment, timeout=LIMIT, cwd=ROOT / "target").returncode == 0


if __name__ == "__main__":
    sys.exit(0 if all([fits(variant) for variant in VARIANTS]) else 1)
