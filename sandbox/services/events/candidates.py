"""The rules that an event may match, found without asking each: by a value that they all but always want.

Most patterns name a resource, and a bus may have hundreds of them that each name another one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.engine.events import Event
from sandbox.engine.store import Record, Records
from sandbox.services.events.rules import ENABLED

Path = tuple[str, ...]
Expected = tuple[str, Path, str | None]
"""Bus, path of a member and a text that the rule takes there; no path and no text: any event of the bus."""


def candidates(rules: Records, bus: str, event: Event) -> list[Record]:
    """Every rule of the bus that matches, and perhaps some that do not."""
    return rules.where(expected, (bus, (), None), *((bus, path, text) for path, text in _texts(event, ())))


def expected(rule: Record) -> list[Expected]:
    """One of which an event must hold for a rule that waits for events to match."""
    if rule["State"] not in ENABLED or not rule.get("EventPattern"):
        return []
    bus = rule["EventBusName"]
    alternatives = list(_alternatives(json.loads(rule["EventPattern"]), ()))
    if not alternatives:
        return [(bus, (), None)]
    path, texts = max(alternatives, key=_particular)
    return [(bus, path, text) for text in texts]


def _particular(alternative: tuple[Path, list[str]]) -> tuple[int, int]:
    """Few and long texts are names of resources rather than kinds and states: a guess on which only speed
    depends."""
    _, texts = alternative
    return -len(texts), min(len(text) for text in texts)


def _alternatives(pattern: dict[str, Any], path: Path) -> Iterator[tuple[Path, list[str]]]:
    """The members for which a pattern takes nothing but texts that it names."""
    for name, value in pattern.items():
        if name == "$or":
            continue
        if isinstance(value, dict):
            yield from _alternatives(value, (*path, name))
        elif value and all(isinstance(one, str) for one in value):
            yield (*path, name), value


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text of an event by its path; the elements of an array stand at the array's own."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
