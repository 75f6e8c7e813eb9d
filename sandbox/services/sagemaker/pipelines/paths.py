"""Paths into documents: `ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri`, `metrics.rmse[0].value`.

One grammar serves property references (`Get: Steps.Name.<path>`) and the Path of `Std:JsonGet`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\.?(?P<member>[^.\[\]'\"]+)|\[(?P<index>\d+)\]|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]"
)

NAMED_BY = {
    "Outputs": "OutputName",
    "ProcessingInputs": "InputName",
    "InputDataConfig": "ChannelName",
    "FinalMetricDataList": "MetricName",
    "MetricDefinitions": "Name",
    "InstanceGroups": "InstanceGroupName",
}
"""The member by which elements of a list are looked up: `Outputs['train']`."""


class PathError(ValueError):
    """A path that cannot be read, or that leads nowhere in a document."""


@dataclass(frozen=True)
class Key:
    """A lookup by name: `['train']`."""

    name: str

    def __str__(self) -> str:
        return f"['{self.name}']"


Token = str | int | Key
Path = tuple[Token, ...]


def parse_path(text: str) -> Path:
    """The tokens of a path; a leading `$` (JSONPath's root) is allowed. PathError where it cannot be read."""
    position = 1 if text.startswith("$") else 0
    tokens: list[Token] = []
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or (match["member"] and tokens and text[position] != "."):
            raise PathError(f"'{text}' cannot be read at character {position + 1}")
        if match["member"]:
            tokens.append(match["member"])
        elif match["index"]:
            tokens.append(int(match["index"]))
        else:
            tokens.append(Key(match["key"]))
        position = match.end()
    if not tokens:
        raise PathError(f"'{text}' is an empty path")
    return tuple(tokens)


def render_path(path: Path) -> str:
    """The text of a path, as `parse_path` reads it."""
    text = ""
    for token in path:
        if isinstance(token, int):
            text += f"[{token}]"
        elif isinstance(token, Key):
            text += str(token)
        else:
            text += f".{token}" if text else token
    return text


def look_up(document: Any, path: Path) -> Any:
    """The value at `path`. PathError names the part that is missing."""
    current, parent = document, ""
    for depth, token in enumerate(path):
        try:
            current = _descend(current, token, parent)
        except (KeyError, IndexError, TypeError, StopIteration):
            raise PathError(f"there is no '{render_path(path[: depth + 1])}'") from None
        parent = token if isinstance(token, str) else ""
    return current


def _descend(current: Any, token: Token, parent: str) -> Any:
    if isinstance(token, int):
        if not isinstance(current, list):
            raise TypeError(token)
        return current[token]
    name = token.name if isinstance(token, Key) else token
    if isinstance(current, list):
        member = NAMED_BY[parent]
        return next(element for element in current if element[member] == name)
    if not isinstance(current, dict):
        raise TypeError(token)
    return current[name]
