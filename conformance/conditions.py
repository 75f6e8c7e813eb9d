"""Condition elements: every operator in every form, on keys of its kind, near and far from the request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from conformance import vocabulary as words
from conformance.vocabulary import ARN, BINARY, BOOL, DATE, EPOCH, IP, NUMBER, TEXT

ORDERS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS: dict[str, tuple[str, ...]] = {
    **{f"String{name}": (TEXT,) for name in ("Equals", "NotEquals", "Like", "NotLike")},
    **{f"String{name}IgnoreCase": (TEXT,) for name in ("Equals", "NotEquals")},
    **{f"Numeric{name}": (NUMBER,) for name in ORDERS},
    **{f"Date{name}": (DATE, EPOCH) for name in ORDERS},
    "Bool": (BOOL,),
    "BinaryEquals": (BINARY,),
    **dict.fromkeys(("IpAddress", "NotIpAddress"), (IP,)),
    **{f"Arn{name}": (ARN,) for name in ("Equals", "NotEquals", "Like", "NotLike")},
}
"""Operators (without Null), with the kinds of value that they compare."""

QUALIFIERS = ("", "ForAnyValue:", "ForAllValues:")
FORMS = tuple(
    f"{qualifier}{operator}{suffix}"
    for operator in OPERATORS
    for qualifier in QUALIFIERS
    for suffix in ("", "IfExists")
) + ("Null",)
"""Every operator as it may be written."""

DRAWN = (*FORMS, *["Null"] * 5)
"""The forms as often as they are drawn: Null has one form where the others have six."""


@dataclass(frozen=True)
class Wanted:
    """One line of a Condition element, and the key's value in the request (None: the key is missing)."""

    operator: str
    key: str
    values: str | bool | list[str]
    have: str | list[str] | None


def base_of(operator: str) -> str:
    """`ForAnyValue:StringLikeIfExists` → `StringLike`."""
    return operator.rpartition(":")[2].removesuffix("IfExists")


def make(random: Random, form: str) -> Wanted:
    """A condition in one form."""
    if form == "Null":
        key = random.choice([key for keys in words.KEYS.values() for key in keys])
        truth: str | bool = (
            random.choice(("true", "false", "TRUE")) if random.random() < 0.6 else random.random() < 0.5
        )
        return Wanted(form, _cased(random, key), truth, random.choice(("alpha", None)))
    kind = random.choice(OPERATORS[base_of(form)])
    several = ":" in form and kind in words.MANY and random.random() < 0.7
    key = random.choice((words.MANY if several else words.KEYS)[kind])
    have: str | list[str] | None = _value(random, kind)
    if several:
        have = [_value(random, kind) for _ in range(random.choice((1, 2, 2, 3)))]
    near = have[0] if isinstance(have, list) else have
    assert isinstance(near, str)
    values = [_wanted(random, kind, base_of(form), near) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    if isinstance(have, list) and len(have) > 1 and random.random() < 0.6:
        values += [_wanted(random, kind, base_of(form), item) for item in have[1:]]
    if random.random() < 0.15:
        have = None
    return Wanted(
        form,
        _cased(random, key),
        values[0] if len(values) == 1 and random.random() < 0.5 else values,
        have,
    )


def _value(random: Random, kind: str) -> str:
    return random.choice(words.VALUES[kind])


def _wanted(random: Random, kind: str, operator: str, near: str) -> str:
    """A policy's value: half the time one that is about the request's."""
    makers: dict[str, Callable[[Random, str, str], str]] = {TEXT: _text, IP: _network, ARN: _arn}
    if kind in makers:
        return makers[kind](random, operator, near)
    return near if random.random() < 0.4 else _value(random, kind)


def _text(random: Random, operator: str, near: str) -> str:
    choice = random.random()
    if choice < 0.25:
        return near
    if choice < 0.4:
        return near.swapcase()
    if choice < 0.6 and near:
        return _holed(random, near)
    if choice < 0.75:
        return (
            random.choice(("", "x-", "a")) + random.choice(words.VARIABLES) + random.choice(("", "*", "-y"))
        )
    return _value(random, TEXT)


def _network(random: Random, operator: str, near: str) -> str:
    return near if random.random() < 0.2 else random.choice(words.NETWORKS)


def _arn(random: Random, operator: str, near: str) -> str:
    choice = random.random()
    if choice < 0.2 or ":" not in near:
        return near if choice < 0.5 else _value(random, ARN)
    pieces = near.split(":", 5)
    if choice < 0.5:
        at = random.randrange(1, 6)
        pieces[at] = "*" if random.random() < 0.6 or not pieces[at] else _holed(random, pieces[at])
        return ":".join(pieces)
    if choice < 0.6:
        return ":".join(pieces[:5]) + ":" + random.choice(words.VARIABLES) + random.choice(("", "*"))
    if choice < 0.7:
        return "arn:aws:*" + near[-4:]
    return _value(random, ARN)


def _holed(random: Random, text: str) -> str:
    """The text with a `*` or `?` in place of some of it."""
    start = random.randrange(len(text))
    if random.random() < 0.5:
        return text[:start] + "?" + text[start + 1 :]
    return text[:start] + "*" + text[random.randrange(start, len(text) + 1) :]


def _cased(random: Random, name: str) -> str:
    """Names of condition keys mean the same in any case."""
    return random.choice((name, name, name.lower(), name.upper()))
