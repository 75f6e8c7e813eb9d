"""The KMS permissions that S3 asks of a requester for objects under a KMS key.

Source: "Using server-side encryption with AWS KMS keys" in the S3 User Guide: kms:GenerateDataKey to write,
kms:Decrypt to read, both for multipart uploads; the context is the object's ARN, or the bucket's with bucket
keys.
"""

from __future__ import annotations

from typing import Any

from sandbox.iam.actions import Check
from sandbox.iam.actions.check import Asked
from sandbox.iam.actions.kms import key_arn
from sandbox.iam.context import RequestFacts
from sandbox.iam.moto_resources import bucket_of

_WRITES = {
    "PutObject": ("GenerateDataKey",),
    "CopyObject": ("GenerateDataKey",),
    "CreateMultipartUpload": ("GenerateDataKey",),
    "UploadPart": ("GenerateDataKey", "Decrypt"),
    "UploadPartCopy": ("GenerateDataKey", "Decrypt"),
    "CompleteMultipartUpload": ("Decrypt",),
}
_READS = frozenset(("GetObject", "SelectObjectContent", "HeadObject", "GetObjectAttributes"))


def key_checks(request: RequestFacts) -> list[Check]:
    """The checks on KMS keys of an S3 request; none where no key is involved."""
    if request.operation not in _WRITES and request.operation not in _READS:
        return []
    bucket = bucket_of(request.account, f"arn:aws:s3:::{request.params.get('Bucket')}")
    if bucket is None:
        return []
    asked = Asked(request.service, request.operation, request.params, bucket.region_name, request.account)
    found = []
    if request.operation in _READS:
        found += _reading(asked, bucket, str(request.params.get("Key")))
    else:
        for action in _WRITES[request.operation]:
            key = _key_for_writing(request, bucket)
            if key:
                found.append(_check(asked, action, key, bucket, str(request.params.get("Key"))))
    if request.operation in ("CopyObject", "UploadPartCopy"):
        found += _copied(asked, request)
    return found


def _reading(asked: Asked, bucket: Any, name: str) -> list[Check]:
    stored = bucket.keys.get(name)
    if stored is None or stored.encryption not in ("aws:kms", "aws:kms:dsse") or not stored.kms_key_id:
        return []
    return [_check(asked, "Decrypt", stored.kms_key_id, bucket, name)]


def _copied(asked: Asked, request: RequestFacts) -> list[Check]:
    from urllib.parse import unquote

    source = request.params.get("CopySource")
    path = (
        f"{source.get('Bucket')}/{source.get('Key')}"
        if isinstance(source, dict)
        else unquote(str(source)).lstrip("/")
    )
    name, _, key = path.partition("?versionId=")[0].partition("/")
    bucket = bucket_of(request.account, f"arn:aws:s3:::{name}")
    return _reading(asked, bucket, key) if bucket is not None else []


def _key_for_writing(request: RequestFacts, bucket: Any) -> str | None:
    """The key named by the request, else the bucket's default; the AWS-managed key asks nothing of
    requesters."""
    asked_for = request.params.get("ServerSideEncryption")
    if asked_for and not asked_for.startswith("aws:kms"):
        return None
    if request.params.get("SSEKMSKeyId"):
        return str(request.params["SSEKMSKeyId"])
    rules = ((bucket.encryption or {}).get("Rule") or {}) if isinstance(bucket.encryption, dict) else {}
    rule = rules[0] if isinstance(rules, list) and rules else rules
    default = rule.get("ApplyServerSideEncryptionByDefault", {}) if isinstance(rule, dict) else {}
    if not asked_for and not str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
        return None
    return default.get("KMSMasterKeyID")


def _check(asked: Asked, action: str, key: str, bucket: Any, name: str) -> Check:
    rules = (bucket.encryption or {}).get("Rule") if isinstance(bucket.encryption, dict) else None
    rule = rules[0] if isinstance(rules, list) and rules else rules or {}
    per_bucket = str(rule.get("BucketKeyEnabled", "")).lower() == "true"
    arn = f"arn:aws:s3:::{bucket.name}" if per_bucket else f"arn:aws:s3:::{bucket.name}/{name}"
    context = {"kms:EncryptionContext:aws:s3:arn": arn, "kms:EncryptionContextKeys": "aws:s3:arn"}
    return Check(f"kms:{action}", (key_arn(asked, key),), context)
