"""What a state's expressions see: its input, its result, the context object and the variables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.services.stepfunctions.language import intrinsics, jsonata, jsonpath
from sandbox.services.stepfunctions.language.errors import (
    DATA_LIMIT,
    INTRINSIC,
    LIMIT,
    QUERY,
    RUNTIME,
    StateError,
    runtime,
)

MISSING: Any = object()


def dumps(value: Any) -> str:
    """JSON as the service writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Scope:
    """`value`: what `$` stands for. `result` and `error_output`: members of `$states` in JSONata."""

    value: Any
    context: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    result: Any = MISSING
    error_output: Any = MISSING

    def on(self, value: Any) -> Scope:
        return replace(self, value=value)

    def path(self, text: str, field_name: str = "") -> Any:
        """The value at `$…`, `$$…` or `$variable…`; StateError States.Runtime where there is none."""
        root, path = self._root(text)
        try:
            return jsonpath.compile_path(path).find(root)
        except jsonpath.NotFound:
            named = f" specified for the field '{field_name}'" if field_name else ""
            raise runtime(
                f"The JSONPath '{text}'{named} could not be found in the input '{dumps(root)}'"
            ) from None
        except jsonpath.PathSyntaxError as error:
            raise runtime(f"Invalid path '{text}' : {error}") from error

    def _root(self, text: str) -> tuple[Any, str]:
        if text.startswith("$$"):
            return self.context, text[1:]
        name = variable_of(text)
        if name is None:
            return self.value, text
        if name not in self.variables:
            raise runtime(f"The variable '${name}' could not be found in the scope of the state")
        return self.variables[name], "$" + text[len(name) + 1 :]

    def expression(self, text: str, field_name: str = "") -> Any:
        """A path or an intrinsic function, the value of a field whose name ends in `.$`."""
        if not intrinsics.is_call(text):
            return self.path(text, field_name)
        try:
            function = intrinsics.compile_call(text)
        except jsonpath.PathSyntaxError as error:
            raise StateError(INTRINSIC, str(error), located=True) from error
        return intrinsics.evaluate(function, lambda path: self.path(path, field_name))

    def template(self, body: Any) -> Any:
        """A payload template filled: members that end in `.$` hold expressions."""
        if isinstance(body, list):
            return [self.template(item) for item in body]
        if not isinstance(body, dict):
            return body
        return {
            name[:-2] if _dynamic(name) else name: self.expression(item, name)
            if _dynamic(name)
            else self.template(item)
            for name, item in body.items()
        }

    def jsonata(self, body: Any, field_name: str) -> Any:
        """Every `{% … %}` of a field evaluated. StateError States.QueryEvaluationError where one fails."""
        if isinstance(body, dict):
            return {name: self.jsonata(item, f"{field_name}/{name}") for name, item in body.items()}
        if isinstance(body, list):
            return [self.jsonata(item, f"{field_name}[{index}]") for index, item in enumerate(body)]
        if not jsonata.is_expression(body):
            return body
        try:
            return jsonata.evaluate(jsonata.text_of(body), self.states(), self.variables)
        except jsonata.Undefined:
            raise StateError(
                QUERY,
                f"The JSONata expression '{jsonata.text_of(body)}' specified for the field '{field_name}' "
                "returned nothing (undefined).",
                located=True,
            ) from None
        except jsonata.Failed as error:
            raise StateError(
                QUERY,
                f"The JSONata expression '{jsonata.text_of(body)}' specified for the field '{field_name}' "
                f"threw an error during evaluation. {error}",
                located=True,
            ) from error

    def states(self) -> dict[str, Any]:
        """The reserved variable `$states`."""
        found = {"input": self.value, "context": self.context}
        if self.result is not MISSING:
            found["result"] = self.result
        if self.error_output is not MISSING:
            found["errorOutput"] = self.error_output
        return found


def variable_of(text: str) -> str | None:
    """The name of the variable that a path begins with: `order` of `$order.id`."""
    match = intrinsics.VARIABLE.match(text)
    return match[0][1:] if match else None


def _dynamic(name: str) -> bool:
    return name.endswith(".$")


def limited(value: Any, state: str, what: str = "state") -> Any:
    """The value, unless it is larger than a payload may be."""
    if len(dumps(value).encode()) > LIMIT:
        raise StateError(
            DATA_LIMIT,
            f"The {what} '{state}' returned a result with a size exceeding the maximum number of bytes "
            "service limit.",
        )
    return value


__all__ = ["MISSING", "RUNTIME", "Scope", "dumps", "limited", "variable_of"]
