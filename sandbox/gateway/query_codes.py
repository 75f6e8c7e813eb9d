"""Error codes of services that once spoke the query protocol: their clients still see the codes of that time.

Sent in the header `x-amzn-query-error` (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, trait
awsQueryCompatible). Source of the codes: the errors of each operation in the SQS API Reference.
"""

from __future__ import annotations

_SQS = "AWS.SimpleQueueService"

QUERY_CODES: dict[tuple[str, str], str] = {
    ("sqs", "BatchEntryIdsNotDistinct"): f"{_SQS}.BatchEntryIdsNotDistinct",
    ("sqs", "BatchRequestTooLong"): f"{_SQS}.BatchRequestTooLong",
    ("sqs", "EmptyBatchRequest"): f"{_SQS}.EmptyBatchRequest",
    ("sqs", "InvalidBatchEntryId"): f"{_SQS}.InvalidBatchEntryId",
    ("sqs", "KmsAccessDenied"): "KMS.AccessDeniedException",
    ("sqs", "KmsDisabled"): "KMS.DisabledException",
    ("sqs", "KmsInvalidKeyUsage"): "KMS.InvalidKeyUsageException",
    ("sqs", "KmsInvalidState"): "KMS.InvalidStateException",
    ("sqs", "KmsNotFound"): "KMS.NotFoundException",
    ("sqs", "MessageNotInflight"): f"{_SQS}.MessageNotInflight",
    ("sqs", "PurgeQueueInProgress"): f"{_SQS}.PurgeQueueInProgress",
    ("sqs", "QueueDeletedRecently"): f"{_SQS}.QueueDeletedRecently",
    ("sqs", "QueueDoesNotExist"): f"{_SQS}.NonExistentQueue",
    ("sqs", "QueueNameExists"): "QueueAlreadyExists",
    ("sqs", "TooManyEntriesInBatchRequest"): f"{_SQS}.TooManyEntriesInBatchRequest",
    ("sqs", "UnsupportedOperation"): f"{_SQS}.UnsupportedOperation",
}
"""(botocore service, code of the model) → the code that clients are shown; where none is, both are one."""
