"""What a project keeps: one key, one bucket of artifacts, one bucket of that bucket's access logs.

Key and buckets outlive the project's stack (they hold the models and the data), but not a stack that never
came up. Their logical ids are written out: a changed one would make CloudFormation replace what they hold.
"""

from typing import Any

from aws_cdk import CfnDeletionPolicy, CfnResource
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from project.arns import Arns
from project.names import Names


def keep(resource: CfnResource, logical_id: str) -> None:
    """Keep what a resource holds when it leaves the stack, and fix its logical id for all versions."""
    resource.override_logical_id(logical_id)
    resource.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
    resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN


class Storage(Construct):
    """Key, artifact bucket and access-log bucket of one project."""

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
        logs = self._access_logs(names, arns)
        self.bucket = self._artifacts(names, arns, logs)

    @property
    def key_arn(self) -> str:
        return self.key.attr_arn

    def _access_logs(self, names: Names, arns: Arns) -> s3.CfnBucket:
        bucket = _bucket(
            self,
            "AccessLogs",
            name=names.access_logs_bucket,
            encryption=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(sse_algorithm="AES256"),
            lifecycle=s3.CfnBucket.RuleProperty(
                id="expire",
                status="Enabled",
                expiration_in_days=365,
                noncurrent_version_expiration=_after(30),
            ),
        )
        keep(bucket, "ProjectAccessLogs")
        may_deliver = {
            "Sid": "DeliverAccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{arns.bucket(names.access_logs_bucket)}/*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": arns.bucket(names.bucket)},
                "StringEquals": {"aws:SourceAccount": arns.account},
            },
        }
        policy = _bucket_policy(
            self, "AccessLogsPolicy", bucket, names.access_logs_bucket, arns, [may_deliver]
        )
        keep(policy, "ProjectAccessLogsPolicy")
        return bucket

    def _artifacts(self, names: Names, arns: Arns, logs: s3.CfnBucket) -> s3.CfnBucket:
        bucket = _bucket(
            self,
            "Artifacts",
            name=names.bucket,
            encryption=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                sse_algorithm="aws:kms", kms_master_key_id=self.key.attr_arn
            ),
            lifecycle=s3.CfnBucket.RuleProperty(
                id="old-versions", status="Enabled", noncurrent_version_expiration=_after(90)
            ),
            logging=s3.CfnBucket.LoggingConfigurationProperty(
                destination_bucket_name=logs.ref, log_file_prefix="artifacts/"
            ),
        )
        keep(bucket, "ProjectArtifacts")
        # S3 refuses to log into a bucket that does not accept its deliveries yet.
        bucket.add_resource_dependency(self.node.find_child("AccessLogsPolicy"))  # type: ignore[arg-type]
        keep(
            _bucket_policy(self, "ArtifactsPolicy", bucket, names.bucket, arns, []), "ProjectArtifactsPolicy"
        )
        return bucket


def _after(days: int) -> s3.CfnBucket.NoncurrentVersionExpirationProperty:
    return s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=days)


def _bucket(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    encryption: s3.CfnBucket.ServerSideEncryptionByDefaultProperty,
    lifecycle: s3.CfnBucket.RuleProperty,
    logging: s3.CfnBucket.LoggingConfigurationProperty | None = None,
) -> s3.CfnBucket:
    """A bucket that is private, versioned, encrypted and without ACLs."""
    unfinished_uploads = s3.CfnBucket.RuleProperty(
        id="unfinished-uploads",
        status="Enabled",
        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
            days_after_initiation=7
        ),
    )
    return s3.CfnBucket(
        scope,
        construct_id,
        bucket_name=name,
        bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    server_side_encryption_by_default=encryption,
                    bucket_key_enabled=encryption.sse_algorithm == "aws:kms",
                )
            ]
        ),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
            rules=[lifecycle, unfinished_uploads]
        ),
        logging_configuration=logging,
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        ),
        versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
    )


def _bucket_policy(
    scope: Construct,
    construct_id: str,
    bucket: s3.CfnBucket,
    name: str,
    arns: Arns,
    statements: list[dict[str, Any]],
) -> s3.CfnBucketPolicy:
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arns.bucket(name), f"{arns.bucket(name)}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [tls_only, *statements]}
    return s3.CfnBucketPolicy(scope, construct_id, bucket=bucket.ref, policy_document=document)


def _key_policy(names: Names, arns: Arns) -> dict[str, Any]:
    """The account's IAM policies decide who uses the key; CloudWatch Logs uses it for build logs."""
    log_groups = arns.log_group(names.log_group(f"{names.prefix}-*"))
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
