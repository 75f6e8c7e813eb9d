"""S3: operations whose actions have other names, and the headers that ask for further actions.

Source: "Required permissions for Amazon S3 API operations" in the S3 User Guide.
"""

from __future__ import annotations

from urllib.parse import unquote

from sandbox.iam.actions import catalogue
from sandbox.iam.actions.check import Asked, Check, Unmapped

BUCKET_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "ListDirectoryBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "CreateBucketMetadataConfiguration": "CreateBucketMetadataTableConfiguration",
    "GetBucketMetadataConfiguration": "GetBucketMetadataTableConfiguration",
    "DeleteBucketMetadataConfiguration": "DeleteBucketMetadataTableConfiguration",
    "CreateSession": "ListBucket",
}
"""Operations on buckets whose action is not named as they are."""

OBJECT_ACTIONS = {
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "GetObjectAttributes": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "UploadPartCopy": "PutObject",
    "RenameObject": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "WriteGetObjectResponse": "PutObject",
}
"""Operations on objects whose action is not named as they are."""

VERSIONED = frozenset(
    [
        "GetObject",
        "GetObjectAcl",
        "GetObjectTagging",
        "GetObjectTorrent",
        "GetObjectAttributes",
        "DeleteObject",
        "DeleteObjectTagging",
        "PutObjectAcl",
        "PutObjectTagging",
    ]
)
"""Actions that become `…Version…` where the request names a version."""

_GRANTS = ("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")


def checks(asked: Asked) -> list[Check]:
    operation = asked.operation
    bucket = asked.first("Bucket")
    if operation in ("ListBuckets", "ListDirectoryBuckets"):
        return [Check("s3:ListAllMyBuckets", ("*",))]
    if bucket is None:
        raise Unmapped(f"s3:{operation}", "the request names no bucket")
    bucket_arn = f"arn:aws:s3:::{bucket}"
    if operation == "DeleteObjects":
        return _delete_objects(asked, bucket_arn)
    key = asked.params.get("Key")
    if key is None:
        return _bucket_checks(asked, bucket_arn)
    action = OBJECT_ACTIONS.get(operation, operation)
    if action.lower() not in catalogue.actions("s3"):
        raise Unmapped(f"s3:{operation}", "the action is not known")
    object_arn = f"{bucket_arn}/{key}"
    found = [Check(f"s3:{_versioned(action, asked.params.get('VersionId'))}", (object_arn,))]
    if operation in ("CopyObject", "UploadPartCopy", "RenameObject"):
        found.append(_source(asked))
    if operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        found += _asked_by_headers(asked, object_arn)
    if asked.params.get("BypassGovernanceRetention"):
        found.append(Check("s3:BypassGovernanceRetention", (object_arn,)))
    return found


def _bucket_checks(asked: Asked, bucket_arn: str) -> list[Check]:
    action = BUCKET_ACTIONS.get(asked.operation, asked.operation)
    details = catalogue.actions("s3").get(action.lower())
    if details is None:
        raise Unmapped(f"s3:{asked.operation}", "the action is not known")
    found = [Check(f"s3:{details['name']}", (bucket_arn,))]
    if asked.operation == "CreateBucket":
        if any(asked.params.get(name) for name in _GRANTS):
            found.append(Check("s3:PutBucketAcl", (bucket_arn,)))
        if asked.params.get("ObjectLockEnabledForBucket"):
            found += [
                Check("s3:PutBucketObjectLockConfiguration", (bucket_arn,)),
                Check("s3:PutBucketVersioning", (bucket_arn,)),
            ]
        if asked.params.get("ObjectOwnership"):
            found.append(Check("s3:PutBucketOwnershipControls", (bucket_arn,)))
    if asked.operation == "PutBucketReplication":
        found += [
            Check(
                "iam:PassRole",
                tuple(asked.get("ReplicationConfiguration.Role")),
                {"iam:PassedToService": "s3.amazonaws.com"},
            )
        ]
    return found


def _delete_objects(asked: Asked, bucket_arn: str) -> list[Check]:
    found = []
    for item in (asked.params.get("Delete") or {}).get("Objects") or []:
        action = _versioned("DeleteObject", item.get("VersionId"))
        found.append(Check(f"s3:{action}", (f"{bucket_arn}/{item.get('Key', '')}",)))
    if asked.params.get("BypassGovernanceRetention"):
        found.append(Check("s3:BypassGovernanceRetention", (f"{bucket_arn}/*",)))
    return found or [Check("s3:DeleteObject", (f"{bucket_arn}/*",))]


def _versioned(action: str, version: object) -> str:
    if not version or action not in VERSIONED:
        return action
    for part in ("Acl", "Tagging", "Torrent", "Attributes"):
        if action.endswith(part):
            return f"{action.removesuffix(part)}Version{part}"
    return f"{action}Version"


def _source(asked: Asked) -> Check:
    """The object that is copied: CopySource is a string `bucket/key?versionId=…` or botocore's structure."""
    source = asked.params.get("CopySource") or asked.params.get("RenameSource") or ""
    if isinstance(source, dict):
        path, version = f"{source.get('Bucket')}/{source.get('Key')}", source.get("VersionId")
    else:
        path, _, query = str(source).partition("?versionId=")
        path, version = unquote(path).lstrip("/"), query
    return Check("s3:GetObjectVersion" if version else "s3:GetObject", (f"arn:aws:s3:::{path}",))


def _asked_by_headers(asked: Asked, object_arn: str) -> list[Check]:
    found = []
    if asked.params.get("Tagging"):
        found.append(Check("s3:PutObjectTagging", (object_arn,)))
    if any(asked.params.get(name) for name in _GRANTS):
        found.append(Check("s3:PutObjectAcl", (object_arn,)))
    if asked.params.get("ObjectLockMode") or asked.params.get("ObjectLockRetainUntilDate"):
        found.append(Check("s3:PutObjectRetention", (object_arn,)))
    if asked.params.get("ObjectLockLegalHoldStatus"):
        found.append(Check("s3:PutObjectLegalHold", (object_arn,)))
    return found
