"""The local clouds that the tests share: one for each template, started when the first test needs it."""

import concurrent.futures
import signal

import pytest

from cloud import Cloud, stage


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
    return start("functions")


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
    with concurrent.futures.ThreadPoolExecutor(32) as executor:
        yield executor.submit
