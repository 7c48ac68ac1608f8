"""Calls are signed, with keys that the local cloud knows. S stands for
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html; the codes are those by which SDKs know the errors."""

import boto3
import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from cloud import CONFIG

CALLS = {"lambda": "list_functions", "sqs": "list_queues", "dynamodb": "list_tables"}


def refusal(functions, service, **keys):
    session = boto3.Session(region_name="us-east-1", **keys)
    config = CONFIG if keys else CONFIG.merge(type(CONFIG)(signature_version=UNSIGNED))
    client = session.client(service, endpoint_url=functions.endpoint_url, config=config)
    with pytest.raises(ClientError) as caught:
        getattr(client, CALLS[service])()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    "service, expected",
    [
        ("lambda", ("InvalidSignatureException", 403)),
        ("sqs", ("SignatureDoesNotMatch", 403)),
        ("dynamodb", ("InvalidSignatureException", 400)),
    ],
)
def test_a_wrong_secret_is_refused(functions, service, expected):
    """S"""
    key = functions.description["access_key_id"]
    assert refusal(functions, service, aws_access_key_id=key, aws_secret_access_key="x" * 40) == expected


@pytest.mark.parametrize(
    "service, expected",
    [
        ("lambda", ("UnrecognizedClientException", 403)),
        ("sqs", ("InvalidClientTokenId", 403)),
        ("dynamodb", ("UnrecognizedClientException", 400)),
    ],
)
def test_an_unknown_key_is_refused(functions, service, expected):
    """S"""
    keys = {"aws_access_key_id": "AKIA0000000000000000", "aws_secret_access_key": "x" * 40}
    assert refusal(functions, service, **keys) == expected


@pytest.mark.parametrize(
    "service, expected",
    [
        ("lambda", ("MissingAuthenticationTokenException", 403)),
        # SQS knows anonymous callers, whom no queue here admits.
        ("sqs", ("AccessDenied", 403)),
        ("dynamodb", ("MissingAuthenticationTokenException", 400)),
    ],
)
def test_an_unsigned_call_is_refused(functions, service, expected):
    """S"""
    assert refusal(functions, service) == expected
