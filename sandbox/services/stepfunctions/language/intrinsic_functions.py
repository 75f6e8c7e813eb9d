"""What each intrinsic function does with its arguments.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.services.stepfunctions.language.errors import INTRINSIC, StateError
from sandbox.services.stepfunctions.language.jsonpath import same

_PLAIN_LIMIT = 10_000
_ARRAY_LIMIT = 1000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def _plain(text: str) -> str:
    return re.sub(r"\\([{}\\])", r"\1", text)


def failure(cause: str) -> StateError:
    return StateError(INTRINSIC, cause, located=True)


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _format(template: Any, *values: Any) -> str:
    if not isinstance(template, str):
        raise failure("Invalid arguments in States.Format: the first one must be a string")
    left = list(values)
    pieces: list[str] = []
    for match in re.finditer(r"\\(.)|(\{\})|(.)", template, re.DOTALL):
        if match[2]:
            if not left:
                raise failure("Invalid arguments in States.Format: the number of arguments does not match")
            pieces.append(_text_of(left.pop(0)))
        else:
            pieces.append(match[1] or match[3])
    if left:
        raise failure("Invalid arguments in States.Format: the number of arguments does not match")
    return "".join(pieces)


def _string_to_json(text: Any) -> Any:
    if not isinstance(text, str):
        raise failure("Invalid arguments in States.StringToJson")
    try:
        return json.loads(text) if text.strip() else None
    except ValueError as error:
        raise failure(f"Invalid arguments in States.StringToJson: {error}") from error


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise failure(f"Invalid arguments in {name}: the first one must be an array")
    return value


def _integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise failure(f"Invalid arguments in {name}: a number is wanted")
    return round(value)


def _partition(values: Any, size: Any) -> list[list[Any]]:
    items, count = _list("States.ArrayPartition", values), _integer("States.ArrayPartition", size)
    if count < 1:
        raise failure("Invalid arguments in States.ArrayPartition: the chunk size must be positive")
    return [items[start : start + count] for start in range(0, len(items), count)]


def _range(first: Any, last: Any, step: Any) -> list[int]:
    low, high, by = (_integer("States.ArrayRange", value) for value in (first, last, step))
    if by == 0:
        raise failure("Invalid arguments in States.ArrayRange: the increment must not be 0")
    values = range(low, high + (1 if by > 0 else -1), by)
    if len(values) > _ARRAY_LIMIT:
        raise failure("Invalid arguments in States.ArrayRange: the array has more than 1000 elements")
    return list(values)


def _get_item(values: Any, index: Any) -> Any:
    items, at = _list("States.ArrayGetItem", values), _integer("States.ArrayGetItem", index)
    if not 0 <= at < len(items):
        raise failure("Invalid arguments in States.ArrayGetItem: the index is out of bounds")
    return items[at]


def _unique(values: Any) -> list[Any]:
    seen: list[Any] = []
    for item in _list("States.ArrayUnique", values):
        if not any(same(item, other) for other in seen):
            seen.append(item)
    return seen


def _encode(text: Any) -> str:
    if not isinstance(text, str) or len(text) > _PLAIN_LIMIT:
        raise failure("Invalid arguments in States.Base64Encode")
    return base64.b64encode(_plain(text).encode()).decode()


def _decode(text: Any) -> str:
    if not isinstance(text, str) or len(text) > _PLAIN_LIMIT:
        raise failure("Invalid arguments in States.Base64Decode")
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise failure(f"Invalid arguments in States.Base64Decode: {error}") from error


def hash_of(data: Any, algorithm: Any) -> str:
    """The hex digest of a text, or of a value's JSON. KeyError for an unknown algorithm."""
    name = _HASHES[algorithm]
    return hashlib.new(name, _text_of(data).encode(), usedforsecurity=False).hexdigest()


def _hash(data: Any, algorithm: Any) -> str:
    if algorithm not in _HASHES or len(_text_of(data)) > _PLAIN_LIMIT:
        raise failure("Invalid arguments in States.Hash")
    return hash_of(_plain(data) if isinstance(data, str) else data, algorithm)


def _merge(left: Any, right: Any, deep: Any) -> dict[str, Any]:
    if not isinstance(left, dict) or not isinstance(right, dict) or deep is not False:
        raise failure("Invalid arguments in States.JsonMerge: two objects and false are wanted")
    return {**left, **right}


def _random(first: Any, last: Any, seed: Any = None) -> int:
    low, high = _integer("States.MathRandom", first), _integer("States.MathRandom", last)
    if high <= low:
        raise failure("Invalid arguments in States.MathRandom: the end must be above the start")
    source = random.Random(seed) if seed is not None else random.Random()
    return source.randrange(low, high)


def _add(left: Any, right: Any) -> int:
    return _integer("States.MathAdd", left) + _integer("States.MathAdd", right)


def _split(text: Any, splitter: Any) -> list[str]:
    if not isinstance(text, str) or not isinstance(splitter, str):
        raise failure("Invalid arguments in States.StringSplit: two strings are wanted")
    if not splitter:
        return [text]
    return [piece for piece in re.split(f"[{re.escape(splitter)}]", text) if piece]


def _contains(values: Any, wanted: Any) -> bool:
    return any(same(item, wanted) for item in _list("States.ArrayContains", values))


FUNCTIONS: dict[str, tuple[int, int | None, Callable[..., Any]]] = {
    "States.Format": (1, None, _format),
    "States.StringToJson": (1, 1, _string_to_json),
    "States.JsonToString": (1, 1, lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)),
    "States.Array": (0, None, lambda *values: [_plain(v) if isinstance(v, str) else v for v in values]),
    "States.ArrayPartition": (2, 2, _partition),
    "States.ArrayContains": (2, 2, _contains),
    "States.ArrayRange": (3, 3, _range),
    "States.ArrayGetItem": (2, 2, _get_item),
    "States.ArrayLength": (1, 1, lambda values: len(_list("States.ArrayLength", values))),
    "States.ArrayUnique": (1, 1, _unique),
    "States.Base64Encode": (1, 1, _encode),
    "States.Base64Decode": (1, 1, _decode),
    "States.Hash": (2, 2, _hash),
    "States.JsonMerge": (3, 3, _merge),
    "States.MathRandom": (2, 3, _random),
    "States.MathAdd": (2, 2, _add),
    "States.StringSplit": (2, 2, _split),
    "States.UUID": (0, 0, lambda: str(uuid.uuid4())),
}
"""Name → fewest and most arguments (None: any number), and what it does."""
