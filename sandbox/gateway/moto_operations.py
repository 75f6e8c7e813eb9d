"""What moto answers of a service's API, and what of that has no effect: for the table of coverage."""

from __future__ import annotations

import importlib
import inspect
import re

S3_BY_QUERY = frozenset(
    {
        "CompleteMultipartUpload",
        "CreateBucket",
        "CreateMultipartUpload",
        "DeleteObjects",
        "GetBucketLifecycleConfiguration",
        "GetBucketNotificationConfiguration",
        "GetBucketTagging",
        "GetObjectRetention",
        "ListBuckets",
        "PutBucketAccelerateConfiguration",
        "PutBucketAcl",
        "PutBucketCors",
        "PutBucketEncryption",
        "PutBucketLifecycle",
        "PutBucketLifecycleConfiguration",
        "PutBucketLogging",
        "PutBucketNotificationConfiguration",
        "PutBucketOwnershipControls",
        "PutBucketPolicy",
        "PutBucketReplication",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutBucketWebsite",
        "PutObjectLockConfiguration",
        "PutPublicAccessBlock",
    }
)
"""Operations that moto's S3 tells apart by the query, not by a method of their name."""

NOTED = {
    "iam": re.compile(
        "AccountAlias|CredentialReport|InstanceProfile|LoginProfile|OpenIDConnect|ServiceLinkedRole"
    ),
    "kms": re.compile("KeyRotation|RotateKey|ReplicateKey"),
    "logs": re.compile(
        "RetentionPolicy|ResourcePolic|ExportTask|Deliver|Destination|MetricFilter|SubscriptionFilter|Quer"
    ),
    "s3": re.compile(
        "Acl$|Accelerate|BucketCors|Lifecycle|BucketLogging|OwnershipControls|PublicAccessBlock"
        "|PolicyStatus|Website|Replication"
    ),
    "ssm": re.compile("Document|Command"),
}
"""By service: operations whose records have no effect here. Nothing expires, replicates, rotates or is opened
to the public by them."""


def implemented(service: str) -> frozenset[str]:
    """The operations that moto has an answer to."""
    from botocore import xform_name
    from moto.core.responses import BaseResponse
    from moto.core.utils import camelcase_to_underscores, get_service_model

    module = importlib.import_module(f"moto.{service}.responses")
    methods: set[str] = set()
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, BaseResponse) and kind is not BaseResponse:
            methods.update(name for name in dir(kind) if not name.startswith("_"))
    found = {
        name
        for name in get_service_model(service).operation_names
        if {camelcase_to_underscores(name), xform_name(name)} & methods
    }
    return frozenset(found | S3_BY_QUERY if service == "s3" else found)


def noted(service: str, operation: str) -> bool:
    """Whether an operation of moto's is about records that nothing here acts on."""
    family = NOTED.get(service)
    return bool(family and family.search(operation))
