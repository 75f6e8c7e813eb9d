"""Which service answers: ours, moto's records, or a refusal that names what is not implemented."""

from __future__ import annotations

import functools
import importlib
import re
from enum import Enum
from typing import Any


class Backing(Enum):
    OURS = "ours"
    """Operations of our own only; an operation without one is refused."""
    MOTO = "moto"
    """moto keeps the records; operations of our own come first."""


SERVICES: dict[str, Backing] = {
    "s3": Backing.MOTO,
    "iam": Backing.MOTO,
    "sts": Backing.MOTO,
    "kms": Backing.MOTO,
    "logs": Backing.MOTO,
    "ssm": Backing.MOTO,
    "application-autoscaling": Backing.OURS,
    "cloudformation": Backing.OURS,
    "cloudtrail": Backing.OURS,
    "cloudwatch": Backing.OURS,
    "codebuild": Backing.OURS,
    "codecommit": Backing.OURS,
    "codeconnections": Backing.OURS,
    "codepipeline": Backing.OURS,
    "codestar-connections": Backing.OURS,
    "ec2": Backing.OURS,
    "ecr": Backing.OURS,
    "events": Backing.OURS,
    "lambda": Backing.OURS,
    "sagemaker": Backing.OURS,
    "sagemaker-runtime": Backing.OURS,
    "scheduler": Backing.OURS,
    "secretsmanager": Backing.OURS,
    "servicecatalog": Backing.OURS,
    "sns": Backing.OURS,
    "sqs": Backing.OURS,
    "stepfunctions": Backing.OURS,
}
"""By botocore service name. A service that is not here is refused by name."""

UNKEPT: dict[str, frozenset[str]] = {
    "s3": frozenset(
        {
            "PutBucketInventoryConfiguration",
            "PutBucketReplication",
        }
    ),
    "logs": frozenset(
        {
            "CreateDelivery",
            "PutDeliveryDestination",
            "PutDeliverySource",
            "PutDestination",
            "PutMetricFilter",
            "PutSubscriptionFilter",
            "StartLiveTail",
        }
    ),
    "ssm": frozenset(
        {
            "CreateMaintenanceWindow",
            "CreatePatchBaseline",
            "RegisterPatchBaselineForPatchGroup",
            "RegisterTargetWithMaintenanceWindow",
            "RegisterTaskWithMaintenanceWindow",
            "SendCommand",
        }
    ),
    "sts": frozenset(
        {
            "AssumeRoleWithSAML",
            "AssumeRoleWithWebIdentity",
            "AssumeRoot",
            "GetDelegatedAccessToken",
            "GetWebIdentityToken",
        }
    ),
}
"""Operations that moto answers by noting a promise which nothing here keeps: refused. One that asks for
nothing (an empty configuration) takes the promise back, and is let through."""

ROOMS = (
    "application_autoscaling",
    "cloudformation",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codeconnections",
    "codepipeline",
    "ec2",
    "ecr",
    "events",
    "iam",
    "kms",
    "lambda_",
    "s3",
    "sagemaker",
    "sagemaker_runtime",
    "scheduler",
    "secretsmanager",
    "servicecatalog",
    "sns",
    "sqs",
    "stepfunctions",
    "sts",
)
"""The folders under sandbox/services whose import registers operations, tasks and listeners."""


UNKEPT_FAMILIES = {
    "iam": re.compile(
        "MFADevice|ServerCertificate|SAMLProvider|SigningCertificate|SSHPublicKey|ServiceSpecific"
        "|AccountPassword"
    ),
    "logs": re.compile("GetLogObject|QueryResults|StartQuery"),
    "s3": re.compile(
        "(Analytics|IntelligentTiering|Inventory|Metrics|Metadata|MetadataTable)Configuration"
        "|CreateSession|ObjectAnnotation|RestoreObject|WriteGetObjectResponse|SelectObjectContent"
    ),
    "ssm": re.compile("MaintenanceWindow|PatchBaseline|PatchGroup|ServiceSetting"),
}
"""…and whole families of operations, by their names."""


def load() -> None:
    """Imports every room, so that operations, tasks and listeners are registered."""
    for room in ROOMS:
        importlib.import_module(f"sandbox.services.{room}")


def promises(service: str, operation: str, parameters: dict[str, Any]) -> bool:
    """Whether an operation asks for what would be noted and never done."""
    if (service, operation) == ("ssm", "PutParameter") and parameters.get("Policies"):
        return True
    family = UNKEPT_FAMILIES.get(service)
    if family and family.search(operation):
        return True
    return operation in UNKEPT.get(service, ())


SIGNING_NAMES = {"cloudwatch": "monitoring", "sagemaker-runtime": "sagemaker", "stepfunctions": "states"}
"""Services that sign under another name than their own. Written down, since to ask botocore would load
every service's model at the first request."""


@functools.cache
def by_signing_name() -> dict[str, list[str]]:
    """Signing name (in a signature's scope) → the botocore services that use it."""
    names: dict[str, list[str]] = {}
    for service in SERVICES:
        names.setdefault(SIGNING_NAMES.get(service, service), []).append(service)
    return names
