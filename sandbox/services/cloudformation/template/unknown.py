"""A value that is known only once a resource exists."""

from __future__ import annotations

from typing import Any


class Unknown:
    """Stands for a value that some resources decide: `sources` names (logical id, attribute or None)."""

    def __init__(self, *sources: tuple[str, str | None]) -> None:
        self.sources = frozenset(sources)

    def __repr__(self) -> str:
        return f"Unknown({sorted(self.sources, key=str)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.sources == self.sources

    def __hash__(self) -> int:
        return hash(self.sources)


def unknowns(value: Any) -> set[tuple[str, str | None]]:
    """The sources of every Unknown inside `value`."""
    if isinstance(value, Unknown):
        return set(value.sources)
    if isinstance(value, dict):
        return set().union(*(unknowns(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(unknowns(item) for item in value))
    return set()


def joined(*values: Any) -> Unknown:
    """One Unknown for a value made from `values`, of which at least one is unknown."""
    return Unknown(*set().union(*(unknowns(value) for value in values)))
