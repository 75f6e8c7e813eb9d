"""Model cards: kept with a version for each change.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelCard.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker.kept.kinds import (
    CONFLICT,
    INVALID,
    NOT_FOUND,
    Kind,
    Record,
    change,
    create,
    find,
    listing,
    remove,
    shown,
)
from sandbox.services.sagemaker.listing import paged

CARD = Kind(
    "ModelCard",
    "model-card",
    "ModelCards",
    "ModelCardSummaries",
    exists=CONFLICT,
    equals={"ModelCardStatus": "ModelCardStatus"},
    context=True,
)


def _checked(content: str | None) -> None:
    try:
        body = json.loads(content or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise AwsError(INVALID, "Model card content is not valid JSON.")


def _kept(call: Call, record: Record) -> None:
    key = f"{record['ModelCardName']}/{record['ModelCardVersion']:010}"
    call.records("kept/model-card-version").put(key, record)


@operation("sagemaker", "CreateModelCard", record_only=True)
def create_model_card(call: Call, **request: Any) -> Record:
    _checked(request["Content"])
    with call.engine.store.transaction():
        record = create(call, CARD, request | {"ModelCardVersion": 1})
        _kept(call, record)
    return {"ModelCardArn": record["ModelCardArn"]}


@operation("sagemaker", "UpdateModelCard", record_only=True)
def update_model_card(call: Call, **request: Any) -> Record:
    """New content makes a new version; a new status alone does not."""
    if request.get("Content") is not None:
        _checked(request["Content"])
    with call.engine.store.transaction():
        before = find(call, CARD, request["ModelCardName"])
        version = before["ModelCardVersion"] + (request.get("Content") is not None)
        record = change(call, CARD, request | {"ModelCardVersion": version})
        _kept(call, record)
    return {"ModelCardArn": record["ModelCardArn"]}


@operation("sagemaker", "DescribeModelCard", record_only=True)
def describe_model_card(
    call: Call, ModelCardName: str, ModelCardVersion: int | None = None, IncludedData: str | None = None
) -> Record:
    name = ModelCardName.rsplit("/", 1)[-1]
    record = find(call, CARD, name)
    if ModelCardVersion is not None:
        key = f"{name}/{ModelCardVersion:010}"
        found = call.records("kept/model-card-version").get(key)
        if found is None:
            raise AwsError(NOT_FOUND, f"Could not find version {ModelCardVersion} of ModelCard {name}.")
        record = found
    return shown(record, "DescribeModelCard")


@operation("sagemaker", "DeleteModelCard", record_only=True)
def delete_model_card(call: Call, ModelCardName: str) -> None:
    with call.engine.store.transaction():
        remove(call, CARD, {"ModelCardName": ModelCardName})
        versions = call.records("kept/model-card-version")
        for key in versions.keys(f"{ModelCardName}/"):
            versions.delete(key)


@operation("sagemaker", "ListModelCards", record_only=True)
def list_model_cards(call: Call, **request: Any) -> Record:
    return listing(call, CARD, request)


@operation("sagemaker", "ListModelCardVersions", record_only=True)
def list_model_card_versions(call: Call, ModelCardName: str, **request: Any) -> Record:
    find(call, CARD, ModelCardName)
    member = "ModelCardVersionSummaryList"
    found = [
        shown(record, "ListModelCardVersions", member)
        for record in call.records("kept/model-card-version").list(f"{ModelCardName}/")
    ]
    return paged(member, found[::-1] if request.get("SortOrder") != "Ascending" else found, request)
