"""Lambda's API through boto3. L stands for https://docs.aws.amazon.com/lambda/latest/dg/, I for
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

import base64
import json
import uuid

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloud import CONFIG, eventually

ARN = "arn:aws:lambda:us-east-1:123456789012:function:Worker"
MEGABYTE = 1024 * 1024


def invoke(client, event, function="Worker", **parameters):
    payload = event if isinstance(event, bytes) else json.dumps(event)
    return client.invoke(FunctionName=function, Payload=payload, **parameters)


def result(answer):
    return json.loads(answer["Payload"].read())


def refused(call, *arguments, **parameters):
    """The error's code and HTTP status, and the whole of it."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response


def test_a_synchronous_invocation_answers_200_and_what_the_function_said(lambda_client):
    """I: 200 for RequestResponse, with the executed version."""
    answer = invoke(lambda_client, {"response": {"a": [1, "ä"]}})
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert result(answer) == {"a": [1, "ä"]}


def test_an_invocation_without_a_payload_passes_an_empty_object(lambda_client):
    """I: a function without an event gets {}; widely observed, not in the reference."""
    answer = lambda_client.invoke(FunctionName="Worker")
    assert result(answer)["event"] == {}


def test_an_asynchronous_invocation_answers_202_and_nothing(lambda_client, functions):
    """I: 202 for Event, without a payload; the request id is that of the function's invocation."""
    marker = uuid.uuid4().hex
    answer = invoke(lambda_client, {"marker": marker}, InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    [(request_id, _, event)] = eventually(lambda: functions.received("Worker", marker), "the event arrives")
    assert event == {"marker": marker}
    assert request_id == answer["ResponseMetadata"]["RequestId"]


def test_a_dry_run_answers_204_and_runs_nothing(lambda_client, functions):
    """I: 204 for DryRun."""
    marker = uuid.uuid4().hex
    assert invoke(lambda_client, {"marker": marker}, InvocationType="DryRun")["StatusCode"] == 204
    invoke(lambda_client, {"after": marker})
    events = eventually(lambda: functions.received("Worker", marker), "the later event arrives")
    assert [event for _, _, event in events] == [{"after": marker}]


def test_a_functions_own_error_still_answers_200(lambda_client):
    """I: X-Amz-Function-Error: Unhandled, and the error as the payload."""
    answer = invoke(lambda_client, {"error": "no way"})
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    error = result(answer)
    assert (error["errorType"], error["errorMessage"]) == ("Failure", "no way")


def test_a_crash_is_an_exit_error_and_the_next_invocation_works(lambda_client):
    """L lambda-runtime-environment.html: a crash resets the environment; Runtime.ExitError."""
    answer = invoke(lambda_client, {"exit": 3})
    assert answer["FunctionError"] == "Unhandled"
    error = result(answer)
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert result(invoke(lambda_client, {"response": 1})) == 1


def test_a_timeout_is_reported_and_the_next_invocation_works(lambda_client):
    """L lambda-runtime-environment.html: `Task timed out after N.00 seconds`."""
    answer = invoke(lambda_client, {"sleep": 5}, "Hasty", LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in result(answer)["errorMessage"]
    assert "Task timed out after 1.00 seconds" in base64.b64decode(answer["LogResult"]).decode()
    assert result(invoke(lambda_client, {"response": 1}, "Hasty")) == 1


def test_the_tail_of_the_log_comes_with_the_answer(lambda_client):
    """I: LogType Tail gives the last 4 KB of the log, base64, of a synchronous invocation."""
    answer = invoke(lambda_client, {"print": "a line of its own"}, LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    request_id = answer["ResponseMetadata"]["RequestId"]
    lines = log.splitlines()
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert "a line of its own" in lines
    assert f"END RequestId: {request_id}" in lines
    report = next(line for line in lines if line.startswith(f"REPORT RequestId: {request_id}\tDuration: "))
    assert "\tBilled Duration: " in report and "\tMemory Size: 256 MB\t" in report
    long = invoke(lambda_client, {"print": "x" * 10_000}, LogType="Tail")
    assert len(base64.b64decode(long["LogResult"])) == 4096
    assert "LogResult" not in invoke(lambda_client, {})


def test_a_client_context_reaches_a_synchronous_invocation_alone(lambda_client, functions):
    """I: ClientContext is for synchronous invocations."""
    context = {"custom": {"key": "wert ä"}, "env": {}, "client": {}}
    encoded = base64.b64encode(json.dumps(context).encode()).decode()
    headers = result(invoke(lambda_client, {}, ClientContext=encoded))["headers"]
    assert json.loads(headers["lambda-runtime-client-context"]) == context
    assert "lambda-runtime-client-context" not in result(invoke(lambda_client, {}))["headers"]
    _, status, _ = refused(invoke, lambda_client, {}, ClientContext="no base64!")
    assert status == 400


@pytest.mark.parametrize("name", ["Worker", "Worker:$LATEST", "123456789012:function:Worker", ARN, f"{ARN}:$LATEST"])
def test_a_function_is_found_by_name_and_by_arn(lambda_client, name):
    """I: FunctionName is a name, a partial ARN or an ARN, with or without the version."""
    headers = result(invoke(lambda_client, {}, name))["headers"]
    assert headers["lambda-runtime-invoked-function-arn"].removesuffix(":$LATEST") == ARN
    assert lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"].startswith(ARN)


def test_the_version_may_stand_beside_the_name(lambda_client):
    """I: Qualifier."""
    assert invoke(lambda_client, {}, Qualifier="$LATEST")["StatusCode"] == 200


@pytest.mark.parametrize(
    "name, missing", [("Nobody", "Nobody"), ("Worker:7", "Worker:7"), ("Worker:live", "Worker:live")]
)
def test_what_is_not_there_is_not_found(lambda_client, name, missing):
    """I: 404 ResourceNotFoundException."""
    code, status, response = refused(invoke, lambda_client, {}, name)
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert missing in response["Error"]["Message"]
    assert refused(lambda_client.get_function, FunctionName=name)[:2] == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize(
    "invocation_type, size",
    [("RequestResponse", 6 * MEGABYTE), ("Event", MEGABYTE)],
)
def test_a_payload_has_a_largest_size(lambda_client, invocation_type, size):
    """L gettingstarted-limits.html: 6 MB synchronously, 1 MB asynchronously; larger ones 413."""
    letters = b'"' + b"x" * (size - 2) + b'"'
    assert invoke(lambda_client, letters, InvocationType=invocation_type)["StatusCode"] in (200, 202)
    too_large = b'"' + b"x" * (size - 1) + b'"'
    code, status, _ = refused(invoke, lambda_client, too_large, InvocationType=invocation_type)
    assert (code, status) == ("RequestTooLargeException", 413)


def test_a_response_has_a_largest_size(lambda_client):
    """L gettingstarted-limits.html: 6 MB; more is an error of the function."""
    assert len(result(invoke(lambda_client, {"letters": 5 * MEGABYTE}))) == 5 * MEGABYTE
    answer = invoke(lambda_client, {"letters": 7 * MEGABYTE})
    assert answer["FunctionError"] == "Unhandled"
    assert result(answer)["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_payload_has_to_be_json(lambda_client):
    """I: 400 InvalidRequestContentException."""
    code, status, response = refused(invoke, lambda_client, b"{no json}")
    assert (code, status) == ("InvalidRequestContentException", 400)
    assert "Could not parse request body into json" in response["Error"]["Message"]


def test_a_function_without_concurrency_is_throttled(lambda_client):
    """I: 429 TooManyRequestsException with the reason; L configuration-concurrency.html: reserved concurrency 0."""
    code, status, response = refused(invoke, lambda_client, {}, "SwitchedOff")
    assert (code, status) == ("TooManyRequestsException", 429)
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert "retry-after" in response["ResponseMetadata"]["HTTPHeaders"]


def test_a_recursive_loop_is_stopped(lambda_client, monkeypatch):
    """L invocation-recursion.html: at about 16 invocations of one chain; I: 400 RecursiveInvocationException. The SDK
    sends the trace header on as it does within a function."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "Worker")
    for _ in range(16):
        headers = result(invoke(lambda_client, {}))["headers"]
        monkeypatch.setenv("_X_AMZN_TRACE_ID", headers["lambda-runtime-trace-id"])
    code, status, _ = refused(invoke, lambda_client, {})
    assert (code, status) == ("RecursiveInvocationException", 400)


def test_the_runtime_gets_the_documented_headers(lambda_client):
    """L runtimes-api.html: the headers of the next invocation."""
    answer = invoke(lambda_client, {})
    headers = result(answer)["headers"]
    assert headers["lambda-runtime-aws-request-id"] == answer["ResponseMetadata"]["RequestId"]
    assert headers["lambda-runtime-invoked-function-arn"] == ARN
    assert int(headers["lambda-runtime-deadline-ms"]) > 1_700_000_000_000
    assert headers["lambda-runtime-trace-id"].startswith("Root=1-")


def test_the_environment_is_lambdas_and_no_more(lambda_client):
    """L configuration-envvars.html: the defined runtime environment variables."""
    environment = result(invoke(lambda_client, {}))["environment"]
    expected = {
        "AWS_LAMBDA_FUNCTION_NAME": "Worker",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/Worker",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "_HANDLER": "bootstrap",
        "TZ": ":UTC",
        "GREETING": "hello",
    }
    assert expected.items() <= environment.items()
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA") and environment["AWS_SESSION_TOKEN"]
    # Python itself adds LC_CTYPE where the locale is not there.
    ours = {name for name in environment if not name.startswith(("AWS_", "LAMBDA_"))}
    assert ours <= {"_HANDLER", "TZ", "LANG", "PATH", "LD_LIBRARY_PATH", "GREETING", "LC_CTYPE"}


def test_an_environment_is_used_again(lambda_client):
    """L lambda-runtime-environment.html: the environment is kept for later invocations."""
    # One may not be ready for the next event yet when its answer is already here.
    streams = {result(invoke(lambda_client, {}))["environment"]["AWS_LAMBDA_LOG_STREAM_NAME"] for _ in range(8)}
    assert len(streams) < 8


def test_concurrent_invocations_have_environments_of_their_own(lambda_client, in_background):
    """L lambda-concurrency.html: one event at a time in each environment."""
    answers = [in_background(invoke, lambda_client, {"sleep": 0.5}) for _ in range(4)]
    streams = {result(answer.result())["environment"]["AWS_LAMBDA_LOG_STREAM_NAME"] for answer in answers}
    assert len(streams) == 4


def test_configurations_are_read_and_listed(lambda_client):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html, API_ListFunctions.html"""
    configuration = lambda_client.get_function_configuration(FunctionName="Worker")
    configuration.pop("ResponseMetadata")
    assert (configuration["FunctionName"], configuration["FunctionArn"]) == ("Worker", ARN)
    assert (configuration["Timeout"], configuration["MemorySize"]) == (20, 256)
    assert (configuration["Runtime"], configuration["Handler"]) == ("provided.al2023", "bootstrap")
    assert configuration["Environment"] == {"Variables": {"GREETING": "hello"}}
    assert (configuration["State"], configuration["LastUpdateStatus"]) == ("Active", "Successful")
    assert lambda_client.get_function(FunctionName="Worker")["Configuration"] == configuration
    pages = lambda_client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    assert sorted(names) == ["Changing", "Hasty", "SwitchedOff", "Worker"]
    for waiter in ("function_active_v2", "function_updated_v2"):
        lambda_client.get_waiter(waiter).wait(FunctionName="Worker")


def test_a_list_comes_in_pages(lambda_client):
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html: MaxItems, Marker, NextMarker."""
    first = lambda_client.list_functions(MaxItems=3)
    assert len(first["Functions"]) == 3
    rest = lambda_client.list_functions(Marker=first["NextMarker"])
    assert len(rest["Functions"]) == 1 and "NextMarker" not in rest
    assert refused(lambda_client.list_functions, MaxItems=10_001)[0] == "ValidationException"


def test_an_update_makes_new_environments(lambda_client):
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html"""
    before = result(invoke(lambda_client, {}, "Changing"))["environment"]
    updated = lambda_client.update_function_configuration(
        FunctionName="Changing", Timeout=7, MemorySize=512, Description="new", Environment={"Variables": {"NEW": "1"}}
    )
    assert (updated["Timeout"], updated["MemorySize"], updated["Description"]) == (7, 512, "new")
    after = result(invoke(lambda_client, {}, "Changing"))["environment"]
    assert (after["NEW"], after["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("1", "512")
    assert before["AWS_LAMBDA_LOG_STREAM_NAME"] != after["AWS_LAMBDA_LOG_STREAM_NAME"]


def test_what_lambda_does_not_reserve_a_function_can_set(lambda_client):
    """L configuration-envvars.html#configuration-envvars-runtime: TZ and PATH are among those"""
    variables = {"TZ": "Europe/Berlin", "PATH": "/opt/own"}
    lambda_client.update_function_configuration(FunctionName="Changing", Environment={"Variables": variables})
    assert variables.items() <= result(invoke(lambda_client, {}, "Changing"))["environment"].items()
    updated = lambda_client.update_function_configuration(FunctionName="Changing", Environment={})
    assert updated["Environment"] == {"Variables": {}}


@pytest.mark.parametrize("wrong", [{"Timeout": 901}, {"Timeout": 0}, {"MemorySize": 127}, {"MemorySize": 10_241}])
def test_an_update_out_of_bounds_is_refused(functions, wrong):
    """L gettingstarted-limits.html; the SDK would refuse some of it itself."""
    client = functions.client("lambda", CONFIG.merge(Config(parameter_validation=False)))
    _, status, _ = refused(client.update_function_configuration, FunctionName="Changing", **wrong)
    assert status == 400


def test_what_is_out_of_bounds_fails_the_validation(lambda_client):
    """As public logs of deployments have it: `1 validation error detected: Value '1200' at 'timeout' failed to satisfy
    constraint: Member must have value less than or equal to 900`, Error Code: ValidationException"""
    code, _, response = refused(lambda_client.update_function_configuration, FunctionName="Changing", Timeout=1200)
    assert code == "ValidationException"
    assert "Value '1200' at 'timeout' failed to satisfy constraint" in response["Error"]["Message"]


@pytest.mark.parametrize("variables", [{"AWS_REGION": "eu-west-1"}, {"BIG": "x" * 4087}])
def test_an_environment_that_lambda_does_not_take_is_refused(lambda_client, variables):
    """L configuration-envvars.html: reserved names; L gettingstarted-limits.html: 4 KB"""
    environment = {"Variables": variables}
    update = lambda_client.update_function_configuration
    code, status, response = refused(update, FunctionName="Changing", Environment=environment)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert response["Error"]["Message"].startswith("Lambda was unable to configure your environment variables")
