"""The endpoint over TLS. Clients find the certificate authority of the local cloud as any other, in AWS_CA_BUNDLE:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import SSLError


@pytest.fixture(scope="module")
def cloud(start):
    return start("functions", "--tls")


@pytest.fixture
def trusting(cloud, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", cloud.description["ca_certificate"])
    return cloud


def test_boto3_calls_with_the_bundle(trusting):
    assert trusting.client("dynamodb").list_tables()["TableNames"] == ["Table"]
    sqs = trusting.client("sqs")
    url = sqs.get_queue_url(QueueName="Queue")["QueueUrl"]
    assert url.startswith(trusting.endpoint_url) and url.startswith("https://")
    assert sqs.send_message(QueueUrl=url, MessageBody="over TLS")["MessageId"]


def test_boto3_does_not_call_without_it(cloud):
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        cloud.client("dynamodb").list_tables()


def test_the_aws_cli_calls_with_the_bundle(cloud, tmp_path):
    program = Path(sys.executable).parent / "aws"
    if not program.exists():
        pytest.skip("the AWS CLI is not installed beside this Python")
    payload = json.dumps({"response": {"a": 1}})
    file = tmp_path / "response.json"
    invoke = ["lambda", "invoke", "--function-name", "Worker", "--payload", payload, file]
    command = [sys.executable, program, *invoke, "--endpoint-url", cloud.endpoint_url]

    def call(environment):
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    refused = call(cloud.environment())
    assert refused.returncode != 0 and "CERTIFICATE_VERIFY_FAILED" in refused.stderr
    done = call(cloud.environment() | {"AWS_CA_BUNDLE": cloud.description["ca_certificate"]})
    assert done.returncode == 0, done.stderr
    assert json.loads(file.read_text()) == {"a": 1}
