"""Map states that run their items inside the execution.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
"""

from __future__ import annotations

from typing import Any

from sandbox.services.stepfunctions.definition.machine import State, distributed, processor_name
from sandbox.services.stepfunctions.execution import children, dataflow
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.language.errors import QUERY, StateError, runtime
from sandbox.services.stepfunctions.language.scope import dumps

AT_ONCE = 40
"""Iterations that AWS runs at once where nothing else is said."""


def begin(run: Run, branch: Branch) -> bool:
    state = run.state(branch)
    if distributed(state):
        from sandbox.services.stepfunctions.execution import distributed_map

        return distributed_map.begin(run, branch)
    items = items_of(run, branch, state)
    limit = at_once(run, branch, state)
    with run.writing(branch):
        branch["attempt"] = branch["last"]
        run.event(branch, "MapStateStarted", "mapStateStartedEventDetails", length=len(items))
        branch |= {"phase": "children", "items": items, "started": 0, "limit": limit}
    return True


def items_of(run: Run, branch: Branch, state: State) -> list[Any]:
    """The array that the state goes through."""
    scope = run.scope(branch)
    if dataflow.in_jsonata(run, state):
        items = scope.jsonata(state["Items"], "Items") if "Items" in state else scope.value
        if isinstance(items, dict) and distributed(state):
            return [{"Key": name, "Value": item} for name, item in items.items()]
        if not isinstance(items, list):
            raise StateError(
                QUERY,
                f"The JSONata expression '{state.get('Items', '$states.input')}' specified for the field "
                "'Items' returned an unexpected result type. Expected 'array', but was another for value: "
                f"{dumps(items)}",
                located=True,
            )
        return items
    chosen = scope.on(dataflow.filtered(state, scope))
    items = chosen.path(state.get("ItemsPath", "$"), "ItemsPath")
    if isinstance(items, dict) and distributed(state):
        return [{"Key": name, "Value": item} for name, item in items.items()]
    if not isinstance(items, list):
        path = state.get("ItemsPath", "$")
        raise runtime(f'Reference path "{path}" must point to array.' if path != "$" else _no_array(items))
    return items


def _no_array(value: Any) -> str:
    return f"Map state input must be an array but was: {type(value).__name__}"


def at_once(run: Run, branch: Branch, state: State) -> int:
    """MaxConcurrency; 0 where nothing limits it."""
    value = number(run, branch, state, "MaxConcurrency", 0)
    return int(value)


def number(run: Run, branch: Branch, fields: State, name: str, default: float) -> float:
    """A number that may be given as it is, by a path, or by an expression."""
    state = run.state(branch)
    scope = run.scope(branch)
    if dataflow.in_jsonata(run, state):
        value = scope.jsonata(fields.get(name, default), name)
    elif f"{name}Path" in fields:
        value = scope.on(dataflow.filtered(state, scope)).path(fields[f"{name}Path"], f"{name}Path")
    else:
        value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise runtime(f"The field '{name}' must be a number that is not negative: {dumps(value)}")
    return value


def item_input(run: Run, branch: Branch, state: State, index: int, item: Any) -> Any:
    """What an iteration gets: the item, or what ItemSelector (once Parameters) makes of it."""
    scope = run.scope(branch)
    context = scope.context | {"Map": {"Item": map_item(index, item)}}
    selector = state.get("ItemSelector", state.get("Parameters"))
    if selector is None:
        return item
    if dataflow.in_jsonata(run, state):
        return type(scope)(scope.value, context, scope.variables).jsonata(selector, "ItemSelector")
    chosen = dataflow.filtered(state, scope)
    return type(scope)(chosen, context, scope.variables).template(selector)


def map_item(index: int, item: Any) -> dict[str, Any]:
    if isinstance(item, dict) and item.keys() == {"Key", "Value"}:
        return {"Index": index, "Key": item["Key"], "Value": item["Value"]}
    return {"Index": index, "Value": item}


def look(run: Run, branch: Branch) -> bool:
    """Starts iterations as room comes free; fails with the first that fails."""
    state = run.state(branch)
    if distributed(state):
        from sandbox.services.stepfunctions.execution import distributed_map

        return distributed_map.look(run, branch)
    tally = children.tally(run, branch)
    if tally["FAILED"]:
        raise children.fail(run, branch, "MapStateFailed")
    items: list[Any] = branch["items"]
    if tally["SUCCEEDED"] == len(items):
        with run.writing(branch):
            branch["outputs"] = children.gather(run, branch)
            run.event(branch, "MapStateSucceeded")
            branch["phase"] = "joined"
            branch.pop("items")
        return True
    room = min(branch["limit"] or AT_ONCE, AT_ONCE) - (branch["started"] - tally["SUCCEEDED"])
    chosen = range(branch["started"], min(len(items), branch["started"] + room))
    inputs = [item_input(run, branch, state, index, items[index]) for index in chosen]
    if inputs:
        place = [*branch["scope"], "States", branch["state"], processor_name(state)]
        with run.writing(branch):
            for index, value in zip(chosen, inputs, strict=True):
                extra = {
                    "item": map_item(index, items[index]),
                    "iteration": {"name": branch["state"], "index": index},
                }
                children.start(run, branch, index, place, value, extra)
            branch["started"] = chosen[-1] + 1
    return False
