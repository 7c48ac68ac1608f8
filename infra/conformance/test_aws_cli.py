"""The AWS CLI, as a user has it."""

import json


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
