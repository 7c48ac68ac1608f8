"""The AWS CLI, as a user has it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
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


def test_invoke_writes_the_response_to_a_file(aws, tmp_path):
    """https://docs.aws.amazon.com/cli/latest/reference/lambda/invoke.html"""
    file = tmp_path / "response.json"
    payload = json.dumps({"response": {"a": 1}})
    code, answer, errors = aws("lambda", "invoke", "--function-name", "Worker", "--payload", payload, str(file))
    assert (code, errors) == (0, "")
    assert answer == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    assert json.loads(file.read_text()) == {"a": 1}


def test_an_error_has_its_code_and_exit_status(aws, tmp_path):
    """https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html: 254 in version 2, 255 in 1"""
    code, _, errors = aws("lambda", "invoke", "--function-name", "Nobody", str(tmp_path / "none"))
    assert code in (254, 255)
    assert (
        "An error occurred (ResourceNotFoundException) when calling the Invoke operation: Function not found"
        in errors
    )


def test_a_message_is_sent_and_received(aws):
    """https://docs.aws.amazon.com/cli/latest/reference/sqs/"""
    _, found, _ = aws("sqs", "get-queue-url", "--queue-name", "Queue")
    url = found["QueueUrl"]
    code, sent, errors = aws("sqs", "send-message", "--queue-url", url, "--message-body", "from the shell")
    assert code == 0, errors
    _, received, _ = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "5")
    [message] = received["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "from the shell")
    code, _, errors = aws("sqs", "delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    assert code == 0, errors


def test_an_item_is_written_and_read(aws):
    """https://docs.aws.amazon.com/cli/latest/reference/dynamodb/"""
    item = json.dumps({"id": {"S": "cli"}, "n": {"N": "1"}})
    code, _, errors = aws("dynamodb", "put-item", "--table-name", "Table", "--item", item)
    assert code == 0, errors
    _, answer, _ = aws("dynamodb", "get-item", "--table-name", "Table", "--key", '{"id":{"S":"cli"}}')
    assert answer["Item"] == json.loads(item)
