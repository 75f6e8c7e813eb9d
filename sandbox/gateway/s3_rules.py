"""What S3 holds a request against: its own rules and codes, of its reference rather than its model.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.engine.operations import AwsError
from sandbox.gateway import validation

KEY = 1024
"""Bytes of a key, UTF-8."""
METADATA = 2048
"""Bytes of an object's own metadata, names and values."""
OBJECT_TAGS = 10
BUCKET_TAGS = 50
PARTS = 10_000
SINGLE = 5 * 2**30
"""Bytes of one PUT or part."""
LISTED = 1000
"""Objects of one DeleteObjects."""

BUCKET = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)"
)
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

_GRANTEE = r"(id|uri|emailAddress)=\"?[^\",]+\"?"
GRANTEES = re.compile(rf"{_GRANTEE}(\s*,\s*{_GRANTEE})*")
"""What an x-amz-grant-… header tells."""

_MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"

ONE_RULE = {
    "PutBucketEncryption": "ServerSideEncryptionConfiguration",
    "PutBucketOwnershipControls": "OwnershipControls",
}
"""Configurations that are written as a list of rules and take one."""

IN_THE_HEAD = ("header", "headers", "querystring", "uri")


def check(operation: str, parameters: dict[str, Any], shape: Any) -> None:
    """AwsError with S3's code and words for what S3 would not take."""
    _modelled(parameters, shape)
    if operation == "CreateBucket":
        _bucket(parameters["Bucket"])
    key = parameters.get("Key")
    if key is not None and len(key.encode("utf-8", "replace")) > KEY:
        raise AwsError("KeyTooLongError", "Your key is too long", status=400)
    for name, value in parameters.items():
        if name.startswith("Response") and isinstance(value, str) and not value.isprintable():
            raise AwsError("InvalidArgument", f"Header value cannot be represented: {name}", status=400)
    _grants(parameters)
    _metadata(parameters)
    _tags(operation, parameters)
    number = parameters.get("PartNumber")
    if number is not None and not 1 <= number <= PARTS:
        text = f"Part number must be an integer between 1 and {PARTS}, inclusive"
        raise AwsError("InvalidArgument", text, status=400)
    if operation == "DeleteObjects" and not 1 <= len(parameters["Delete"].get("Objects", ())) <= LISTED:
        raise _malformed()
    if operation in ONE_RULE and len(parameters[ONE_RULE[operation]].get("Rules") or ()) != 1:
        raise _malformed()
    most = parameters.get("MaxKeys", parameters.get("MaxUploads", parameters.get("MaxParts")))
    if most is not None and not 0 <= most < 2**31:
        raise AwsError(
            "InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647", status=400
        )


def _grants(parameters: dict[str, Any]) -> None:
    for name, value in parameters.items():
        if name.startswith("Grant") and isinstance(value, str) and not GRANTEES.fullmatch(value):
            raise AwsError("InvalidArgument", f"Argument format not recognized: {name}", status=400)
    policy = parameters.get("AccessControlPolicy")
    if policy is not None:
        grants = policy.get("Grants") or ()
        if not policy.get("Owner") or any("Grantee" not in g or "Permission" not in g for g in grants):
            raise AwsError("MalformedACLError", _MALFORMED, status=400)


def _modelled(parameters: dict[str, Any], shape: Any) -> None:
    if shape is None:
        return
    faults = validation.faults_of(parameters, shape)
    if not faults:
        return
    member, text = faults[0]
    if member not in shape.members:
        raise _malformed()
    top = shape.members[member]
    if top.serialization.get("location") not in IN_THE_HEAD:
        raise _malformed()
    if top.name == "StorageClass":
        raise AwsError("InvalidStorageClass", "The storage class you specified is not valid", status=400)
    raise AwsError("InvalidArgument", text, status=400)


def _bucket(name: str) -> None:
    if BUCKET.fullmatch(name) and ".." not in name and not _is_address(name):
        return
    raise AwsError("InvalidBucketName", "The specified bucket is not valid.", status=400, BucketName=name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _metadata(parameters: dict[str, Any]) -> None:
    size = sum(len(k.encode()) + len(str(v).encode()) for k, v in (parameters.get("Metadata") or {}).items())
    if size > METADATA:
        raise AwsError(
            "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", status=400
        )


def _tags(operation: str, parameters: dict[str, Any]) -> None:
    of_bucket = operation == "PutBucketTagging"
    if operation in ("PutObjectTagging", "PutBucketTagging"):
        pairs = [
            (tag.get("Key", ""), tag.get("Value", "")) for tag in parameters["Tagging"].get("TagSet", ())
        ]
    elif isinstance(parameters.get("Tagging"), str):
        pairs = parse_qsl(parameters["Tagging"], keep_blank_values=True)
    else:
        return
    limit = BUCKET_TAGS if of_bucket else OBJECT_TAGS
    if len(pairs) > limit:
        if of_bucket:
            raise AwsError("BadRequest", f"Bucket tag count cannot be greater than {limit}", status=400)
        raise AwsError("BadRequest", f"Object tags cannot be greater than {limit}", status=400)
    if len({key for key, _ in pairs}) < len(pairs):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key", status=400)
    for key, value in pairs:
        if not 1 <= len(key) <= 128:
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", status=400)
        if len(value) > 256:
            raise AwsError("InvalidTag", "The TagValue you have provided is invalid", status=400)


def _malformed() -> AwsError:
    return AwsError("MalformedXML", _MALFORMED, status=400)
