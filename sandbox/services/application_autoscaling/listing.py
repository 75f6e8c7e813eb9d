"""What the Describe operations have in common: filters by member, and pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.engine.operations import Call
from sandbox.engine.pagination import page

PAGE = 50


def listed(
    call: Call,
    kind: str,
    namespace: str,
    wanted: Mapping[str, Collection[str | None] | None],
    token: str | None,
    limit: int | None,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A page of the records of a namespace, and the NextToken member if there are more.

    `wanted`: by member, the values that pass; None or nothing among them lets all pass.
    """
    filters = {member: set(values) - {None} for member, values in wanted.items() if values}
    found = [
        record
        for record in call.records(kind).list(f"{namespace}|")
        if all(not values or record[member] in values for member, values in filters.items())
    ]
    items, following = page(found, token, limit, error="InvalidNextTokenException", default=PAGE)
    return items, {"NextToken": following} if following else {}
