"""Dashboards: kept. Nobody draws them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page

KIND = "dashboard"


def _missing(name: str) -> AwsError:
    return AwsError("DashboardNotFoundError", f"Dashboard {name} does not exist")


def _entry(call: Call, record: dict[str, Any]) -> dict[str, Any]:
    name = record["DashboardName"]
    return {
        "DashboardName": name,
        "DashboardArn": f"arn:aws:cloudwatch::{call.account}:dashboard/{name}",
        "LastModified": record["LastModified"],
        "Size": len(record["DashboardBody"].encode()),
    }


@operation("cloudwatch", "PutDashboard", record_only=True)
def put_dashboard(
    call: Call, DashboardName: str, DashboardBody: str, Tags: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    if Tags:
        raise AwsError(
            "UnsupportedOperation", "Tags of dashboards are not implemented by the sandbox.", status=400
        )
    try:
        body = json.loads(DashboardBody)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("widgets", []), list):
        raise AwsError("DashboardInvalidInputError", "The field DashboardBody must be a valid JSON object")
    record = {
        "DashboardName": DashboardName,
        "DashboardBody": DashboardBody,
        "LastModified": call.engine.clock.now(),
    }
    call.records(KIND).put(DashboardName, record)
    return {"DashboardValidationMessages": []}


@operation("cloudwatch", "GetDashboard", record_only=True)
def get_dashboard(call: Call, DashboardName: str) -> dict[str, Any]:
    record = call.records(KIND).get(DashboardName)
    if record is None:
        raise _missing(DashboardName)
    entry = _entry(call, record)
    return {
        "DashboardName": DashboardName,
        "DashboardArn": entry["DashboardArn"],
        "DashboardBody": record["DashboardBody"],
    }


@operation("cloudwatch", "ListDashboards", record_only=True)
def list_dashboards(
    call: Call, DashboardNamePrefix: str = "", NextToken: str | None = None
) -> dict[str, Any]:
    records = sorted(call.records(KIND).list(DashboardNamePrefix), key=lambda item: item["DashboardName"])
    items, token = page(records, NextToken, None, error="InvalidParameterValueException", default=1000)
    entries = [_entry(call, record) for record in items]
    return {"DashboardEntries": entries} | ({"NextToken": token} if token else {})


@operation("cloudwatch", "DeleteDashboards", record_only=True)
def delete_dashboards(call: Call, DashboardNames: list[str]) -> dict[str, Any]:
    records = call.records(KIND)
    with call.engine.store.transaction():
        for name in DashboardNames:
            if records.get(name) is None:
                raise _missing(name)
        for name in DashboardNames:
            records.delete(name)
    return {}
