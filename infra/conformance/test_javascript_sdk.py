"""AWS's SDK for JavaScript, where Node.js and the SDK are there: see README.md."""

import json
import os
import shutil
import subprocess

import pytest

from cloud import HERE, WORKSPACE

MODULES = WORKSPACE / "target" / "conformance" / "node_modules"


def test_the_sdk_for_javascript_finds_every_service(functions):
    """https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/"""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js")
    if not (MODULES / "@aws-sdk").exists():
        pytest.skip(f"the SDK is not in {MODULES}: README.md says how it gets there")
    done = subprocess.run(
        [node, HERE / "javascript" / "client.cjs"],
        env=functions.environment() | {"NODE_PATH": os.fspath(MODULES)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "invoked": "hi",
        "failed": ["Unhandled", "no"],
        "missing": ["ResourceNotFoundException", 404],
        "body": "from JavaScript ä",
        "again": "ConditionalCheckFailedException",
        "read": {"id": {"S": "javascript"}, "n": {"N": "1"}},
    }
