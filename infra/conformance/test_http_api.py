"""The HTTP API through plain HTTP. A stands for https://docs.aws.amazon.com/apigateway/latest/developerguide/. Where
AWS documents nothing, the tests hold to recordings of AWS's own answers and events:
T: https://github.com/aws/aws-lambda-dotnet, Tools/LambdaTestTool-v2/tests/…IntegrationTests/Snapshots, April 2025;
V: https://github.com/hotsock/voker, vokerhttp/testdata, July 2026;
M: https://github.com/ministackorg/ministack/pull/766, June 2026."""

import base64
import json
import re
import time

import pytest

from cloud import eventually

MEGABYTE = 1024 * 1024
NOT_FOUND = (404, {"message": "Not Found"})
BROKEN = (500, {"message": "Internal Server Error"})


def wish(**wanted):
    return ("x-wish", json.dumps(wanted))


def message(answer):
    """Status and body of what the gateway itself says."""
    assert answer.headers["content-type"] == "application/json"
    return answer.status, answer.json()


def test_an_event_is_as_aws_makes_it(api):
    """A http-api-develop-integrations-lambda.html; V apigwv2-request.json, T V2_*.json"""
    headers = [
        ("host", "abc.execute-api.us-east-1.amazonaws.com"),
        ("User-Agent", "curl/8.7.1"),
        ("X-Probe", "first"),
        ("x-probe", "second"),
        ("cookie", "session=abc123; theme=dark"),
        ("content-type", "application/json"),
    ]
    query = "repeat=one&repeat=two&redirect=https%3A%2F%2Fexample.com%2Fa&literalPlus=a+b&encodedPlus=a%2Bb&empty="
    answer = api.http("POST", f"/tasks/a%20b?{query}", headers, '{"λ":1}'.encode())
    event = answer.event
    context = event.pop("requestContext")
    trace = event["headers"].pop("x-amzn-trace-id")
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace)
    assert event == {
        "version": "2.0",
        "routeKey": "ANY /tasks/{id}",
        "rawPath": "/tasks/a b",
        "rawQueryString": query,
        "cookies": ["session=abc123", "theme=dark"],
        "headers": {
            "content-length": "8",
            "content-type": "application/json",
            "host": "abc.execute-api.us-east-1.amazonaws.com",
            "user-agent": "curl/8.7.1",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": api.description["api_url"].rsplit(":", 1)[1],
            "x-forwarded-proto": "http",
            "x-probe": "first,second",
        },
        "queryStringParameters": {
            "empty": "",
            "encodedPlus": "a+b",
            "literalPlus": "a b",
            "redirect": "https://example.com/a",
            "repeat": "one,two",
        },
        "pathParameters": {"id": "a b"},
        "body": '{"λ":1}',
        "isBase64Encoded": False,
    }
    moment = context.pop("timeEpoch")
    assert abs(moment / 1000 - time.time()) < 20
    assert context.pop("time") == time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(moment // 1000))
    request_id = context.pop("requestId")
    assert re.fullmatch(r"[A-Za-z0-9_-]{15}=", request_id)
    assert request_id == answer.headers["apigw-requestid"]
    assert context.pop("apiId")
    assert context == {
        "accountId": "123456789012",
        "domainName": "abc.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "abc",
        "http": {
            "method": "POST",
            "path": "/tasks/a b",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "curl/8.7.1",
        },
        "routeKey": "ANY /tasks/{id}",
        "stage": "$default",
    }


def test_what_a_request_does_not_have_the_event_does_not_have(api):
    """A http-api-develop-integrations-lambda.html; T V2_SpecialCharactersInPath.json, and
    https://github.com/aws/aws-lambda-java-libs/pull/230: a content length of 0"""
    event = api.http("GET", "/tasks").event
    assert not {"cookies", "queryStringParameters", "pathParameters", "body", "stageVariables"} & event.keys()
    assert (event["rawQueryString"], event["isBase64Encoded"]) == ("", False)
    assert event["headers"]["content-length"] == "0"
    assert event["requestContext"]["http"]["userAgent"] == ""


def test_the_trace_reaches_the_function(api):
    """V, T: every event has x-amzn-trace-id; L runtimes-api.html: Lambda-Runtime-Trace-Id"""
    answer = api.http("GET", "/tasks").json()
    assert answer["headers"]["lambda-runtime-trace-id"].startswith(answer["event"]["headers"]["x-amzn-trace-id"])


def test_a_client_cannot_pretend_to_come_from_elsewhere(api):
    """https://github.com/eonx-com/easy-monorepo/pull/1837: the caller's addresses are passed on, the true one last"""
    event = api.http("GET", "/tasks", [("x-forwarded-for", "10.0.0.1"), ("x-forwarded-proto", "gopher")]).event
    assert event["headers"]["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
    assert event["headers"]["x-forwarded-proto"] == "http"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize(
    "method, path, key, parameters",
    [
        ("GET", "/tasks", "GET /tasks", None),
        ("POST", "/tasks", "POST /tasks", None),
        ("GET", "/tasks/new", "GET /tasks/new", None),
        ("POST", "/tasks/new", "ANY /tasks/{id}", {"id": "new"}),
        ("GET", "/tasks/1", "ANY /tasks/{id}", {"id": "1"}),
        ("GET", "/files/me/a/b.txt", "GET /files/{owner}/{path+}", {"owner": "me", "path": "a/b.txt"}),
        ("PATCH", "/any", "ANY /any", None),
    ],
)
def test_the_most_specific_route_takes_a_request(api, method, path, key, parameters):
    """A http-api-develop-routes.html#http-api-develop-routes.evaluation"""
    event = api.http(method, path).event
    assert (event["routeKey"], event.get("pathParameters")) == (key, parameters)
    assert event["requestContext"]["routeKey"] == key


@pytest.mark.parametrize(
    "method, path",
    [("GET", "/"), ("GET", "/tasks/"), ("GET", "/tasks/1/2"), ("DELETE", "/tasks"), ("GET", "/files/me")],
)
def test_what_no_route_takes_is_not_found(api, method, path):
    """A http-api-develop-routes.html; the answer is widely observed: 404 {"message":"Not Found"}"""
    answer = api.http(method, path)
    assert message(answer) == NOT_FOUND
    assert answer.headers["apigw-requestid"]


@pytest.mark.parametrize(
    "sent, path",
    [
        ("plain", "plain"),
        ("space%20value", "space value"),
        ("question%3Fvalue", "question"),
        ("hash%23value", "hash#value"),
        ("slash%2Fvalue", "slash/value"),
        ("unicode-%CE%BB-%E4%B8%96", "unicode-λ-世"),
        ("literal%252Fvalue", "literal/value"),
        ("literal%253Fvalue", "literal?value"),
        ("literal%2525value", "literal%value"),
        ("a+b", "a+b"),
    ],
)
def test_a_path_is_decoded(api, sent, path):
    """V ingress-paths.json: HTTP APIs decode the path, twice, and cut it at the first decoded question mark"""
    event = api.http("GET", f"/files/me/{sent}?value=a%3Fb%25c%23d").event
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == f"/files/me/{path}"
    assert event["pathParameters"] == {"owner": "me", "path": path}
    assert event["rawQueryString"] == "value=a%3Fb%25c%23d"
    assert event["queryStringParameters"] == {"value": "a?b%c#d"}


def test_a_path_that_cannot_be_decoded_twice_is_refused(api):
    """V ingress-paths.json, examples/aws-ingress-probe/paths.py: 400"""
    assert message(api.http("GET", "/files/me/percent%25done")) == (400, {"message": "Bad Request"})


@pytest.mark.parametrize(
    "content_type, is_text",
    [
        ("text/plain", True),
        ("text/html; charset=utf-8", True),
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/octet-stream", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("image/png", False),
        (None, False),
    ],
)
def test_a_body_comes_as_text_or_as_base64(api, content_type, is_text):
    """A http-api-develop-integrations-lambda.html: isBase64Encoded; M: which media types are text"""
    headers = [("content-type", content_type)] if content_type else []
    event = api.http("POST", "/tasks", headers, "ä".encode()).event
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("ä" if is_text else base64.b64encode("ä".encode()).decode())


def test_bytes_survive(api):
    """A http-api-develop-integrations-lambda.html"""
    data = bytes(range(256)) * 10
    event = api.http("POST", "/tasks", [("content-type", "application/octet-stream")], data).event
    assert base64.b64decode(event["body"]) == data
    response = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff" * 100).decode()}
    answer = api.http("GET", "/tasks", [wish(response=response | {"headers": {"Content-Type": "image/png"}})])
    assert (answer.headers["content-type"], answer.body) == ("image/png", b"\x00\xff" * 100)


def test_a_response_keeps_its_status_headers_and_cookies(api):
    """A http-api-develop-integrations-lambda.html; T V2_DoesNotOverrideExplicitValues, V2_HandlesHeadersCorrectly"""
    response = {
        "statusCode": 201,
        "headers": {"Content-Type": "application/xml", "X-Many": "one,two", "x-number": 1},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "<a/>",
    }
    answer = api.http("GET", "/tasks", [wish(response=response)])
    assert (answer.status, answer.body) == (201, b"<a/>")
    assert (answer.headers["content-type"], answer.headers["x-many"]) == ("application/xml", "one,two")
    assert answer.headers["x-number"] == "1"
    assert answer.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2"]
    assert answer.headers["content-length"] == "4"
    assert answer.headers["apigw-requestid"] and answer.headers["date"]


def test_a_response_without_a_content_type_is_plain_text(api):
    """T V2_HttpAPIHeaders.json"""
    answer = api.http("GET", "/tasks", [wish(response={"statusCode": 200, "body": "Test body"})])
    assert (answer.headers["content-type"], answer.body) == ("text/plain; charset=utf-8", b"Test body")


@pytest.mark.parametrize(
    "raw, body",
    [
        ('{"name": "x", "age": 30}', b'{"name": "x", "age": 30}'),
        ('{"name": "x", "age":', b'{"name": "x", "age":'),
        ("[1, 2, 3]", b"[1, 2, 3]"),
        ("Hello, World!", b"Hello, World!"),
        ("42", b"42"),
        ("true", b"true"),
        ('"test"', b"test"),
        ('""', b""),
        ('"Special \\"quoted\\" text"', b'Special "quoted" text'),
    ],
)
def test_a_response_without_a_status_code_is_the_body(api, raw, body):
    """A http-api-develop-integrations-lambda.html: status 200, application/json; T
    InvokeResponseExtensionsIntegrationTests.cs: that it is no JSON does not matter, and a text is decoded"""
    answer = api.http("GET", "/tasks", [wish(raw=raw)])
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", body)


@pytest.mark.parametrize(
    "wanted",
    [
        {"error": "no"},
        {"exit": 1},
        {"response": {"statusCode": 200.5, "body": "x"}},
        {"response": {"statusCode": "abc"}},
        {"response": {"statusCode": 200, "body": {"not": "text"}}},
        {"response": {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True}},
        {"response": {"statusCode": 200, "headers": {"a": ["list"]}}},
        {"letters": 7 * MEGABYTE},
    ],
    ids=str,
)
def test_a_function_that_fails_or_makes_no_sense_is_an_internal_error(api, wanted):
    """A http-api-troubleshooting-lambda.html; T …StatusCodeAsFloat_ReturnsInternalServerError.json: 500"""
    assert message(api.http("GET", "/tasks", [wish(**wanted)])) == BROKEN


def test_headers_of_the_connection_are_not_the_functions_to_set(api):
    """RFC 9110 7.6.1; T: the length that a response has is that of its body"""
    headers = {
        "content-length": "3",
        "transfer-encoding": "chunked",
        "connection": "x-gone",
        "keep-alive": "timeout=1",
    }
    answer = api.http("GET", "/tasks", [wish(response={"statusCode": 200, "headers": headers, "body": "hello"})])
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"hello", "5")
    assert not {"transfer-encoding", "keep-alive"} & {name.lower() for name in answer.headers}


def test_a_head_request_has_no_body(api):
    """A http-api-develop-routes.html: HEAD is a method of its own; RFC 9110 9.3.2"""
    answer = api.http("HEAD", "/any", [wish(response={"statusCode": 200, "body": "12345"})])
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "5")
    # It is not a GET.
    assert api.http("HEAD", "/tasks").status == 404


