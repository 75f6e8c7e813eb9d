"""Items of a distributed Map: from its input, or read from S3; selected and batched.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from sandbox.services.stepfunctions.definition.machine import State
from sandbox.services.stepfunctions.execution import dataflow, maps, requests
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.language.errors import ITEM_READER, LIMIT, StateError
from sandbox.services.stepfunctions.language.scope import dumps

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_MOST_ITEMS = 100_000_000
_LARGEST_BATCH = LIMIT


def inputs_of(run: Run, branch: Branch, state: State) -> tuple[list[Any], list[int]]:
    """What each child execution gets, and how many items that is."""
    items = _read(run, branch, state) if "ItemReader" in state else maps.items_of(run, branch, state)
    selected = [maps.item_input(run, branch, state, index, item) for index, item in enumerate(items)]
    batcher = state.get("ItemBatcher")
    if batcher is None:
        return selected, [1] * len(selected)
    most = int(maps.number(run, branch, batcher, "MaxItemsPerBatch", 0)) or len(selected) or 1
    largest = int(maps.number(run, branch, batcher, "MaxInputBytesPerBatch", _LARGEST_BATCH))
    common = _filled(run, branch, state, batcher, "BatchInput")
    batches = _batches(selected, most, largest)
    extra = {} if common is None else {"BatchInput": common}
    return [{**extra, "Items": batch} for batch in batches], [len(batch) for batch in batches]


def _batches(items: list[Any], most: int, largest: int) -> list[list[Any]]:
    batches: list[list[Any]] = []
    size = 0
    for item in items:
        length = len(dumps(item).encode()) + 1
        if not batches or len(batches[-1]) >= most or size + length > largest:
            batches.append([])
            size = 0
        batches[-1].append(item)
        size += length
    return batches


def _filled(run: Run, branch: Branch, state: State, holder: State, name: str) -> Any:
    if name not in holder:
        return None
    scope = run.scope(branch)
    if dataflow.in_jsonata(run, state):
        return scope.jsonata(holder[name], name)
    return scope.on(dataflow.filtered(state, scope)).template(holder[name])


def place_of(run: Run, branch: Branch, state: State, holder: State) -> dict[str, Any]:
    """Bucket and key or prefix of an ItemReader or ResultWriter."""
    member = "Arguments" if dataflow.in_jsonata(run, state) else "Parameters"
    return dict(_filled(run, branch, state, holder, member) or {})


def _read(run: Run, branch: Branch, state: State) -> list[Any]:
    reader = state["ItemReader"]
    config = reader.get("ReaderConfig", {})
    where = place_of(run, branch, state, reader)
    items = _fetch(run, branch, reader["Resource"], where, config)
    most = int(maps.number(run, branch, config, "MaxItems", 0))
    return items[: most or _MOST_ITEMS]


def _fetch(
    run: Run, branch: Branch, resource: str, where: dict[str, Any], config: dict[str, Any]
) -> list[Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    client = requests.session(run, branch).client("s3")
    try:
        if resource.endswith(":s3:listObjectsV2"):
            pages = client.get_paginator("list_objects_v2").paginate(**where)
            return [_listed(item) for page in pages for item in page.get("Contents", [])]
        text = client.get_object(**where)["Body"].read().decode("utf-8-sig")
    except (ClientError, BotoCoreError) as error:
        raise StateError(ITEM_READER, str(error)) from error
    kind = config.get("InputType", "JSON")
    try:
        return _PARSERS[kind](text, config)
    except (ValueError, KeyError, csv.Error) as error:
        raise StateError(ITEM_READER, f"Unable to parse {where.get('Key')} as {kind}: {error}") from error


def _listed(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "Etag": item["ETag"],
        "Key": item["Key"],
        "LastModified": int(item["LastModified"].timestamp()),
        "Size": item["Size"],
        "StorageClass": item.get("StorageClass", "STANDARD"),
    }


def _json(text: str, config: dict[str, Any]) -> list[Any]:
    found = json.loads(text)
    for name in filter(None, config.get("ItemsPointer", "").split("/")):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    if isinstance(found, dict):
        return [{"Key": name, "Value": item} for name, item in found.items()]
    if not isinstance(found, list):
        raise ValueError("Attempting to map over non-iterable node.")
    return found


def _json_lines(text: str, config: dict[str, Any]) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _csv(text: str, config: dict[str, Any]) -> list[Any]:
    delimiter = _DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    given = config.get("CSVHeaderLocation") == "GIVEN"
    headers = config["CSVHeaders"] if given else (rows.pop(0) if rows else [])
    if len(set(headers)) < len(headers):
        raise ValueError("CSV headers cannot contain duplicates.")
    return [dict(zip(headers, [*row, *[""] * (len(headers) - len(row))], strict=False)) for row in rows]


_PARSERS = {"JSON": _json, "JSONL": _json_lines, "CSV": _csv}

INPUT_TYPES = frozenset(_PARSERS)
