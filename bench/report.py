"""The table at the end, or JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from typing import Any

from bench.measure import Failed, Measure, Result

DIGITS = {"s": 2, "ms": 2, "×": 2, "/s": 0, "MB": 0}


def as_json(results: Sequence[Result]) -> str:
    """All results with the machine they were measured on."""
    cpus, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    machine = {"cpus": cpus, "load": load, "python": platform.python_version()}
    return json.dumps({"machine": machine, "results": [result.as_json() for result in results]}, indent=1)


def table(results: Sequence[Result]) -> Any:
    """A rich table."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("measured")
    for title in ("median", "min", "max", "goal"):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("")
    shown.add_column("", style="dim", overflow="fold")
    for result in results:
        shown.add_row(*_row(result))
    return shown


def _row(result: Result) -> tuple[str, ...]:
    if isinstance(result, Failed):
        return result.name, "", "", "", "", "[red]failed[/red]", result.cause
    mark = {True: "[green]met[/green]", False: "[yellow]missed[/yellow]", None: ""}[result.met]
    return (
        result.name,
        _number(result.median, result.unit),
        *(_number(end(result.samples), result.unit) if len(result.samples) > 1 else "" for end in (min, max)),
        _goal(result),
        mark,
        result.note,
    )


def _goal(measure: Measure) -> str:
    if measure.goal is None:
        return ""
    return f"{'≥' if measure.more else '≤'} {measure.goal:g} {measure.unit}"


def _number(value: float, unit: str) -> str:
    return f"{value:.{DIGITS[unit]}f} {unit}"
