"""Requests made from an operation's input shape: as the model allows, and with one thing broken."""

from __future__ import annotations

import copy
import random
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from tests.sandbox.fuzz.documents import DOCUMENTS
from tests.sandbox.fuzz.patterns import samples

KEPT = 12
"""Values of one member's name that are remembered."""


ALIKE = {
    "rolearn": "rolearn",
    "servicerole": "rolearn",
    "bucketname": "bucket",
    "uri": "s3uri",
    "stackname": "stackname",
    "name": "name",
    "key": "key",
}
"""Members whose values another member has."""


class Memory:
    """What requests and answers held so far: requests about what exists reach further than random ones."""

    def __init__(self) -> None:
        self._values: defaultdict[str, list[str]] = defaultdict(list)

    def learn(self, value: Any, chance: random.Random, name: str = "") -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                self.learn(
                    item, chance, key if key not in ("name", "arn", "id", "Name", "Arn", "Id") else name + key
                )
        elif isinstance(value, list):
            for item in value[:5]:
                self.learn(item, chance, name.removesuffix("s"))
        elif isinstance(value, str) and 0 < len(value) <= 2048:
            kept = self._values[name.lower()]
            if value in kept:
                return
            if len(kept) < KEPT:
                kept.append(value)
            else:
                kept[chance.randrange(KEPT)] = value

    def recall(self, name: str, chance: random.Random) -> str | None:
        kept = self._values.get(name.lower())
        for ending, other in ALIKE.items():
            if not kept and name.lower().endswith(ending):
                kept = self._values.get(other)
        return chance.choice(kept) if kept else None


class Requests:
    """`valid(shape)` and `broken(request, shape)`, both decided by `chance` alone."""

    def __init__(self, chance: random.Random, memory: Memory) -> None:
        self._chance, self._memory = chance, memory

    def valid(self, shape: Any) -> dict[str, Any]:
        return self._structure(shape, 0) if shape is not None else {}

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        if shape.is_document_type:
            return {"any": ["thing", 1, None]}
        # A length that is not the body's keeps both sides waiting.
        members = {name: member for name, member in shape.members.items() if name != "ContentLength"}
        if shape.is_tagged_union:
            chosen = [self._chance.choice(list(members))]
        else:
            often = (0.5, 0.3, 0.15, 0.0)[min(depth, 3)]
            required = set(shape.required_members)
            chosen = [name for name in members if name in required or self._chance.random() < often]
        return {name: self._value(members[name], name, depth + 1) for name in chosen}

    def _value(self, shape: Any, name: str, depth: int) -> Any:
        kind = shape.type_name
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 1 << 20)
        if kind == "structure":
            return self._structure(shape, depth) if depth < 12 else {}
        if kind == "list":
            count = self._chance.randint(low, max(low, min(high, low + 2))) if depth < 6 else low
            return [self._value(shape.member, name.removesuffix("s"), depth + 1) for _ in range(count)]
        if kind == "map":
            count = max(low, 1) if depth < 6 else low
            pairs = [
                (self._value(shape.key, "key", depth + 1), self._value(shape.value, name, depth + 1))
                for _ in range(count)
            ]
            return dict(pairs)
        if kind == "string":
            return self._string(shape, name, low, high)
        if kind in ("integer", "long"):
            return self._chance.choice(
                [low, min(high, low + 1), min(high, 10), self._chance.randint(low, high)]
            )
        if kind in ("float", "double"):
            return float(min(high, max(low, self._chance.choice([low, 0.5, 1.0, 100.0]))))
        if kind == "boolean":
            return self._chance.random() < 0.5
        if kind == "timestamp":
            return datetime.fromtimestamp(self._chance.randint(0, 2_000_000_000), UTC)
        return self._chance.choice([b"", b"x", b"a,b\n1,2\n", bytes(range(256))])

    def _string(self, shape: Any, name: str, low: int, high: int) -> str:
        if shape.enum:
            return self._chance.choice(shape.enum)
        if self._chance.random() < 0.6:
            known = self._memory.recall(name, self._chance)
            if known is not None:
                return known
        for suffix, texts in DOCUMENTS.items():
            if name.lower().endswith(suffix):
                return self._chance.choice(texts)
        pattern = shape.metadata.get("pattern")
        if pattern:
            found = samples(pattern, low, high)
            if found:
                return self._chance.choice(found)
        text = self._chance.choice(
            ["a", "name", "Name-1", "my name", "ünï 😀", "a/b/c", "x" * 200, "1", "0.5", "*"]
        )
        return text[:high].ljust(low, "a")

    def broken(self, request: dict[str, Any], shape: Any) -> dict[str, Any]:
        """The request with one of its members (anywhere in it) made wrong."""
        changed = copy.deepcopy(request)
        places = list(_places(changed, shape))
        if not places:
            return {"unknownMember": 1}
        holder, key, member = self._chance.choice(places)
        wrong = self._wrong(member)
        if wrong is _ABSENT:
            del holder[key]
        else:
            holder[key] = wrong
        return changed

    def _wrong(self, shape: Any) -> Any:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        choices: list[Any] = [_ABSENT, None, "", 0, -1, [], {}, "ünknown\n", "x" * 5000, 1 << 40, True]
        if shape.type_name in ("integer", "long", "float", "double"):
            choices = [_ABSENT, None, "NaN", -1, 1 << 70, -(1 << 70), 0, 1e308, "1"]
            choices += [low - 1] if low is not None else []
            choices += [high + 1] if high is not None else []
        elif shape.type_name == "string":
            choices += [
                "\x00",
                "\ud7ff",
                "../../etc/passwd",
                "arn:aws:x",
                "arn:aws:iam::123456789012:role/none",
                "{",
                "[]",
            ]
            choices += ["a" * (high + 1)] if high is not None and high < 300_000 else []
            choices += ["a" * (low - 1)] if low else []
            choices += ["%00", "<a>&amp;", "{{resolve:ssm:x}}", "${x}", "$.x", "null", "9" * 400]
        elif shape.type_name == "timestamp":
            choices = [_ABSENT, None, "yesterday", -(1 << 60), 1 << 60, {}, "2020-13-45T00:00:00Z"]
        return self._chance.choice(choices)


_ABSENT = object()


def _places(value: Any, shape: Any) -> Any:
    """(container, key, shape) of everything inside a request."""
    if shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        for name in value:
            yield value, name, shape.members[name]
            yield from _places(value[name], shape.members[name])
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield value, index, shape.member
            yield from _places(item, shape.member)
    elif shape.type_name == "map":
        for key, item in value.items():
            yield value, key, shape.value
            yield from _places(item, shape.value)
