"""Endpoints: which there are, and what they answer."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from cli.access import Access
from cli.errors import OTHER, CliError, is_absent


def named(access: Access, contains: str) -> list[dict[str, Any]]:
    """Endpoints whose name contains the text, with the configuration they serve."""
    client = access.client("sagemaker")
    pages = client.get_paginator("list_endpoints").paginate(
        NameContains=contains, SortBy="Name", SortOrder="Ascending"
    )
    names = [item["EndpointName"] for page in pages for item in page["Endpoints"]]
    return [_summary(client.describe_endpoint(EndpointName=name)) for name in names]


def _summary(description: dict[str, Any]) -> dict[str, Any]:
    summary = {key: description[key] for key in ("EndpointName", "EndpointStatus", "EndpointConfigName")}
    if description.get("FailureReason"):
        summary["FailureReason"] = description["FailureReason"]
    return {
        **summary,
        "LastModifiedTime": description["LastModifiedTime"],
        "EndpointArn": description["EndpointArn"],
    }


def exists(access: Access, name: str) -> bool:
    """Whether there is an endpoint of this name."""
    try:
        access.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_absent(error):
            return False
        raise
    return True


def invoke(access: Access, name: str, body: bytes, content_type: str, accept: str | None) -> dict[str, Any]:
    """Ask for a prediction. A refusal by the model is told with its own words."""
    request = {"EndpointName": name, "Body": body, "ContentType": content_type}
    if accept:
        request["Accept"] = accept
    try:
        answer = access.client("sagemaker-runtime").invoke_endpoint(**request)
    except ClientError as error:
        message = error.response.get("OriginalMessage")
        if message is None:
            raise
        status = error.response.get("OriginalStatusCode")
        raise CliError(f"endpoint {name}: the model answered {status}: {message}", code=OTHER) from error
    return {
        "EndpointName": name,
        "InvokedProductionVariant": answer.get("InvokedProductionVariant"),
        "ContentType": answer.get("ContentType"),
        "Body": answer["Body"].read().decode(errors="replace").rstrip("\n"),
    }
