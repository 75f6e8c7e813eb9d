"""The codes an operation may be refused with: its own errors, as the model names them, and the common ones.

A client catches errors by code: one that AWS does not know is a branch that runs here and never there.
"""

from __future__ import annotations

from typing import Any

COMMON = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InternalFailure",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestEntityTooLargeException",
        "RequestExpired",
        "SerializationException",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "Throttling",
        "ThrottlingException",
        "UnrecognizedClientException",
        "UnsupportedOperation",
        "ValidationError",
        "ValidationException",
    }
)
"""Every service's (API references, "Common Errors"); UnsupportedOperation is the sandbox's own."""

QUERY = frozenset(
    {
        "InvalidAction",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidQueryParameter",
        "MalformedInput",
        "MalformedQueryString",
        "MissingAction",
        "MissingParameter",
    }
)
"""…and those of services that speak the query protocol."""

S3 = frozenset(
    {
        "AccessControlListNotSupported",
        "AuthorizationHeaderMalformed",
        "BadDigest",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "BucketNotEmpty",
        "EntityTooLarge",
        "EntityTooSmall",
        "IllegalLocationConstraintException",
        "IllegalVersioningConfigurationException",
        "IncompleteBody",
        "InvalidAccessKeyId",
        "InvalidArgument",
        "InvalidBucketName",
        "InvalidBucketState",
        "InvalidDigest",
        "InvalidLocationConstraint",
        "InvalidNamespaceHeader",
        "InvalidObjectState",
        "InvalidPart",
        "InvalidPartNumber",
        "InvalidPartOrder",
        "InvalidPolicyDocument",
        "InvalidRange",
        "InvalidRequest",
        "InvalidStorageClass",
        "InvalidTag",
        "InvalidTargetBucketForLogging",
        "InvalidToken",
        "InvalidURI",
        "KeyTooLongError",
        "KMS.DisabledException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
        "MalformedACLError",
        "MalformedPolicy",
        "MalformedXML",
        "MetadataTooLarge",
        "MethodNotAllowed",
        "MissingContentLength",
        "MissingRequestBodyError",
        "MissingSecurityHeader",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchConfiguration",
        "NoSuchCORSConfiguration",
        "NoSuchKey",
        "NoSuchLifecycleConfiguration",
        "NoSuchObjectLockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NoSuchUpload",
        "NoSuchVersion",
        "NoSuchWebsiteConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "OperationAborted",
        "OwnershipControlsNotFoundError",
        "PreconditionFailed",
        "ReplicationConfigurationNotFoundError",
        "RequestTimeTooSkewed",
        "ServerSideEncryptionConfigurationNotFoundError",
        "TooManyBuckets",
        # an answer to HEAD has no body: its status is the code
        "304",
        "400",
        "403",
        "404",
        "405",
        "412",
        "416",
    }
)
"""S3 models hardly any of its errors (Amazon S3 API Reference, "Error responses")."""

SERVICES: dict[str, frozenset[str]] = {
    "s3": S3,
    # IAM's and STS's models leave out what their references call common.
    "cloudformation": frozenset({"ValidationError"}),
    "kms": frozenset({"InvalidToken", "NotAuthorizedException"}),
    # "Common errors" of the CloudWatch API Reference: what a request breaks that no shape limits
    "cloudwatch": frozenset({"InvalidParameterValue", "InvalidParameterCombination", "ValidationError"}),
    "logs": frozenset({"ResourceNotFoundException"}),
    "sagemaker-runtime": frozenset({"ValidationError"}),
    "stepfunctions": frozenset({"StateMachineDoesNotExist"}),
}
"""By botocore service name: codes that stand in the service's reference but not in its model."""


def may_refuse(operation: Any, code: str) -> bool:
    """Whether AWS refuses `operation` (botocore's operation model) with `code`."""
    service = operation.service_model.service_name
    if code in COMMON or code in SERVICES.get(service, ()):
        return True
    if service == "ec2":  # its model has no errors at all
        return True
    metadata = operation.service_model.metadata
    protocols = (metadata["protocol"], *metadata.get("protocols", ()))
    if ("query" in protocols or "awsQueryCompatible" in metadata) and code in QUERY:
        return True
    name = code.removeprefix("AWS.SimpleQueueService.")
    name = QUERY_NAMES.get(name, name)
    return any(name in codes_of(shape) for shape in operation.error_shapes)


QUERY_NAMES = {
    "KMS.NotFoundException": "KmsNotFound",
    "NonExistentQueue": "QueueDoesNotExist",
    "QueueAlreadyExists": "QueueNameExists",
}
"""SQS's codes in the query protocol, which its clients still see, and the names of its model."""


def codes_of(shape: Any) -> tuple[str, ...]:
    """The codes that an error shape goes by: its name, and the one of its query-compatible trait."""
    return tuple({shape.name, shape.metadata.get("error", {}).get("code", shape.name)})


def status_of(operation: Any, code: str) -> int | None:
    """The HTTP status that the model gives an error; None where it gives none."""
    for shape in operation.error_shapes:
        if code in codes_of(shape):
            return shape.metadata.get("error", {}).get("httpStatusCode")
    return None
