"""Versions in the model registry: what they are worth, and whether they may be deployed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from cli.access import Access
from cli.errors import USAGE, CliError, error_code, is_absent

PENDING = "PendingManualApproval"


def packages(access: Access, group: str) -> list[dict[str, Any]]:
    """All versions of a group as DescribeModelPackage tells them, newest first."""
    client = access.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        arns = [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if is_absent(error):
            return []
        raise
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda arn: client.describe_model_package(ModelPackageName=arn), arns))


def metrics(access: Access, package: dict[str, Any]) -> dict[str, float]:
    """Model quality that the package points to: each metric by its name.

    Empty where none is registered or this principal may not read it.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
    """
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    uri = quality.get("S3Uri")
    if not uri:
        return {}
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        body = access.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error).startswith(("AccessDenied", "NoSuch")):
            return {}
        raise
    report = json.loads(body)
    return {
        name: measure["value"]
        for kind, measures in report.items()
        if kind.endswith("_metrics") and isinstance(measures, dict)
        for name, measure in measures.items()
        if isinstance(measure, dict) and isinstance(measure.get("value"), int | float)
    }


def summary(access: Access, package: dict[str, Any]) -> dict[str, Any]:
    """A line about a version, metrics beside."""
    commit = package.get("CustomerMetadataProperties", {}).get("GitCommit", "")
    return {
        "ModelPackageVersion": package.get("ModelPackageVersion"),
        "ModelApprovalStatus": package.get("ModelApprovalStatus"),
        **metrics(access, package),
        "Commit": commit[:12] or None,
        "CreationTime": package["CreationTime"],
        "ModelPackageArn": package["ModelPackageArn"],
    }


def summaries(access: Access, group: str) -> list[dict[str, Any]]:
    """A line a version, newest first."""
    found = packages(access, group)
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda package: summary(access, package), found))


def pick(access: Access, group: str, version: str | None, *, status: str | None = None) -> dict[str, Any]:
    """The version named (`2`, or an ARN), or the newest one (in `status`)."""
    if version and version.startswith("arn:"):
        package: dict[str, Any] = access.client("sagemaker").describe_model_package(ModelPackageName=version)
        return package
    found = packages(access, group)
    if version:
        wanted = [item for item in found if str(item.get("ModelPackageVersion")) == version.lstrip("v")]
    else:
        wanted = [item for item in found if status is None or item.get("ModelApprovalStatus") == status]
    if not wanted:
        have = (
            ", ".join(f"{item['ModelPackageVersion']} {item['ModelApprovalStatus']}" for item in found)
            or "none"
        )
        what = f"version {version}" if version else f"version that is {status}" if status else "version"
        raise CliError(f"model package group {group} has no {what}; versions: {have}", code=USAGE)
    return wanted[0]


def decide(access: Access, package: dict[str, Any], status: str, comment: str | None) -> dict[str, Any]:
    """Approve or reject; the state change starts the deploy pipeline."""
    request = {"ModelPackageArn": package["ModelPackageArn"], "ModelApprovalStatus": status}
    if comment:
        request["ApprovalDescription"] = comment
    access.client("sagemaker").update_model_package(**request)
    return {
        "ModelPackageVersion": package["ModelPackageVersion"],
        "ModelApprovalStatus": status,
        "ApprovalDescription": comment,
        "ModelPackageArn": package["ModelPackageArn"],
    }
