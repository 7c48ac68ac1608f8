"""Asynchronous invocations: retries, destinations, dead-letter queues. Time passes 60 times faster, so that the retries
come after 1 and 2 seconds. L stands for https://docs.aws.amazon.com/lambda/latest/dg/."""

import json
import re
import uuid

from cloud import eventually

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


def invoke(cloud, function, event):
    """Answers the request id."""
    answer = cloud.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202
    return answer["ResponseMetadata"]["RequestId"]


def test_an_error_is_retried_twice_and_then_recorded(asynchronous):
    """L invocation-async-error-handling.html: two retries, after 1 and then 2 minutes, under the same request id;
    L invocation-async-retain-records.html: the record of a destination."""
    event = {"marker": uuid.uuid4().hex, "error": "never"}
    request_id = invoke(asynchronous, "Retried", event)
    record = json.loads(asynchronous.take("Failures")["Body"])
    attempts = asynchronous.received("Retried", event["marker"])
    assert [(id, event) for id, _, event in attempts] == [(request_id, event)] * 3
    times = [time for _, time, _ in attempts]
    assert 0.9 < times[1] - times[0] < 1.9 < times[2] - times[1] < 3.9
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("timestamp"))
    payload = record.pop("responsePayload")
    assert (payload["errorType"], payload["errorMessage"]) == ("Failure", "never")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{ARN}Retried:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    }


def test_a_success_is_recorded(asynchronous):
    """L invocation-async-retain-records.html: OnSuccess"""
    event = {"marker": uuid.uuid4().hex, "response": {"done": True}}
    request_id = invoke(asynchronous, "Retried", event)
    record = json.loads(asynchronous.take("Successes")["Body"])
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert (record["requestPayload"], record["responsePayload"]) == (event, {"done": True})
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_a_function_can_be_the_destination(asynchronous):
    """L invocation-async-retain-records.html: the record is the event of the function"""
    event = {"marker": uuid.uuid4().hex, "exit": 1}
    request_id = invoke(asynchronous, "NotRetried", event)
    [(_, _, record)] = eventually(lambda: asynchronous.received("Recorder", event["marker"]), "the record arrives")
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responsePayload"]["errorType"] == "Runtime.ExitError"
    assert len(asynchronous.received("NotRetried", event["marker"])) == 1


def test_a_timeout_counts_as_an_error(asynchronous):
    """L invocation-async-error-handling.html: timeouts are function errors"""
    event = {"marker": uuid.uuid4().hex, "sleep": 10}
    invoke(asynchronous, "NotRetried", event)
    [(_, _, record)] = eventually(lambda: asynchronous.received("Recorder", event["marker"]), "the record arrives")
    assert "Task timed out after 2.00 seconds" in record["responsePayload"]["errorMessage"]


def test_a_dead_letter_queue_gets_the_event_itself(asynchronous):
    """L invocation-async-retain-records.html: RequestID, ErrorCode, ErrorMessage"""
    event = {"marker": uuid.uuid4().hex, "error": "too bad"}
    request_id = invoke(asynchronous, "WithDeadLetters", event)
    letter = asynchronous.take("DeadLetters")
    assert json.loads(letter["Body"]) == event
    attributes = letter["MessageAttributes"]
    assert {name: attribute["DataType"] for name, attribute in attributes.items()} == {
        "RequestID": "String",
        "ErrorCode": "Number",
        "ErrorMessage": "String",
    }
    assert attributes["RequestID"]["StringValue"] == request_id
    assert attributes["ErrorMessage"]["StringValue"] == "too bad"


def test_without_concurrency_an_event_goes_straight_to_the_destination(asynchronous):
    """L invocation-async-error-handling.html, configuration-concurrency.html: reserved concurrency 0"""
    event = {"marker": uuid.uuid4().hex}
    request_id = invoke(asynchronous, "SwitchedOff", event)
    record = json.loads(asynchronous.take("NeverRun")["Body"])
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["requestPayload"] == event
    assert asynchronous.received("SwitchedOff", event["marker"]) == []
