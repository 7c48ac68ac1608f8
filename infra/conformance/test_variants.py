"""The project's own variants, seen by real clients: what they leave in the table and the queues, and that what HTTP APIs
do to requests does not trouble them."""

import hashlib
import json

import pytest

from cloud import WORKSPACE, Cloud, eventually

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
    """README.md of the project: 202, and the record by which the result reaches the user"""
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
    """ARCHITECTURE.md: a client cannot forge the internal event"""
    forged = {"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]}
    answer = variant.http("POST", "/tasks", [JSON], json.dumps(forged).encode())
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_sdk_for_rust_sends_the_trace_on(monkeypatch, tmp_path):
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html: a loop is recognised by the trace header. The SDK for Rust is not on that page's list;
    it reads _X_AMZN_TRACE_ID, as the SDK does that calls here. The function is told that it is the 16th invocation of its
    chain, hands a task over to itself, and that one is stopped, where the template does not allow loops."""
    arn = "arn:aws:lambda:us-east-1:123456789012:function:"
    original = (WORKSPACE / "infra/self-invoke.yaml").read_text()
    assert "RecursiveLoop: Allow" in original
    template = tmp_path / "template.yaml"
    changed = original.replace("RecursiveLoop: Allow", "RecursiveLoop: Terminate")
    template.write_text(changed.replace("CodeUri: ../", f"CodeUri: {WORKSPACE}"))
    with Cloud(template) as cloud:
        [name] = cloud.description["functions"]
        lineage = hashlib.md5(f"{arn}{name}".encode()).hexdigest()[:8]
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", name)
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={lineage}:14")
        event = {
            "version": "2.0",
            "routeKey": "POST /tasks",
            "rawPath": "/tasks",
            "rawQueryString": "",
            "headers": {"content-type": "application/json"},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "localhost",
                "domainPrefix": "localhost",
                "http": {"method": "POST", "path": "/tasks", "protocol": "HTTP/1.1", "sourceIp": "::1", "userAgent": ""},
                "requestId": "id",
                "routeKey": "POST /tasks",
                "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000",
                "timeEpoch": 0,
            },
            "body": json.dumps({"kind": "sleep", "millis": 0}),
            "isBase64Encoded": False,
        }
        answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        assert json.loads(answer["Payload"].read())["statusCode"] == 202
        eventually(lambda: any("is given up: RecursiveInvocation" in line for line in cloud.log()), "it is stopped")
