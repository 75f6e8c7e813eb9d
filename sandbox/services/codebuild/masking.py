"""A build's log without its secrets: values of the Parameter Store and ids of access keys are `***` wherever
they appear, in commands too.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/data-protection.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

MASK = "***"
_ACCESS_KEY = r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"


class Log(Protocol):
    def write(self, line: str) -> None: ...


class MaskedLog:
    """Lines of several threads; what is hidden must be told before the first of them can hold it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._secrets = re.compile(_ACCESS_KEY)

    def hide(self, values: Iterable[str]) -> None:
        """Also masks these values, a value of several lines line by line."""
        pieces = {line for value in values for line in value.splitlines() if line.strip()}
        # The longest first: one may be the beginning of another.
        words = [re.escape(piece) for piece in sorted(pieces, key=len, reverse=True)]
        self._secrets = re.compile("|".join([*words, _ACCESS_KEY]))

    def write(self, line: str) -> None:
        self._log.write(self._secrets.sub(MASK, line))
