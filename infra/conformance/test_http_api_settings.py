"""What an HTTP API can be configured to do. A stands for https://docs.aws.amazon.com/apigateway/latest/developerguide/,
S for https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/."""

import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from cloud import eventually

PREFLIGHT = "access-control-request-method"


@pytest.fixture(scope="module")
def api(start):
    return start("http-api-default")


def access_control(answer):
    prefix = "access-control-"
    return {
        name.lower().removeprefix(prefix): value
        for name, value in answer.headers.items()
        if name.lower().startswith(prefix)
    }


def test_the_default_route_takes_everything(api):
    """A http-api-develop-routes.html"""
    for method, path in (("GET", "/"), ("PUT", "/a/b"), ("DELETE", "/limited")):
        event = api.http(method, path).event
        assert (event["routeKey"], event["rawPath"]) == ("$default", path)
        assert "pathParameters" not in event


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:3000"])
def test_a_preflight_request_is_answered_by_the_gateway(api, origin):
    """A http-api-cors.html: origins may be `http://*`"""
    answer = api.http("OPTIONS", "/anything", [("origin", origin), (PREFLIGHT, "POST")])
    assert (answer.status, answer.body) == (204, b"")
    assert access_control(answer) == {
        "allow-credentials": "true",
        "allow-headers": "content-type,x-wish",
        "allow-methods": "GET,POST",
        "allow-origin": origin,
        "expose-headers": "location",
        "max-age": "600",
    }
    assert answer.headers["apigw-requestid"]


def test_another_origin_gets_no_permission(api):
    """A http-api-cors.html"""
    answer = api.http("OPTIONS", "/", [("origin", "https://evil.example"), (PREFLIGHT, "POST")])
    assert (answer.status, access_control(answer)) == (204, {})


def test_what_is_no_preflight_request_reaches_the_function(api):
    """A http-api-cors.html: it has the headers origin and access-control-request-method"""
    assert (
        api.http("OPTIONS", "/", [("origin", "https://app.example")]).event["requestContext"]["http"]["method"]
        == "OPTIONS"
    )


def test_the_gateway_says_who_may_read_and_the_function_does_not(api):
    """A http-api-cors.html: API Gateway ignores CORS headers that an integration returns"""
    headers = {"Access-Control-Allow-Origin": "*", "access-control-max-age": "1", "location": "/x"}
    wish = ("x-wish", json.dumps({"response": {"statusCode": 200, "headers": headers, "body": ""}}))
    allowed = api.http("GET", "/", [wish, ("origin", "https://app.example")])
    assert access_control(allowed) == {
        "allow-credentials": "true",
        "allow-origin": "https://app.example",
        "expose-headers": "location",
    }
    for others in ([], [("origin", "https://evil.example")]):
        answer = api.http("GET", "/", [wish, *others])
        assert (answer.status, answer.headers["location"], access_control(answer)) == (200, "/x", {})


def test_a_route_is_throttled(api):
    """A http-api-throttling.html: a burst, and then 429; S sam-resource-httpapi.html: RouteSettings"""
    answers = [api.http("GET", "/limited") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert answers[2].json() == {"message": "Too Many Requests"}
    # Other routes have their own limit.
    assert api.http("GET", "/elsewhere").status == 200


def test_each_request_is_logged(api):
    """A http-api-logging.html, http-api-logging-variables.html: one line; `-` for what has no value"""
    answer = api.http(
        "GET", "/logged?a=b", [("x-wish", json.dumps({"response": {"statusCode": 202, "body": "12345"}}))]
    )
    request_id = answer.headers["apigw-requestid"]
    [line] = eventually(lambda: [line for line in api.log("Api") if request_id in line], "the line")
    assert json.loads(line) == {
        "requestId": request_id,
        "ip": "127.0.0.1",
        "method": "GET",
        "routeKey": "$default",
        "path": "/logged",
        "status": 202,
        "responseLength": 5,
        "error": "-",
        "unknown": "-",
    }


@pytest.fixture(scope="module")
def signed_api(start):
    return start("http-api-signed")


def test_a_function_learns_who_signed(signed_api):
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html: the event of a function URL, in the same form"""
    request = AWSRequest("GET", signed_api.description["api_url"] + "/signed")
    SigV4Auth(signed_api.session.get_credentials(), "execute-api", "us-east-1").add_auth(request)
    iam = signed_api.http("GET", "/signed", request.headers.items()).event["requestContext"]["authorizer"]["iam"]
    assert iam["userId"].startswith("AIDA") and iam["callerId"] == iam["userId"]
    assert iam["userArn"].startswith("arn:aws:iam::123456789012:user/")
    assert {name: iam[name] for name in ("accessKey", "accountId", "cognitoIdentity", "principalOrgId")} == {
        "accessKey": signed_api.description["access_key_id"],
        "accountId": "123456789012",
        "cognitoIdentity": None,
        "principalOrgId": None,
    }


def test_of_an_open_route_it_learns_nothing(signed_api):
    """A http-api-develop-integrations-lambda.html"""
    assert "authorizer" not in signed_api.http("GET", "/open").event["requestContext"]
