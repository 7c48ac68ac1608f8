"""The local clouds that the tests share: one for each template, started when the first test needs it."""

import concurrent.futures
import json
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from cloud import Cloud, stage


def pytest_collection_modifyitems(items):
    # The request that takes too long is begun before all tests, and looked at when the others are through.
    items.sort(key=takes_its_time)


def takes_its_time(item):
    return "overdue" in item.fixturenames


def pytest_configure():
    # Terminated, the tests end as they do when interrupted: with every cloud stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts a template of this folder."""
    clouds = []

    def start(template, *arguments):
        clouds.append(Cloud(stage(template, tmp_path_factory.mktemp(template)), *arguments))
        return clouds[-1]

    yield start
    for cloud in clouds:
        cloud.stop()


@pytest.fixture(scope="session")
def functions(start):
    return start("functions", "--parameter", "Greeting=hello")


@pytest.fixture(scope="session")
def lambda_client(functions):
    return functions.client("lambda")


@pytest.fixture(scope="session")
def sqs(functions):
    return functions.client("sqs")


@pytest.fixture(scope="session")
def dynamodb(functions):
    return functions.client("dynamodb")


@pytest.fixture(scope="session")
def aws(functions):
    """Runs a command. Answers its exit code, its output as JSON, and its errors."""
    program = Path(sys.executable).parent / "aws"
    if not program.exists():
        pytest.skip("the AWS CLI is not installed beside this Python")

    def run(*arguments):
        # In version 1 of the CLI, AWS_ENDPOINT_URL has no effect on SQS.
        options = ["--endpoint-url", functions.endpoint_url, "--output", "json"]
        command = [sys.executable, program, *arguments, *options]
        done = subprocess.run(command, env=functions.environment(), capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None, done.stderr

    return run


@pytest.fixture(scope="session")
def mappings(start):
    return start("mappings")


@pytest.fixture(scope="session")
def asynchronous(start):
    # Retries after 1 and 2 seconds instead of minutes.
    return start("asynchronous", "--time-scale", "60")


@pytest.fixture(scope="session")
def api(start):
    return start("http-api")


@pytest.fixture(scope="session")
def in_background():
    executor = concurrent.futures.ThreadPoolExecutor(32)
    yield executor.submit
    # What still waits for an answer need not be waited for: the clouds end next.
    executor.shutdown(wait=False, cancel_futures=True)


@pytest.fixture(scope="session")
def overdue(api, in_background):
    """A request that takes longer than the gateway waits: what marks it, when it was begun, its answer."""
    marker = uuid.uuid4().hex
    headers = [("x-wish", json.dumps({"sleep": 33, "response": "late"})), ("x-marker", marker)]
    return marker, time.monotonic(), in_background(api.http, "GET", "/any", headers)


@pytest.fixture(scope="session", autouse=True)
def begin_in_time(request):
    if any(map(takes_its_time, request.session.items)):
        request.getfixturevalue("overdue")
