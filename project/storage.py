"""What a project keeps: one key and one bucket of artifacts, whose access logs go to the hub.

Both outlive the project's stack (they hold the models and the data), but not a stack that never
came up. Their logical ids are written out: a changed one would make CloudFormation replace what they hold.
"""

from typing import Any

from aws_cdk import CfnDeletionPolicy, CfnResource
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from project.arns import Arns
from project.hub import ACCESS_LOGS_PREFIX, hub_bucket_name
from project.names import Names


def keep(resource: CfnResource, logical_id: str) -> None:
    """Keep what a resource holds when it leaves the stack, and fix its logical id for all versions."""
    resource.override_logical_id(logical_id)
    resource.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
    resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN


class Storage(Construct):
    """Key and artifact bucket of one project."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, arns: Arns) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.CfnKey(
            self,
            "Key",
            description=f"Artifacts, repositories and logs of SageMaker project {names.project}",
            enable_key_rotation=True,
            pending_window_in_days=30,
            key_policy=_key_policy(names, arns),
        )
        keep(self.key, "ProjectKey")
        alias = kms.CfnAlias(self, "Alias", alias_name=names.key_alias, target_key_id=self.key.attr_key_id)
        keep(alias, "ProjectKeyAlias")
        self.bucket = self._artifacts(names, arns)

    @property
    def key_arn(self) -> str:
        return self.key.attr_arn

    def _artifacts(self, names: Names, arns: Arns) -> s3.CfnBucket:
        settings = s3.CfnBucket
        bucket = settings(
            self,
            "Artifacts",
            bucket_name=names.bucket,
            bucket_encryption=settings.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    settings.ServerSideEncryptionRuleProperty(
                        bucket_key_enabled=True,
                        server_side_encryption_by_default=settings.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm="aws:kms", kms_master_key_id=self.key.attr_arn
                        ),
                    )
                ]
            ),
            lifecycle_configuration=settings.LifecycleConfigurationProperty(
                rules=[
                    settings.RuleProperty(
                        id="old-versions",
                        status="Enabled",
                        noncurrent_version_expiration=settings.NoncurrentVersionExpirationProperty(
                            noncurrent_days=90
                        ),
                    ),
                    settings.RuleProperty(
                        id="unfinished-uploads",
                        status="Enabled",
                        abort_incomplete_multipart_upload=settings.AbortIncompleteMultipartUploadProperty(
                            days_after_initiation=7
                        ),
                    ),
                ]
            ),
            # In the hub: no role of the project can reach the record of what its roles did.
            logging_configuration=settings.LoggingConfigurationProperty(
                destination_bucket_name=hub_bucket_name(arns.account, arns.region),
                log_file_prefix=ACCESS_LOGS_PREFIX,
            ),
            ownership_controls=settings.OwnershipControlsProperty(
                rules=[settings.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
            ),
            public_access_block_configuration=settings.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            versioning_configuration=settings.VersioningConfigurationProperty(status="Enabled"),
        )
        keep(bucket, "ProjectArtifacts")
        policy = s3.CfnBucketPolicy(
            self, "ArtifactsPolicy", bucket=bucket.ref, policy_document=_tls_only(arns.bucket(names.bucket))
        )
        keep(policy, "ProjectArtifactsPolicy")
        return bucket


def _tls_only(bucket_arn: str) -> dict[str, Any]:
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _key_policy(names: Names, arns: Arns) -> dict[str, Any]:
    """The account's IAM policies decide who uses the key; CloudWatch Logs does for builds and endpoints."""
    log_groups = [
        arns.log_group(names.log_group(f"{names.prefix}-*")),
        arns.log_group(names.endpoint_log_group("*")),
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "IamOfThisAccount",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{arns.partition}:iam::{arns.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "LogsOfThisProject",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{arns.region}.amazonaws.com"},
                "Action": [
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                "Resource": "*",
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            },
        ],
    }
