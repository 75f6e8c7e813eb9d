"""Properties against the registry schemas; what a change of them means."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.services.cloudformation.resources import handler_of, supported
from sandbox.services.cloudformation.schema.changes import changes, replacement
from sandbox.services.cloudformation.schema.registry import schema
from sandbox.services.cloudformation.schema.validate import Invalid, validate
from sandbox.services.cloudformation.template.unknown import Unknown

ROLE = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}


def check(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    found = schema(kind)
    assert found is not None
    return validate("X", found, properties)


@pytest.mark.parametrize(
    ("kind", "properties", "fault"),
    [
        ("AWS::S3::Bucket", {"Foo": 1}, "#: extraneous key [Foo] is not permitted"),
        ("AWS::S3::Bucket", {"Arn": "x"}, "#: readOnly key [Arn] is not permitted"),
        ("AWS::KMS::Alias", {"AliasName": "alias/x"}, "#: required key [TargetKeyId] not found"),
        (
            "AWS::S3::Bucket",
            {"VersioningConfiguration": {"Status": "On"}},
            "#/VersioningConfiguration/Status: On is not a valid enum value",
        ),
        (
            "AWS::S3::Bucket",
            {"LifecycleConfiguration": {"Rules": "x"}},
            "#/LifecycleConfiguration/Rules: expected type: JSONArray, found: String",
        ),
        (
            "AWS::S3::Bucket",
            {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Nope": 1}]}},
            "#/LifecycleConfiguration/Rules/0: extraneous key [Nope] is not permitted",
        ),
        (
            "AWS::KMS::Key",
            {"PendingWindowInDays": 3},
            "#/PendingWindowInDays: 3 is not greater or equal to 7",
        ),
        (
            "AWS::KMS::Key",
            {"EnableKeyRotation": "maybe"},
            "#/EnableKeyRotation: expected type: Boolean, found: String",
        ),
        (
            "AWS::SageMaker::Model",
            {"ModelName": "bad name"},
            "#/ModelName: failed validation constraint for keyword [pattern]",
        ),
    ],
)
def test_faults(kind: str, properties: dict[str, Any], fault: str) -> None:
    with pytest.raises(Invalid) as raised:
        check(kind, properties)
    assert fault in raised.value.faults
    assert str(raised.value).startswith("Properties validation failed for resource X with message:\n")


def test_text_becomes_what_the_schema_wants() -> None:
    found = check(
        "AWS::KMS::Key", {"EnableKeyRotation": "true", "PendingWindowInDays": "7", "Description": 5}
    )
    assert found == {"EnableKeyRotation": True, "PendingWindowInDays": 7, "Description": "5"}


def test_unknown_fits_anywhere() -> None:
    unknown = Unknown(("Key", "Arn"))
    assert check("AWS::Logs::LogGroup", {"KmsKeyId": unknown})["KmsKeyId"] is unknown


def _changes(kind: str, before: dict[str, Any], after: dict[str, Any]) -> list:
    found = schema(kind)
    assert found is not None
    return changes(found, before, after)


def test_what_a_change_means() -> None:
    assert replacement(_changes("AWS::IAM::Role", ROLE, ROLE | {"Description": "x"})) == "False"
    assert replacement(_changes("AWS::IAM::Role", ROLE, ROLE | {"RoleName": "x"})) == "True"
    renamed = _changes("AWS::IAM::Role", ROLE, ROLE | {"RoleName": Unknown(("A", None))})
    assert replacement(renamed) == "Conditional"
    assert _changes("AWS::IAM::Role", ROLE, ROLE) == []


def test_every_supported_type_has_a_schema_and_knows_its_refused_properties() -> None:
    for kind, handler in supported().items():
        found = schema(kind)
        assert found is not None, kind
        assert handler.refused <= found.properties.keys(), kind
        assert (handler.updatable or set()) <= found.properties.keys(), kind


def test_refused_properties_are_named() -> None:
    handler = handler_of("AWS::S3::Bucket")
    assert handler is not None
    with pytest.raises(Invalid, match="ReplicationConfiguration.* is not implemented by the sandbox"):
        handler.check("B", {"ReplicationConfiguration": {}})


def test_unknown_types_have_no_handler() -> None:
    assert handler_of("AWS::EC2::Instance") is None
    assert handler_of("AWS::S3::Nope") is None
