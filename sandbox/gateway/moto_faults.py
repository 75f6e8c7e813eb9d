"""What moto cannot digest, refused as the service would: it raises Python's errors where AWS has a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.engine.operations import AwsError


@dataclass(frozen=True)
class Word:
    """`member` of the request, and with which code and text the service refuses its value."""

    member: str
    code: str
    text: str
    status: int = 400


TOKENS = {
    "iam": Word("Marker", "ValidationError", "Invalid Marker."),
    "kms": Word("Marker", "InvalidMarkerException", "The marker is invalid."),
    "logs": Word("nextToken", "InvalidParameterException", "The specified nextToken is invalid."),
    "ssm": Word("NextToken", "InvalidNextToken", "The specified token isn't valid."),
}
"""moto reads a pagination token that it did not make without asking."""

MISSING = {
    "iam": Word("RoleName", "NoSuchEntity", "The role with name {} cannot be found.", 404),
    "kms": Word("KeyId", "NotFoundException", "Key '{}' does not exist"),
    "logs": Word("queryId", "ResourceNotFoundException", "The query {} does not exist."),
    "s3": Word(
        "UploadId",
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been"
        " aborted or completed.",
        404,
    ),
}
"""…and looks up what need not be there."""


def refused(service: str, parameters: dict[str, Any], error: Exception) -> AwsError | None:
    """The refusal that a service would give where moto raised `error`; None where it is a fault of ours."""
    token, missing = TOKENS.get(service), MISSING.get(service)
    if token and parameters.get(token.member) and isinstance(error, ValueError | IndexError | KeyError):
        return AwsError(token.code, token.text, status=token.status)
    if service == "s3" and parameters.get("ContinuationToken"):
        return AwsError("InvalidArgument", "The continuation token provided is incorrect", status=400)
    if service == "s3" and parameters.get("Key") and isinstance(error, AttributeError):
        return AwsError("NoSuchKey", "The specified key does not exist.", status=404, Key=parameters["Key"])
    if missing and parameters.get(missing.member) and isinstance(error, KeyError | ValueError):
        text = missing.text.format(parameters[missing.member])
        return AwsError(missing.code, text, status=missing.status)
    return None


def check(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """AwsError for what the model allows, the service refuses, and moto stumbles over."""
    needed = NEEDED.get((service, operation))
    if needed and not any(all(parameters.get(name) for name in names) for names in needed[1]):
        raise AwsError(*needed[0], status=400)
    policy = POLICIES.get((service, operation))
    if policy and parameters.get(policy.member):
        _policy(parameters[policy.member], policy)
    if service == "iam" and operation == "CreateServiceLinkedRole":
        name = parameters["AWSServiceName"]
        if not name.endswith(".amazonaws.com"):
            raise AwsError("InvalidInput", f"Invalid service name: {name}", status=400)


def _policy(text: str, policy: Word) -> None:
    from sandbox.iam.documents import MalformedPolicy, parse

    try:
        parse(text)
    except MalformedPolicy:
        raise AwsError(policy.code, policy.text, status=policy.status) from None


POLICIES = {
    ("s3", "PutBucketPolicy"): Word(
        "Policy", "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'"
    ),
    ("kms", "CreateKey"): Word(
        "Policy", "MalformedPolicyDocumentException", "The policy document is not valid."
    ),
    ("kms", "PutKeyPolicy"): Word(
        "Policy", "MalformedPolicyDocumentException", "The policy document is not valid."
    ),
    ("logs", "PutResourcePolicy"): Word(
        "policyDocument", "InvalidParameterException", "The policy document is not valid."
    ),
    ("iam", "CreateRole"): Word(
        "AssumeRolePolicyDocument", "MalformedPolicyDocument", "Syntax errors in policy."
    ),
    ("iam", "UpdateAssumeRolePolicy"): Word(
        "PolicyDocument", "MalformedPolicyDocument", "Syntax errors in policy."
    ),
}
"""Policies that moto keeps without reading: one that nobody can read would fail all requests after it."""


NEEDED = {
    ("kms", "GenerateRandom"): (
        ("ValidationException", "NumberOfBytes is required."),
        (("NumberOfBytes",),),
    ),
    ("kms", "RetireGrant"): (
        ("ValidationException", "Either a grant token, or a key ID and a grant ID, must be given."),
        (("GrantToken",), ("KeyId", "GrantId")),
    ),
    ("s3", "PutBucketLifecycleConfiguration"): (
        (
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        (("LifecycleConfiguration",),),
    ),
}
"""By operation: the refusal, and the sets of members of which one must be there."""
