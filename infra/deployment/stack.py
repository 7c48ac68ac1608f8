"""The templates as CloudFormation gets them: transformed by SAM, with their conditions decided where a test asks for it."""

import os
import pathlib

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

INFRA = pathlib.Path(__file__).parent.parent
# SAM resolves pseudo parameters.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

VARIANTS = ["self-invoke", "sqs-worker", "split-lambda"]


class NoManagedPolicies:
    """SAM asks for them where a template names one by its name alone. These do not."""

    def load(self):
        return {}


def transformed(variant, code, parameters=None):
    """The template of a variant after SAM's transform, with `code` where `sam build` puts the functions' code."""
    text = (INFRA / f"{variant}.yaml").read_text().replace("CodeUri: ../", f"CodeUri: {code}")
    return transform(yaml_parse(text), parameters or {}, NoManagedPolicies())


def decided(value, conditions):
    """The value with `Fn::If` and `AWS::NoValue` resolved."""
    if isinstance(value, list):
        return [item for item in (decided(item, conditions) for item in value) if item is not None]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": "AWS::NoValue"}:
        return None
    if "Fn::If" in value:
        condition, holds, fails = value["Fn::If"]
        return decided(holds if conditions[condition] else fails, conditions)
    resolved = {key: decided(part, conditions) for key, part in value.items()}
    return {key: part for key, part in resolved.items() if part is not None}
