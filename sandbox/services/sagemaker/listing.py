"""List operations: the filters, orders and pages that SageMaker's share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sandbox.engine.pagination import page

Record = dict[str, Any]
MAX_RESULTS = 100
DEFAULT_RESULTS = 10
"""What SageMaker returns a page when MaxResults is not given."""


def epoch(moment: Any) -> float:
    """Epoch seconds of a timestamp member of a request."""
    if isinstance(moment, datetime):
        return moment.timestamp()
    if isinstance(moment, str):
        return datetime.fromisoformat(moment).timestamp()
    return float(moment)


def within(value: float, after: Any, before: Any) -> bool:
    """Whether a time lies between two optional bounds."""
    return (after is None or value > epoch(after)) and (before is None or value < epoch(before))


def filter_by_request(records: Iterable[Record], request: Record, name: str) -> list[Record]:
    """Applies CreationTimeAfter/Before, LastModifiedTimeAfter/Before and NameContains of a request.

    `name`: the member that holds a record's name.
    """
    contains = (request.get("NameContains") or "").lower()
    return [
        record
        for record in records
        if contains in record.get(name, "").lower()
        and within(
            record["CreationTime"], request.get("CreationTimeAfter"), request.get("CreationTimeBefore")
        )
        and within(
            record.get("LastModifiedTime") or record["CreationTime"],
            request.get("LastModifiedTimeAfter"),
            request.get("LastModifiedTimeBefore"),
        )
    ]


def sort(
    records: list[Record], key: Callable[[Record], Any], order: str | None, default: str
) -> list[Record]:
    """Sorted by `key`; records that compare equal keep the order in which they were made."""
    descending = (order or default) == "Descending"
    # sorted() is stable in reverse too: reversed first, the newest of equals comes first.
    return sorted(reversed(records) if descending else records, key=key, reverse=descending)


def paged(member: str, items: list[Record], request: Record) -> Record:
    """The answer of a list operation: one page under `member`, and NextToken when there is more."""
    chosen, token = page(items, request.get("NextToken"), request.get("MaxResults"), default=DEFAULT_RESULTS)
    return {member: chosen} | ({"NextToken": token} if token else {})


def keep(record: Record, *members: str) -> Record:
    """The members of `record` that have a value: AWS leaves out what is not set."""
    return {member: record[member] for member in members if record.get(member) is not None}
