"""What an operation of ours answers is held against its output shape before it leaves."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from sandbox.gateway.answers import Malformed, conform

SAGEMAKER = botocore.session.Session().get_service_model("sagemaker")
SHAPE = SAGEMAKER.operation_model("DescribeProject").output_shape
PROJECT = {
    "ProjectArn": "arn:aws:sagemaker:us-east-1:123456789012:project/p",
    "ProjectName": "p",
    "ProjectId": "p-0123456789ab",
    "ProjectStatus": "CreateCompleted",
    "CreationTime": 0,
}


def test_what_the_model_allows_leaves() -> None:
    answer = conform(PROJECT | {"ProjectDescription": None}, SHAPE)
    assert answer["CreationTime"].year == 1970 and "ProjectDescription" not in answer


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"Colour": "red"}, "no member Colour"),
        ({"ProjectStatus": None}, "lacks its member ProjectStatus"),
        ({"ProjectStatus": "Great"}, "ProjectStatus is 'Great', none of Pending"),
        ({"ProjectName": 1}, "ProjectName is 1, no string"),
        ({"ProjectName": "a b"}, "ProjectName is 'a b', which"),
        ({"ProjectDescription": "x" * 1025}, "ProjectDescription is or has 1025"),
        ({"CreationTime": "yesterday"}, "CreationTime is 'yesterday', no timestamp"),
        (
            {"ServiceCatalogProvisioningDetails": {}},
            "ServiceCatalogProvisioningDetails lacks its member ProductId",
        ),
        ({"ServiceCatalogProvisioningDetails": []}, "no structure"),
        ({"TemplateProviderDetails": [None]}, r"TemplateProviderDetails\[0\] is null"),
    ],
)
def test_what_it_does_not_allow_never_leaves(change: dict[str, Any], named: str) -> None:
    with pytest.raises(Malformed, match=named):
        conform(PROJECT | change, SHAPE)
