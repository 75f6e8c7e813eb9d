"""Requests against the model: everything botocore's model accepts passes, every broken constraint is named."""

from __future__ import annotations

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.operations import AwsError
from sandbox.gateway.validation import pattern_of, validate

SAGEMAKER = botocore.session.Session().get_service_model("sagemaker")


def check(operation: str, **parameters: object) -> str:
    try:
        validate(parameters, SAGEMAKER.operation_model(operation).input_shape, "ValidationException")
    except AwsError as error:
        return error.message
    return ""


@given(st.from_regex(r"[a-zA-Z0-9](-{0,2}[a-zA-Z0-9]){0,10}", fullmatch=True))
def test_names_of_the_pattern_pass(name: str) -> None:
    assert check("DescribeProject", ProjectName=name) == ""


@given(st.text(alphabet="_ /:é", min_size=1, max_size=32))
def test_other_names_are_refused(name: str) -> None:
    assert "'projectName'" in check("DescribeProject", ProjectName=name)


def test_lengths_enums_ranges_and_nesting() -> None:
    assert "length less than or equal to 32" in check("DescribeProject", ProjectName="a" * 33)
    assert "enum value set" in check("ListProjects", SortBy="Colour")
    assert "greater than or equal to 1" in check("ListProjects", MaxResults=0)
    assert "'tags.2.member.key'" in check(
        "AddTags",
        ResourceArn="arn:aws:sagemaker:us-east-1:123456789012:x",
        Tags=[{"Key": "a", "Value": ""}, {"Key": "", "Value": ""}],
    )


def test_every_fault_is_counted() -> None:
    assert check("CreateModel").startswith("1 validation error")
    assert check("CreateEndpoint").startswith("2 validation errors detected")


def test_every_pattern_of_the_services_can_be_asked() -> None:
    """The models are written for Java's regular expressions: each must be one that we can ask too."""
    from sandbox.gateway.services import SERVICES

    session = botocore.session.Session()
    for service in SERVICES:
        model = session.get_service_model(service)
        for name in model.shape_names:
            pattern = model.shape_for(name).metadata.get("pattern")
            if pattern:
                pattern_of(pattern)


def test_characters_beyond_the_basic_plane_are_characters() -> None:
    scaling = botocore.session.Session().get_service_model("application-autoscaling")
    shape = scaling.operation_model("RegisterScalableTarget").input_shape
    target = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    validate(target | {"ResourceId": "endpoint/😀/variant/é"}, shape, "ValidationException")
    with pytest.raises(AwsError, match="'resourceId'"):
        validate(target | {"ResourceId": "endpoint/\x01"}, shape, "ValidationException")
