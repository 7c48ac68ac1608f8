"""CloudWatch Logs, seen by boto3 and the AWS CLI: what functions print, and what Lambda adds.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""

import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from cloud import eventually

WORKER = "/aws/lambda/Worker"


@pytest.fixture(scope="module")
def logs(functions):
    return functions.client("logs")


def written(logs, pattern, lines):
    """So many lines with that pattern: what is logged comes to the log after it happened, here as on AWS."""

    def found():
        events = logs.filter_log_events(logGroupName=WORKER, filterPattern=pattern)["events"]
        return events if len(events) >= lines else None

    return eventually(found, f"{lines} lines with {pattern}")


@pytest.fixture
def printed(logs, lambda_client):
    """A word that the function has just printed, with the time before and after it, in milliseconds."""
    word = f"word{uuid.uuid4().hex}"
    before = time.time_ns() // 1_000_000
    lambda_client.invoke(FunctionName="Worker", Payload=json.dumps({"print": f"first {word}\nthen {word}"}))
    written(logs, word, 3)
    return word, before, time.time_ns() // 1_000_000


def messages(answer):
    return [event["message"] for event in answer["events"]]


def test_what_a_function_prints_is_found_by_a_term(logs, printed):
    """API_FilterLogEvents.html: timestamp, logStreamName, message; the function also prints the event that it receives"""
    word, before, after = printed
    answer = logs.filter_log_events(logGroupName=WORKER, filterPattern=word, startTime=before, endTime=after)
    assert messages(answer)[1:] == [f"first {word}\n", f"then {word}\n"]
    for event in answer["events"]:
        assert before <= event["timestamp"] <= after
        assert "[$LATEST]" in event["logStreamName"]
    assert len({event["eventId"] for event in answer["events"]}) == 3


def test_start_end_and_report_of_an_invocation_are_there(logs, lambda_client):
    """monitoring-cloudwatchlogs-view.html: the lines that Lambda adds"""
    answer = lambda_client.invoke(FunctionName="Worker", Payload="{}")
    request_id = answer["ResponseMetadata"]["RequestId"]
    events = written(logs, f'"RequestId: {request_id}"', 3)
    [start, end, report] = messages({"events": events})
    assert start == f"START RequestId: {request_id} Version: $LATEST\n"
    assert end == f"END RequestId: {request_id}\n"
    assert report.startswith(f"REPORT RequestId: {request_id}\tDuration: ")
    for field in ("Billed Duration: ", "Memory Size: 256 MB", "Max Memory Used: "):
        assert field in report


def test_a_phrase_stands_as_it_is_quoted(logs, printed):
    """FilterAndPatternSyntax.html: exact phrases in double quotes, terms that all have to be there, in their case"""
    word, _, _ = printed
    search = lambda pattern: messages(logs.filter_log_events(logGroupName=WORKER, filterPattern=pattern))
    assert search(f'"then {word}"')[-1:] == [f"then {word}\n"]
    assert search(f'"{word} then"') == []
    assert len(search(f"{word} first")) == 2
    assert search(word.upper()) == search(word[:-1]) == []


def test_events_come_in_pages(logs, printed):
    """API_FilterLogEvents.html: limit, nextToken"""
    word, _, _ = printed
    paginator = logs.get_paginator("filter_log_events")
    pages = list(paginator.paginate(logGroupName=WORKER, filterPattern=word, PaginationConfig={"PageSize": 1}))
    assert [len(page["events"]) for page in pages] == [1, 1, 1]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"logGroupName": "/aws/lambda/Nobody"}, "ResourceNotFoundException"),
        ({"logGroupName": WORKER, "filterPattern": "?ERROR ?WARN"}, "InvalidParameterException"),
        ({"logGroupName": WORKER, "filterPattern": '{ $.level = "ERROR" }'}, "InvalidParameterException"),
        ({"logGroupName": WORKER, "nextToken": "elsewhere"}, "InvalidParameterException"),
    ],
)
def test_what_cannot_be_searched_is_refused(logs, request_, expected):
    """API_FilterLogEvents.html: Errors; of the patterns the local cloud knows terms and phrases"""
    with pytest.raises(ClientError) as caught:
        logs.filter_log_events(**request_)
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (expected, 400)


def test_the_aws_cli_finds_the_same(aws, printed):
    """https://docs.aws.amazon.com/cli/latest/reference/logs/filter-log-events.html"""
    word, _, _ = printed
    code, answer, errors = aws("logs", "filter-log-events", "--log-group-name", WORKER, "--filter-pattern", word)
    assert (code, errors) == (0, "")
    assert messages(answer)[-1] == f"then {word}\n"
