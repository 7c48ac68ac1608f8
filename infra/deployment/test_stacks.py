"""The transformed templates are created, updated and deleted in moto, and what moto's CloudFormation passes over is given to
its services, or to a validator, by itself."""

import io
import json
import re
import zipfile

import boto3
import openapi_spec_validator
import pytest
from moto.server import ThreadedMotoServer

from stack import INFRA, VARIANTS, decided, transformed

# https://docs.getmoto.org/en/latest/docs/services/cloudformation.html: what it has no support for is left out of a stack.
LEFT_OUT_BY_MOTO = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
}
CODE = "s3://code/functions.zip"
CHANGES = {"WorkerMemory": "512", "Authorizer": "AWS_IAM", "Tracing": "Active"}


@pytest.fixture(scope="module")
def client():
    """Clients of a moto server, in which the functions' code is."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()

    def client(service):
        return boto3.client(
            service,
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )

    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("bootstrap", "")
    client("s3").create_bucket(Bucket="code")
    client("s3").put_object(Bucket="code", Key="functions.zip", Body=code.getvalue())
    yield client
    server.stop()


def functions(client):
    return client("lambda").list_functions()["Functions"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_stack_is_created_updated_and_deleted(client, variant):
    cloudformation = client("cloudformation")
    template = transformed(variant, CODE)
    cloudformation.create_stack(StackName=variant, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    stack = cloudformation.describe_stacks(StackName=variant)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {"ApiUrl", "ApiFunction", "WorkerFunction"} == {output["OutputKey"] for output in stack["Outputs"]}

    resources = cloudformation.list_stack_resources(StackName=variant)["StackResourceSummaries"]
    created = {resource.get("LogicalResourceId") for resource in resources}
    expected = {name for name, resource in template["Resources"].items() if resource["Type"] not in LEFT_OUT_BY_MOTO}
    assert expected <= created
    groups = client("logs").describe_log_groups()["logGroups"]
    names = {f"/aws/lambda/{function['FunctionName']}" for function in functions(client)}
    assert {(group["logGroupName"], group["retentionInDays"]) for group in groups} == {(name, 14) for name in names}
    dashboards = client("cloudwatch").list_dashboards()["DashboardEntries"]
    assert f"{variant}-us-east-1" in {dashboard["DashboardName"] for dashboard in dashboards}

    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in CHANGES.items()]
    cloudformation.update_stack(
        StackName=variant,
        TemplateBody=json.dumps(transformed(variant, CODE, CHANGES)),
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM"],
    )
    assert cloudformation.describe_stacks(StackName=variant)["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE"
    assert 512 in {function["MemorySize"] for function in functions(client)}

    cloudformation.delete_stack(StackName=variant)
    assert functions(client) == [] and client("logs").describe_log_groups()["logGroups"] == []
    assert "QueueUrls" not in client("sqs").list_queues()
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert client("iam").list_roles()["Roles"] == []


@pytest.mark.parametrize("authorizer", ["NONE", "AWS_IAM", "JWT"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_definition_of_the_api_is_an_openapi_document_in_which_each_route_has_the_authorizer(variant, authorizer):
    template = transformed(variant, CODE, {"Authorizer": authorizer})
    conditions = {"IsOpen": authorizer == "NONE", "TakesTokens": authorizer == "JWT"}
    document = decided(template["Resources"]["Api"]["Properties"]["Body"], conditions)
    document["info"]["title"] = "resolved"
    paths = document["paths"]
    operations = [path.pop("x-amazon-apigateway-any-method") for path in paths.values()]
    assert sorted(paths) == ["/tasks", "/tasks/{id}"]
    # As a method that OpenAPI knows, the operation is looked at too.
    for path, operation in zip(paths.values(), operations):
        operation["responses"] = {"200": {"description": "any"}}
        # SAM's own, which say nothing of their form.
        for parameter in operation.get("parameters", []):
            parameter["schema"] = {}
        path["post"] = operation
    schemes = document.get("components", {}).get("securitySchemes", {})
    if authorizer == "JWT":
        # Two places where API Gateway departs from the standard: an OAuth scheme without flows, and its own extension
        # (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html).
        extension = schemes["Authorizer"].pop("x-amazon-apigateway-authorizer")
        assert extension["type"] == "jwt" and extension["jwtConfiguration"].keys() == {"issuer", "audience"}
        schemes["Authorizer"]["flows"] = {}
    openapi_spec_validator.validate(document)
    required = [operation.get("security", []) for operation in operations]
    assert required == [[] if authorizer == "NONE" else [{"Authorizer": []}]] * 2
    assert list(schemes) == ([] if authorizer == "NONE" else ["Authorizer"])
    if authorizer == "AWS_IAM":
        assert schemes["Authorizer"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    for operation in operations:
        assert operation["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"


@pytest.mark.parametrize("variant", VARIANTS)
def test_alarms_are_such_as_cloudwatch_takes(client, variant):
    """CloudWatch itself is asked, with the model of its API in between."""
    resources = transformed(variant, CODE)["Resources"]
    alarms = {name: resource for name, resource in resources.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    # Only Lambda's own queue can fail to deliver what it has given up.
    assert len(alarms) == (7 if variant == "sqs-worker" else 8)
    for name, alarm in alarms.items():
        properties = decided(alarm["Properties"], {"HasAlarmTopic": True})
        numbers = {"OldestTask": 1800}
        properties = json.loads(
            json.dumps(properties),
            object_hook=lambda one: next(iter(one.values())) if one.keys() <= {"Ref", "Fn::Sub", "Fn::GetAtt"} and one else one,
        )
        properties["Threshold"] = numbers.get(properties["Threshold"], properties["Threshold"])
        for dimension in properties.get("Dimensions", []):
            dimension["Value"] = str(dimension["Value"])
        client("cloudwatch").put_metric_alarm(AlarmName=name, **properties)
    found = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in found} >= alarms.keys()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_dashboard_is_json_and_shows_metrics_that_the_functions_write(variant):
    body = transformed(variant, CODE)["Resources"]["TaskDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{[^}]*\}", "resolved", body))["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    source = (INFRA.parent / "shared/src/metrics.rs").read_text()
    own = [metric[1] for metric in widgets[0]["properties"]["metrics"]] + ["AgeAtStart", "RunTime"]
    assert all(f'"{name}"' in source for name in own), own
    assert len(metrics) > 15
    corners = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(corners) == len(widgets), "two widgets at the same place"


@pytest.mark.parametrize("variant", VARIANTS)
def test_xray_and_its_permission_come_with_the_parameter_alone(variant):
    def traced(parameters):
        resources = transformed(variant, CODE, parameters)["Resources"].values()
        of = lambda kind: [one["Properties"] for one in resources if one["Type"] == kind]
        policies = [arn for role in of("AWS::IAM::Role") for arn in role["ManagedPolicyArns"]]
        return (
            all("TracingConfig" in function for function in of("AWS::Lambda::Function")),
            any("XRay" in json.dumps(policy) or "xray" in json.dumps(policy).lower() for policy in policies),
        )

    assert traced({"Tracing": "Active"}) == (True, True)
    assert traced({"Tracing": "Disabled"}) == (False, False)
