"""Strings that a model's pattern matches."""

from __future__ import annotations

import functools
import random
import re._constants as code
import re._parser as parser
import string
from typing import Any

from sandbox.gateway.validation import pattern_of

WORDS = string.ascii_letters + string.digits
CLASSES = (
    (r"\p{L}", "a-zA-Z"),
    (r"\p{Z}", " "),
    (r"\p{N}", "0-9"),
    (r"\p{P}", "!,."),
    (r"\p{S}", "+="),
    (r"\p{M}", ""),
)
"""Unicode's categories, which Python's `re` does not know, by members of theirs."""
REPEATS = (1, 2, 4, 8, 24)


@functools.lru_cache(4096)
def samples(pattern: str, low: int, high: int) -> tuple[str, ...]:
    """Some strings of the pattern and length; none where none was found."""
    for name, members in CLASSES:
        pattern_read = pattern = pattern.replace(name, members) if "\\p" in pattern else pattern
    try:
        tree = parser.parse(pattern)
    except (parser.error, OverflowError):
        return ()
    asked = pattern_of(pattern)
    chance = random.Random(pattern_read)
    found: dict[str, None] = {}
    for attempt in range(60):
        try:
            text = _text(tree, chance, REPEATS[attempt % len(REPEATS)])
        except NotImplementedError:
            return ()
        if low <= len(text) <= high and asked.fullmatch(text):
            found[text] = None
        if len(found) == 8:
            break
    return tuple(found)


def _text(tree: Any, chance: random.Random, most: int) -> str:
    return "".join(_part(kind, value, chance, most) for kind, value in tree)


def _part(kind: Any, value: Any, chance: random.Random, most: int) -> str:
    if kind is code.LITERAL:
        return chr(value)
    if kind in (code.ANY, code.NOT_LITERAL, code.CATEGORY):
        return chance.choice(WORDS)
    if kind is code.IN:
        return _one_of(value, chance)
    if kind in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
        low, high, tree = value
        count = chance.randint(low, max(low, min(int(high), low + most)))
        return "".join(_text(tree, chance, most) for _ in range(count))
    if kind is code.SUBPATTERN:
        return _text(value[3], chance, most)
    if kind is code.BRANCH:
        return _text(chance.choice(value[1]), chance, most)
    if kind in (code.AT, code.ASSERT, code.ASSERT_NOT):
        return ""
    raise NotImplementedError(str(kind))


def _one_of(members: Any, chance: random.Random) -> str:
    if members[0][0] is code.NEGATE:
        return chance.choice(WORDS)
    kind, value = chance.choice(members)
    if kind is code.RANGE:
        low, high = value
        return chr(chance.randint(low, min(high, max(low, 0x7E))))
    if kind is code.LITERAL:
        return chr(value)
    return chance.choice("0123456789" if value is code.CATEGORY_DIGIT else WORDS)
