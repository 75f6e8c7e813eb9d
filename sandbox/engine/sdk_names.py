"""Names as AWS's Java SDK makes them, by which Step Functions and Scheduler know services and members.

Members of results are in Pascal case by the SDK's rule: `SSEKMSKeyId` is `SsekmsKeyId`.
"""

from __future__ import annotations

import functools
import re

_BY_ID = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "codeconnections": "codeconnections",
    "codestarconnections": "codestar-connections",
    "cognitoidentityprovider": "cognito-idp",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "efs": "efs",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "marketplacemetering": "meteringmarketplace",
    "personalizeevents": "personalize-events",
    "personalizeruntime": "personalize-runtime",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
    "sagemakerruntime": "sagemaker-runtime",
    "sfn": "stepfunctions",
}
"""Service ids of the SDK whose botocore name is not simply the same without hyphens."""

CLASSES = {
    "application-autoscaling": "ApplicationAutoScaling",
    "events": "EventBridge",
    "logs": "CloudWatchLogs",
    "stepfunctions": "Sfn",
}


@functools.cache
def _names() -> dict[str, str]:
    import botocore.session

    return {name.replace("-", ""): name for name in botocore.session.Session().get_available_services()}


def botocore_service(service_id: str) -> str | None:
    """`sfn` → `stepfunctions`; None for a service that nobody knows."""
    return _BY_ID.get(service_id) or _names().get(service_id)


def words(text: str) -> list[str]:
    """The words of a name, by the SDK's rule."""
    text = re.sub(r"[^A-Za-z0-9]+", " ", text)
    text = re.sub(r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 ", text)
    text = re.sub(r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " ", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", text)
    return text.split()


@functools.lru_cache(4096)
def pascal(text: str) -> str:
    """`ETag` stays, `bucketARN` becomes `BucketArn`."""
    return "".join(word[:1].upper() + word[1:].lower() for word in words(text))


def exception(code: str) -> str:
    """The class of an error: `NoSuchBucket` → `NoSuchBucketException`."""
    name = pascal(code.rpartition(".")[2])
    name = name.removesuffix("Fault").removesuffix("Error") if not name.endswith("Exception") else name
    return name if name.endswith("Exception") else f"{name}Exception"
