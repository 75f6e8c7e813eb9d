"""Wildcards and policy variables, compiled once per pattern.

Sources: "IAM JSON policy elements: Resource", "… Action" and "IAM policy elements: Variables and tags" in the
IAM User Guide.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

Lookup = Callable[[str], "str | None"]
"""The single value of a condition key in the request, or None."""

Part = tuple[str, str, "str | None"]
"""("text", t, None), ("literal", "*", None) for `${*}`, ("variable", key, default)."""

_VARIABLE = re.compile(r"\$\{\s*([^}\s,]+)\s*(?:,\s*'([^']*)'\s*)?\}")
_ESCAPES = {"*", "?", "$"}
_CACHE = 4096


@functools.lru_cache(_CACHE)
def parts(pattern: str) -> tuple[Part, ...]:
    """Splits a pattern at its variables."""
    found: list[Part] = []
    at = 0
    for match in _VARIABLE.finditer(pattern):
        if match.start() > at:
            found.append(("text", pattern[at : match.start()], None))
        if match[1] in _ESCAPES:
            found.append(("literal", match[1], None))
        else:
            found.append(("variable", match[1].lower(), match[2]))
        at = match.end()
    if at < len(pattern):
        found.append(("text", pattern[at:], None))
    return tuple(found)


def has_variable(pattern: str) -> bool:
    return "${" in pattern and any(kind != "text" for kind, _, _ in parts(pattern))


def substitute(pattern: str, lookup: Lookup) -> str | None:
    """The pattern as plain text, variables filled in; None when one has neither value nor default."""
    out = []
    for kind, text, default in parts(pattern):
        if kind == "variable":
            value = lookup(text)
            if value is None:
                value = default
            if value is None:
                return None
            out.append(value)
        else:
            out.append(text)
    return "".join(out)


@functools.lru_cache(_CACHE)
def glob(pattern: str, ignore_case: bool = False) -> Callable[[str], re.Match[str] | None]:
    """Matches a whole string: `*` is any run of characters, `?` any one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0)).fullmatch


def glob_with_variables(pattern: str, lookup: Lookup) -> Callable[[str], re.Match[str] | None] | None:
    """Like `glob`; what a variable stands for is taken literally. None when a variable has no value."""
    filled: list[tuple[str, str]] = []
    for kind, text, default in parts(pattern):
        if kind == "variable":
            value = lookup(text)
            value = default if value is None else value
            if value is None:
                return None
            filled.append(("literal", value))
        else:
            filled.append((kind, text))
    return _glob_of_parts(tuple(filled))


@functools.lru_cache(_CACHE)
def _glob_of_parts(filled: tuple[tuple[str, str], ...]) -> Callable[[str], re.Match[str] | None]:
    expression = "".join(
        re.escape(text) if kind == "literal" else re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
        for kind, text in filled
    )
    return re.compile(expression, re.DOTALL).fullmatch


def resource_matcher(pattern: str, lookup: Lookup | None) -> Callable[[str], re.Match[str] | None] | None:
    """Matches a resource ARN against an element of Resource.

    Wildcards stay within one of the first five segments, but a `*` that ends a segment may reach beyond its
    colon; variables stand only in the sixth (`lookup` None: Version 2008-10-17, which knows no variables).
    None when a variable has no value.
    """
    if pattern == "*":
        return _anything
    head, tail = _segments(pattern)
    if lookup is None or not has_variable(tail):
        return _arn_glob(head, ((("text", tail)),))
    filled: list[tuple[str, str]] = []
    for kind, text, default in parts(tail):
        if kind == "variable":
            value = lookup(text)
            value = default if value is None else value
            if value is None:
                return None
            filled.append(("literal", value))
        else:
            filled.append((kind, text))
    return _arn_glob(head, tuple(filled))


_ANYTHING = re.compile("", re.DOTALL)


def _anything(value: str) -> re.Match[str] | None:
    return _ANYTHING.match(value)


@functools.lru_cache(_CACHE)
def _segments(pattern: str) -> tuple[str, str]:
    pieces = pattern.split(":", 5)
    if len(pieces) < 6:
        return pattern, ""
    return ":".join(pieces[:5]) + ":", pieces[5]


@functools.lru_cache(_CACHE)
def _arn_glob(head: str, tail: tuple[tuple[str, str], ...]) -> Callable[[str], re.Match[str] | None]:
    expression = []
    for index, char in enumerate(head):
        if char == "*":
            ends_segment = index + 1 == len(head) or head[index + 1] == ":"
            expression.append(".*" if ends_segment else "[^:]*")
        elif char == "?":
            expression.append("[^:]")
        else:
            expression.append(re.escape(char))
    for kind, text in tail:
        escaped = re.escape(text)
        expression.append(escaped if kind == "literal" else escaped.replace(r"\*", ".*").replace(r"\?", "."))
    return re.compile("".join(expression), re.DOTALL).fullmatch


def arn_condition(pattern: str) -> Callable[[str], bool]:
    """ArnLike and ArnEquals: each of the six components is compared on its own."""
    if pattern == "*":
        return _true
    return _components(tuple((("text", piece, None),) for piece in pattern.split(":", 5)))


def arn_with_variables(pattern: str, lookup: Lookup) -> Callable[[str], bool] | None:
    """Like `arn_condition`; what a variable stands for is taken literally. None when one has no value."""
    components: list[list[Part]] = [[]]
    for kind, text, default in parts(pattern):
        if kind == "text":
            first, *others = text.split(":", 6 - len(components))
            components[-1].append(("text", first, None))
            components += [[("text", other, None)] for other in others]
            continue
        if kind == "variable":
            value = lookup(text)
            value = default if value is None else value
            if value is None:
                return None
            text = value
        components[-1].append(("literal", text, None))
    return _components(tuple(tuple(component) for component in components))


def _true(value: str) -> bool:
    return True


@functools.lru_cache(_CACHE)
def _components(wanted: tuple[tuple[Part, ...], ...]) -> Callable[[str], bool]:
    matchers = [_glob_of_parts(tuple((kind, text) for kind, text, _ in component)) for component in wanted]

    def matches(value: str) -> bool:
        given = value.split(":", 5)
        return len(given) == len(matchers) == 6 and all(
            want(have) for want, have in zip(matchers, given, strict=True)
        )

    return matches
