"""CloudFormation, seen by boto3 and the AWS CLI: what `up` runs is a stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html"""

import datetime

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def stack(functions):
    [stack] = functions.client("cloudformation").describe_stacks(StackName="functions")["Stacks"]
    return stack


def test_a_stack_is_complete_and_has_its_name_and_its_id(functions, stack):
    """API_DescribeStacks.html: a stack is found by its name or its id"""
    assert (stack["StackName"], stack["StackStatus"]) == ("functions", "CREATE_COMPLETE")
    assert stack["StackId"].startswith("arn:aws:cloudformation:us-east-1:123456789012:stack/functions/")
    age = datetime.datetime.now(datetime.UTC) - stack["CreationTime"]
    assert datetime.timedelta(0) <= age < datetime.timedelta(hours=1)
    cloudformation = functions.client("cloudformation")
    assert cloudformation.describe_stacks(StackName=stack["StackId"])["Stacks"] == [stack]


def test_without_a_name_every_stack_is_described(functions, stack):
    """API_DescribeStacks.html: StackName is optional; here there is one stack"""
    assert functions.client("cloudformation").describe_stacks()["Stacks"] == [stack]


def test_outputs_are_resolved_and_parameters_as_given(functions, stack):
    """API_Stack.html: Outputs, Parameters"""
    outputs = {output["OutputKey"]: output for output in stack["Outputs"]}
    assert outputs["Worker"]["OutputValue"] == "Worker"
    assert outputs["Worker"]["Description"] == "Named <so> & described."
    assert outputs["QueueUrl"]["OutputValue"] == functions.queue_url("Queue")
    assert stack["Parameters"] == [{"ParameterKey": "Greeting", "ParameterValue": "hello"}]


def test_an_unknown_stack_is_a_validation_error(functions):
    """https://github.com/boto/boto3/issues/2807: status, code and message"""
    with pytest.raises(ClientError) as caught:
        functions.client("cloudformation").describe_stacks(StackName="nobody")
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == "Stack with id nobody does not exist"


def test_the_url_of_the_api_is_the_local_one(api):
    """API_Output.html: OutputValue; what would be the API's address on AWS is where it answers here"""
    [stack] = api.client("cloudformation").describe_stacks(StackName="http-api")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs == {"ApiUrl": api.description["api_url"]}


def test_the_aws_cli_reads_an_output(aws):
    """https://docs.aws.amazon.com/cli/latest/reference/cloudformation/describe-stacks.html"""
    query = "Stacks[0].Outputs[?OutputKey=='Worker'].OutputValue | [0]"
    code, answer, errors = aws("cloudformation", "describe-stacks", "--stack-name", "functions", "--query", query)
    assert (code, answer, errors) == (0, "Worker", "")
