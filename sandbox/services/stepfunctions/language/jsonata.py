"""JSONata expressions, with the functions that Step Functions adds and without those it takes away.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

import functools
import json
import math
import random
import re
import threading
import uuid
from typing import Any

from sandbox.services.stepfunctions.language.intrinsic_functions import hash_of

_FORM = re.compile(r"\s*\{%(.*)%\}\s*", re.DOTALL)
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
SECONDS = 5.0
"""For which one expression may be evaluated."""
_DEPTH = 300
_RANGE = 1000


class Failed(Exception):
    """The expression raised an error; the message is JSONata's."""


class Undefined(Exception):
    """The expression has no value."""


class SyntaxProblem(ValueError):
    """The text is no JSONata."""


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and len(value) >= 4


def text_of(value: str) -> str:
    """The expression between `{%` and `%}`."""
    return value[2:-2].strip()


def check(text: str) -> None:
    """SyntaxProblem for what cannot be parsed."""
    _compiled(text)


def variables_in(text: str) -> set[str]:
    """Names after `$` in an expression, functions among them."""
    without_strings = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(_VARIABLE.findall(without_strings))


def evaluate(text: str, states: dict[str, Any], variables: dict[str, Any]) -> Any:
    """The value of an expression as JSON. Failed, or Undefined where there is none."""
    lock, expression = _compiled(text)
    with lock:
        frame = expression.create_frame(expression.environment)
        frame.set_runtime_bounds(int(SECONDS * 1000), _DEPTH)
        for name, value in variables.items():
            frame.bind(name, _given(value))
        frame.bind("states", _given(states))
        try:
            found = expression.evaluate(None, frame)
        except RecursionError as error:
            raise Failed("the expression recurses too deeply") from error
        except Exception as error:  # noqa: BLE001 - the library raises whatever its functions raise
            raise Failed(_message(error)) from error
    if found is None:
        raise Undefined
    return _plain(found)


@functools.lru_cache(512)
def _compiled(text: str) -> tuple[threading.Lock, Any]:
    import jsonata
    from jsonata.jexception import JException

    try:
        expression = jsonata.Jsonata(text)
    except JException as error:
        raise SyntaxProblem(_message(error)) from error
    except (IndexError, AttributeError, TypeError, ValueError) as error:
        raise SyntaxProblem(f"the expression cannot be read: {error}") from error
    expression.set_output_convert_nulls(False)
    for name, function in _FUNCTIONS.items():
        expression.register_lambda(name, function)
    return threading.Lock(), expression


def _message(error: Exception) -> str:
    code = getattr(error, "error", None)
    return f"{code}: {error}" if code else str(error) or type(error).__name__


def _given(value: Any) -> Any:
    """JSON's null becomes the library's, which tells it from what is not there."""
    from jsonata.utils import Utils

    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {name: _given(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_given(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """A result as JSON: the library's sequences and nulls made plain. Failed for a function."""
    from jsonata.utils import Utils

    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Failed("D1001: Number out of range")
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(item) for item in value]
    if hasattr(value, "__iter__"):
        return [_plain(item) for item in value]
    raise Failed("the expression returned an unsupported result type.")


def _partition(values: Any = None, size: Any = None) -> list[list[Any]]:
    items = list(values) if isinstance(values, list) or hasattr(values, "__iter__") else [values]
    if not isinstance(size, int | float) or round(size) < 1:
        raise ValueError("$partition: the chunk size must be a positive number")
    count = round(size)
    return [items[start : start + count] for start in range(0, len(items), count)]


def _range(first: Any = None, last: Any = None, step: Any = None) -> list[Any]:
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (first, last, step)):
        raise ValueError("$range: three numbers are wanted")
    if step == 0:
        raise ValueError("$range: the step must not be 0")
    count = math.floor((last - first) / step) + 1
    if count > _RANGE:
        raise ValueError("$range: more than 1000 elements")
    return [first + index * step for index in range(max(0, count))]


def _hash(data: Any = None, algorithm: Any = "SHA-256") -> str:
    try:
        return hash_of(_plain(data), algorithm)
    except KeyError:
        raise ValueError(f"$hash: unknown algorithm {algorithm}") from None


def _random(seed: Any = None) -> float:
    return random.Random(seed).random() if seed is not None else random.random()


def _parse(text: Any = None) -> Any:
    if text is None:
        return None
    try:
        return _given(json.loads(text))
    except (ValueError, TypeError) as error:
        raise ValueError(f"$parse: {error}") from error


def _eval(*_: Any) -> Any:
    raise ValueError("$eval is not supported: use $parse")


_FUNCTIONS = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": _parse,
    "eval": _eval,
}

ADDED = frozenset(_FUNCTIONS) | {"states"}


@functools.lru_cache(1024)
def top_level_names(text: str) -> tuple[str, ...]:
    """Names that an expression reads from the document it is evaluated on, which Step Functions has not."""
    _, expression = _compiled(text)
    found: list[str] = []
    _read_names(expression.ast, found)
    return tuple(dict.fromkeys(found))


def _read_names(node: Any, found: list[str]) -> None:
    """Only what is evaluated on the whole document: not the later steps of a path, nor what filters them."""
    if node is None:
        return
    kind = getattr(node, "type", None)
    if kind == "path":
        steps = node.steps or []
        if steps:
            _read_names(steps[0], found)
        return
    if kind == "name":
        found.append(str(node.value))
    elif kind == "variable" and node.value == "":
        found.append("$")
    elif kind == "variable" and node.value == "$":
        found.append("$$")
    if kind == "lambda":
        return  # its body may be applied to anything
    for name in ("lhs", "rhs", "condition", "then", "_else", "expression"):
        value = getattr(node, name, None)
        if name == "rhs" and kind in ("apply",):
            continue
        if hasattr(value, "type"):
            _read_names(value, found)
    for name in ("arguments", "expressions", "lhs_object"):
        value = getattr(node, name, None)
        for item in value if isinstance(value, list) else []:
            for each in item if isinstance(item, list | tuple) else (item,):
                _read_names(each, found)
