"""The smallest case that still shows what a case showed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from conformance.cases import Case


def shrink(case: Case, shows: Callable[[Case], bool]) -> Case:
    """Takes away whatever can be taken away while `shows` holds."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(case):
            if shows(candidate):
                case, smaller = candidate, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    for name in ("boundary", "session", "resource_policy"):
        if getattr(case, name) is not None:
            options: list[Any] = [None, *_cut(getattr(case, name))]
            yield from (replace(case, **{name: item}) for item in options)
    for at in range(len(case.identity)):
        yield replace(case, identity=case.identity[:at] + case.identity[at + 1 :])
        for item in _cut(case.identity[at]):
            yield replace(case, identity=(*case.identity[:at], item, *case.identity[at + 1 :]))
    for key in case.context:
        yield replace(case, context={name: value for name, value in case.context.items() if name != key})


def _cut(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The policy without a statement, a condition, or a value of a list; or with a simpler element."""
    body = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    for at, statement in enumerate(body):
        if len(body) > 1:
            yield {**policy, "Statement": body[:at] + body[at + 1 :]}
        for item in _simpler(statement):
            yield {**policy, "Statement": [*body[:at], item, *body[at + 1 :]]}


def _simpler(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("Sid", "Condition"):
        if name in statement:
            yield {key: value for key, value in statement.items() if key != name}
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        yield from ({**statement, name: values} for values in _fewer(statement.get(name)))
        if statement.get(name) not in (None, "*"):
            yield {**statement, name: "*"}
    for operator, pairs in statement.get("Condition", {}).items():
        for key, wanted in pairs.items():
            for values in (None, *_fewer(wanted)):
                condition = copy.deepcopy(statement["Condition"])
                if values is None:
                    del condition[operator][key]
                else:
                    condition[operator][key] = values
                yield {**statement, "Condition": {name: each for name, each in condition.items() if each}}


def _fewer(values: Any) -> Iterator[Any]:
    if isinstance(values, list) and len(values) > 1:
        for at in range(len(values)):
            yield values[:at] + values[at + 1 :]
    elif isinstance(values, list):
        yield values[0]
