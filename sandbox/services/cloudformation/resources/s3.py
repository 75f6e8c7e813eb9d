"""AWS::S3::Bucket, AWS::S3::BucketPolicy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    Taken,
    left_behind,
    resource_type,
)
from sandbox.services.cloudformation.resources.s3_lifecycle import lifecycle
from sandbox.services.cloudformation.resources.s3_notifications import notification

_HOME = "us-east-1"


@resource_type("AWS::S3::Bucket")
class Bucket(Handler):
    refused = frozenset(
        {
            "AbacStatus",
            "AccelerateConfiguration",
            "AnalyticsConfigurations",
            "BucketNamePrefix",
            "BucketNamespace",
            "IntelligentTieringConfigurations",
            "InventoryConfigurations",
            "MetadataConfiguration",
            "MetadataTableConfiguration",
            "MetricsConfigurations",
            "ObjectLockConfiguration",
            "ObjectLockEnabled",
            "ReplicationConfiguration",
            "WebsiteConfiguration",
        }
    )

    def create(self, request: Request) -> Made:
        s3, name = request.client("s3"), request.name("BucketName", limit=63, lower=True)
        region = request.place.region
        where = {} if region == _HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        if not request.resumed and _exists(s3, name):
            # CreateBucket in us-east-1 succeeds for a bucket one owns; a stack must not take it over.
            raise Taken(f"{name} already exists")
        with unless_resumed(request.resumed):
            s3.create_bucket(Bucket=name, **where)
        made = Made(name, _attributes(name, region))
        with left_behind(made):
            _configure(request, name, {})
        return made

    def update(self, request: Request) -> Made:
        _configure(request, request.physical_id, request.previous)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("s3").delete_bucket(Bucket=request.physical_id)


def _exists(s3: Any, name: str) -> bool:
    try:
        s3.list_objects_v2(Bucket=name, MaxKeys=1)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise
    return True


def _attributes(name: str, region: str) -> dict[str, str]:
    return {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
    }


def _configure(request: Request, name: str, previous: dict[str, Any]) -> None:
    """Puts every configuration that differs from `previous`, and deletes those that are gone."""
    s3 = request.client("s3")
    for prop, put in _PUT.items():
        wanted, had = request.properties.get(prop), previous.get(prop)
        if wanted == had:
            continue
        if wanted is not None:
            put(s3, name, wanted)
        else:
            _REMOVE[prop](s3, name)
    if request.tags != request.previous_tags:
        # S3 takes aws: tags from AWS's own services only.
        tags = {key: value for key, value in request.tags.items() if not key.startswith("aws:")}
        if tags:
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})
        elif request.previous_tags:
            s3.delete_bucket_tagging(Bucket=name)


def _encrypt(s3: Any, name: str, wanted: dict[str, Any]) -> None:
    rules = []
    for rule in wanted["ServerSideEncryptionConfiguration"]:
        default = rule.get("ServerSideEncryptionByDefault")
        rest = {key: item for key, item in rule.items() if key != "ServerSideEncryptionByDefault"}
        if default is not None:
            rest["ApplyServerSideEncryptionByDefault"] = default
        rules.append(rest)
    shape = convert.member_shape(s3, "PutBucketEncryption", "ServerSideEncryptionConfiguration")
    s3.put_bucket_encryption(
        Bucket=name, ServerSideEncryptionConfiguration=convert.value(shape, {"Rules": rules})
    )


def _plain(
    operation: str, method: str, member: str, names: dict[str, str] | None = None
) -> Callable[..., None]:
    """A configuration whose form is the API's own."""

    def put(s3: Any, name: str, wanted: dict[str, Any]) -> None:
        shape = convert.member_shape(s3, operation, member)
        getattr(s3, method)(Bucket=name, **{member: convert.value(shape, wanted, names)})

    return put


def _log(s3: Any, name: str, wanted: dict[str, Any]) -> None:
    renamed = {"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}
    shape = convert.member_shape(s3, "PutBucketLogging", "BucketLoggingStatus", "LoggingEnabled")
    enabled = convert.value(shape, {"DestinationBucketName": name, "LogFilePrefix": ""} | wanted, renamed)
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": enabled})


def _acl(s3: Any, name: str, wanted: str) -> None:
    if not wanted.startswith("BucketOwner"):  # which says something of objects only
        s3.put_bucket_acl(Bucket=name, ACL=re.sub(r"(?<!^)(?=[A-Z])", "-", wanted).lower())


def _lifecycle(s3: Any, name: str, wanted: dict[str, Any]) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=lifecycle(s3, wanted))


_PUT: dict[str, Callable[[Any, str, Any], Any]] = {
    "OwnershipControls": _plain(
        "PutBucketOwnershipControls", "put_bucket_ownership_controls", "OwnershipControls"
    ),
    "PublicAccessBlockConfiguration": _plain(
        "PutPublicAccessBlock", "put_public_access_block", "PublicAccessBlockConfiguration"
    ),
    "AccessControl": _acl,
    "BucketEncryption": _encrypt,
    "VersioningConfiguration": _plain(
        "PutBucketVersioning", "put_bucket_versioning", "VersioningConfiguration"
    ),
    "LifecycleConfiguration": _lifecycle,
    "LoggingConfiguration": _log,
    "CorsConfiguration": _plain(
        "PutBucketCors",
        "put_bucket_cors",
        "CORSConfiguration",
        {"CorsRules/ExposedHeaders": "ExposeHeaders", "CorsRules/MaxAge": "MaxAgeSeconds"},
    ),
    "NotificationConfiguration": lambda s3, name, wanted: s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration=notification(wanted)
    ),
}
_REMOVE: dict[str, Callable[[Any, str], Any]] = {
    "NotificationConfiguration": lambda s3, name: s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={}
    ),
    "OwnershipControls": lambda s3, name: s3.delete_bucket_ownership_controls(Bucket=name),
    "PublicAccessBlockConfiguration": lambda s3, name: s3.delete_public_access_block(Bucket=name),
    "AccessControl": lambda s3, name: s3.put_bucket_acl(Bucket=name, ACL="private"),
    "BucketEncryption": lambda s3, name: s3.delete_bucket_encryption(Bucket=name),
    "VersioningConfiguration": lambda s3, name: s3.put_bucket_versioning(
        Bucket=name, VersioningConfiguration={"Status": "Suspended"}
    ),
    "LifecycleConfiguration": lambda s3, name: s3.delete_bucket_lifecycle(Bucket=name),
    "LoggingConfiguration": lambda s3, name: s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={}),
    "CorsConfiguration": lambda s3, name: s3.delete_bucket_cors(Bucket=name),
}


@resource_type("AWS::S3::BucketPolicy")
class BucketPolicy(Handler):
    def create(self, request: Request) -> Made:
        s3, name = request.client("s3"), request.properties["Bucket"]
        if not request.resumed:
            with unless_missing():
                s3.get_bucket_policy(Bucket=name)
                raise Taken(f"The bucket policy already exists on bucket {name}.")
        return self._put(request, name)

    def update(self, request: Request) -> Made:
        return self._put(request, request.physical_id)

    def _put(self, request: Request, name: str) -> Made:
        document = request.properties["PolicyDocument"]
        body = document if isinstance(document, str) else json.dumps(document)
        request.client("s3").put_bucket_policy(Bucket=name, Policy=body)
        return Made(name)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("s3").delete_bucket_policy(Bucket=request.physical_id)