def test_options_is_an_ordinary_method_without_cors(api):
    """A http-api-cors.html: API Gateway answers preflight requests where CORS is configured"""
    headers = [("origin", "https://app.example"), ("access-control-request-method", "POST")]
    assert api.http("OPTIONS", "/any", headers).event["requestContext"]["http"]["method"] == "OPTIONS"
    assert message(api.http("OPTIONS", "/tasks", headers)) == NOT_FOUND


def test_a_body_has_a_largest_size(api):
    """A http-api-quotas.html: 10 MB; but what Lambda does not take is refused in the same words, see
    https://github.com/aws/aws-lambda-dotnet, LargePayloadTests.cs"""
    text = [("content-type", "text/plain"), wish(response={"statusCode": 200, "body": "fine"})]
    assert api.http("POST", "/tasks", text, b"x" * (6 * MEGABYTE - 2000)).body == b"fine"
    for size in (6 * MEGABYTE, 10 * MEGABYTE, 10 * MEGABYTE + 1):
        answer = api.http("POST", "/tasks", text, b"x" * size)
        assert message(answer) == (413, {"message": "Request Entity Too Large"}), size
    # As base64 it is a third longer.
    data = [("content-type", "application/octet-stream"), text[1]]
    assert api.http("POST", "/tasks", data, b"x" * (5 * MEGABYTE)).status == 413


def test_request_line_and_headers_have_a_largest_size(api):
    """A http-api-quotas.html: 10,240 bytes together; the status is widely observed"""
    assert api.http("GET", "/tasks", [("x-long", "x" * 9_900)]).status == 200
    for path, headers in (("/tasks", [("x-long", "x" * 10_240)]), ("/tasks?q=" + "x" * 10_240, [])):
        answer = api.http("GET", path, headers)
        assert message(answer) == (431, {"message": "Request Header Fields Too Large"})


def test_after_30_seconds_the_client_gets_503_and_the_function_runs_on(api, overdue):
    """A http-api-quotas.html: 30 s; https://github.com/cortexlabs/cortex/issues/1225: 503. Its answer gets lost."""
    marker, begun, answer = overdue
    answer = answer.result()
    assert message(answer) == (503, {"message": "Service Unavailable"})
    # The tests before it may have waited for the answer longer than it took.
    assert time.monotonic() - begun >= 30
    [(request_id, _, _)] = api.received("Function", marker)
    report = f"REPORT RequestId: {request_id}\tDuration: 33"
    eventually(lambda: any(line.startswith(report) for line in api.log("Function")), "the function ends by itself")
