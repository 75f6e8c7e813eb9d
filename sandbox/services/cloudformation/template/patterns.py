"""Regular expressions of templates and registry schemas, which are Java's and ECMAScript's."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# Java and ECMAScript write the characters beyond U+FFFF as a range of surrogate pairs.
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
_ASTRAL = r"\U00010000-\U0010FFFF"


@lru_cache(maxsize=2048)
def compiled(pattern: str) -> Any:
    """`pattern` compiled; raises ValueError for one that is not a regular expression.

    Unicode classes (`\\p{L}`) are beyond `re`: such patterns go to the `regex` package.
    """
    pattern = pattern.replace(_SURROGATES, _ASTRAL)
    try:
        return re.compile(pattern)
    except re.error:
        import regex

        try:
            return regex.compile(pattern)
        except regex.error as error:
            raise ValueError(f"invalid regular expression {pattern}: {error}") from None


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches, as Java's `String.matches` (AllowedPattern)."""
    return compiled(pattern).fullmatch(text) is not None


def contains(pattern: str, text: str) -> bool:
    """Whether `text` holds a match, as JSON schema's `pattern`."""
    return compiled(pattern).search(text) is not None
