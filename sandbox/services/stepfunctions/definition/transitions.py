"""Where states lead to: every target is there, every state is reached, some state ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.services.stepfunctions.definition.diagnostics import END, TARGET, Report


def check(body: dict[str, Any], report: Report) -> None:
    _check(body, "", report)


def _check(body: dict[str, Any], place: str, report: Report) -> None:
    states = body["States"]
    if body["StartAt"] not in states:
        report.add(TARGET, f"Missing 'Next' target: {body['StartAt']}", f"{place}/StartAt")
    for name, state in states.items():
        for target, where in targets(state, f"{place}/States/{name}"):
            if target not in states:
                report.add(TARGET, f"Missing 'Next' target: {target}", where)
    if not any(_ends(state) for state in states.values()):
        report.add(END, "Workflow has no terminal state")
    else:
        reached = _reached(body)
        for name in states:
            if name not in reached:
                report.add(TARGET, f'State "{name}" is not reachable.', f"{place}/States/{name}")
    for name, state in states.items():
        for container, where in inner(state, f"{place}/States/{name}"):
            _check(container, where, report)


def _ends(state: dict[str, Any]) -> bool:
    return state["Type"] in ("Succeed", "Fail") or state.get("End") is True


def targets(state: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """(target, where it is named) of every transition of a state."""
    if "Next" in state:
        yield state["Next"], f"{place}/Next"
    for index, rule in enumerate(state.get("Choices", [])):
        yield rule["Next"], f"{place}/Choices[{index}]/Next"
    if "Default" in state:
        yield state["Default"], f"{place}/Default"
    for index, catcher in enumerate(state.get("Catch", [])):
        yield catcher["Next"], f"{place}/Catch[{index}]/Next"


def inner(state: dict[str, Any], place: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The containers of states inside a state."""
    for index, branch in enumerate(state.get("Branches", [])):
        yield branch, f"{place}/Branches[{index}]"
    for name in ("ItemProcessor", "Iterator"):
        if name in state:
            yield state[name], f"{place}/{name}"


def _reached(body: dict[str, Any]) -> set[str]:
    states, reached, waiting = body["States"], set(), [body["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in states:
            continue
        reached.add(name)
        waiting += [target for target, _ in targets(states[name], "")]
    return reached
