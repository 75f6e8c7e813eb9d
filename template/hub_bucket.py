"""The hub bucket: made private, versioned, encrypted and TLS-only, and never anybody else's.

Its name can be guessed, so another account may have taken it. Every request names the expected owner: what is
not ours is not written to.
"""

import json
from typing import Any

from botocore.exceptions import ClientError

from project.hub import ACCESS_LOGS_PREFIX, hub_bucket_name


class HubError(Exception):
    """The hub cannot be used."""


class HubBucket:
    """The hub of one account and region, through a boto3 session."""

    def __init__(self, session: Any, *, account: str, region: str, partition: str) -> None:
        self.name = hub_bucket_name(account, region)
        self._s3 = session.client("s3", region_name=region)
        self._region = region
        self._partition = partition
        self._arn = f"arn:{partition}:s3:::{self.name}"
        self._address = {"Bucket": self.name, "ExpectedBucketOwner": account}

    def ensure(self) -> bool:
        """Create the bucket unless it exists, and put its settings right; True if it was created.

        Raises HubError when it belongs to another account.
        """
        created = not self._exists()
        if created:
            self._create()
        self._s3.put_public_access_block(
            **self._address,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        self._s3.put_bucket_ownership_controls(
            **self._address, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )
        self._s3.put_bucket_versioning(**self._address, VersioningConfiguration={"Status": "Enabled"})
        self._s3.put_bucket_encryption(
            **self._address,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        )
        self._s3.put_bucket_policy(**self._address, Policy=json.dumps(self._policy()))
        self._s3.put_bucket_lifecycle_configuration(
            **self._address,
            LifecycleConfiguration={
                "Rules": [
                    {
                        "ID": "access-logs",
                        "Status": "Enabled",
                        "Filter": {"Prefix": ACCESS_LOGS_PREFIX},
                        "Expiration": {"Days": 365},
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                    }
                ]
            },
        )
        self._s3.put_bucket_cors(
            **self._address,
            # Studio's page reads the templates from the browser.
            CORSConfiguration={
                "CORSRules": [
                    {
                        "AllowedOrigins": ["https://*.sagemaker.aws"],
                        "AllowedMethods": ["GET", "HEAD"],
                        "AllowedHeaders": ["*"],
                        "ExposeHeaders": ["ETag"],
                    }
                ]
            },
        )
        return created

    def _exists(self) -> bool:
        try:
            self._s3.head_bucket(**self._address)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 404:
                return False
            if status == 403:
                raise HubError(
                    f"bucket {self.name} belongs to another account or denies access: nothing was written"
                ) from error
            raise
        return True

    def _create(self) -> None:
        place: dict[str, Any] = {}
        if self._region != "us-east-1":
            place["CreateBucketConfiguration"] = {"LocationConstraint": self._region}
        try:
            self._s3.create_bucket(Bucket=self.name, **place)
        except self._s3.exceptions.BucketAlreadyOwnedByYou:
            # Another publisher of this account was faster.
            return
        except self._s3.exceptions.BucketAlreadyExists as error:
            raise HubError(f"bucket name {self.name} is taken by another account") from error

    def _policy(self) -> dict[str, Any]:
        """TLS only; and S3 may deliver the access logs of this account's projects."""
        tls_only = {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": [self._arn, f"{self._arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        deliver_logs = {
            "Sid": "AccessLogsOfProjects",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{self._arn}/{ACCESS_LOGS_PREFIX}*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:{self._partition}:s3:::sagemaker-project-p-*"},
                "StringEquals": {"aws:SourceAccount": self._address["ExpectedBucketOwner"]},
            },
        }
        return {"Version": "2012-10-17", "Statement": [tls_only, deliver_logs]}

    def keys(self, prefix: str) -> list[str]:
        """Keys of all objects under a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(**self._address, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self._s3.get_object(**self._address, Key=key)["Body"].read()

    def write(self, key: str, body: bytes, *, content_type: str, tags: str = "") -> None:
        """Write an object; `tags` as in a URL's query."""
        tagging = {"Tagging": tags} if tags else {}
        self._s3.put_object(**self._address, Key=key, Body=body, ContentType=content_type, **tagging)

    def read_if_there(self, key: str) -> bytes | None:
        """The object's bytes; None when there is none."""
        try:
            return self.read(key)
        except self._s3.exceptions.NoSuchKey:
            return None

    def write_once(self, key: str, body: bytes, *, content_type: str, tags: str = "") -> bytes | None:
        """Write an object that never changes. None if written; else the bytes that were there before."""
        there = self.read_if_there(key)
        if there is not None:
            return there
        tagging = {"Tagging": tags} if tags else {}
        try:
            self._s3.put_object(
                **self._address, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*", **tagging
            )
        except ClientError as error:
            # Another publisher was faster.
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            return self.read(key)
        return None
