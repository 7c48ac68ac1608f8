"""The project's own variants, seen by real clients: what they leave in the table and the queues, and that what HTTP APIs
do to requests does not trouble them."""

import json

import pytest

from cloud import Cloud, eventually

pytestmark = pytest.mark.variants

VARIANTS = ["self-invoke", "sqs-worker", "split-lambda"]
JSON = ("content-type", "application/json")


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request):
    with Cloud(request.param) as cloud:
        yield cloud


def accept(variant, task, *headers):
    answer = variant.http("POST", "/tasks", [JSON, *headers], json.dumps(task).encode())
    assert answer.status == 202, (answer.body, variant.log()[-20:])
    return answer.json()["id"]


def ended(variant, task_id):
    def record():
        task = variant.http("GET", f"/tasks/{task_id}").json()
        return task if task.get("finished_at") else None

    return eventually(record, "the task ends")


def test_a_task_ends_and_leaves_its_record_in_the_table(variant):
    """design.md: 202, and the record by which the result reaches the user"""
    task_id = accept(variant, {"kind": "sleep", "millis": 100})
    assert ended(variant, task_id)["status"] == "succeeded"
    [table] = variant.description["tables"]
    pages = variant.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    ids = [item["id"]["S"] for page in pages for item in page["Items"]]
    assert any(task_id in one for one in ids)


def test_a_finished_task_leaves_no_message_behind(variant):
    """with-sqs.html: what was handled is deleted; nothing went to a dead-letter or failure queue"""
    ended(variant, accept(variant, {"kind": "sleep", "millis": 0}))
    sqs = variant.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def is_empty(queue):
        url = variant.queue_url(queue)
        return set(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()) == {"0"}

    eventually(lambda: all(map(is_empty, variant.description["queues"])), "every queue is empty")


@pytest.mark.parametrize("name", ["a%20b", "%E2%98%95", "50%2525", "hash%23tag", "quo%22te", "back%5Cslash"])
def test_a_decoded_path_is_no_trouble(variant, name):
    """HTTP APIs decode the path: https://github.com/hotsock/voker, vokerhttp/testdata/ingress-paths.json"""
    assert variant.http("GET", f"/tasks/{name}").status in (400, 404)


def test_a_body_in_base64_is_no_trouble(variant):
    """Without a content type, or with one that is not known to be text, the body comes as base64"""
    body = json.dumps({"kind": "sleep", "millis": 0}).encode()
    assert variant.http("POST", "/tasks", [], body).status in (202, 415)
    answer = variant.http("POST", "/tasks", [("content-type", "application/vnd.task+json")], body)
    assert answer.status in (202, 415)


def test_a_function_cannot_be_invoked_with_nonsense_through_http(variant):
    """design.md: a client can never forge the internal event"""
    forged = {"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]}
    answer = variant.http("POST", "/tasks", [JSON], json.dumps(forged).encode())
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
