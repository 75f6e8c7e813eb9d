"""A definition as the interpreter walks it: scopes of states by their place in the document."""

from __future__ import annotations

import functools
import json
from typing import Any

State = dict[str, Any]
JSONPATH, JSONATA = "JSONPath", "JSONata"

WITHOUT_EXIT = ("Succeed", "Fail", "Choice")
"""Types of states that have neither Next nor End."""


class Machine:
    """`body` is the definition's JSON and is never changed."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.language: str = body.get("QueryLanguage", JSONPATH)
        self.timeout: float | None = body.get("TimeoutSeconds")

    def scope(self, path: list[Any]) -> dict[str, Any]:
        """The object that holds `StartAt` and `States`, by its place: `["States", "M", "ItemProcessor"]`."""
        found: Any = self.body
        for step in path:
            found = found[step]
        return dict(found)

    def state(self, path: list[Any], name: str) -> State:
        return dict(self.scope(path)["States"][name])

    def language_of(self, state: State) -> str:
        return str(state.get("QueryLanguage", self.language))


@functools.lru_cache(128)
def machine(text: str) -> Machine:
    """The machine of a definition that has been validated."""
    return Machine(json.loads(text))


def processor_name(state: State) -> str:
    """Where a Map state holds what it runs for each item; `Iterator` is the older name."""
    return "ItemProcessor" if "ItemProcessor" in state else "Iterator"


def distributed(state: State) -> bool:
    """Whether a Map state runs each item as an execution of its own."""
    config = state.get(processor_name(state), {}).get("ProcessorConfig", {})
    return state.get("Type") == "Map" and config.get("Mode") == "DISTRIBUTED"
