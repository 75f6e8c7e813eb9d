"""Reading the text of a path, piece by piece."""

from __future__ import annotations


class PathSyntaxError(ValueError):
    """The text is no path."""


class NotFound(LookupError):
    """A definite path leads nowhere."""


def read_string(text: str, start: int) -> tuple[str, int]:
    """A quoted string, and where it ends; a backslash takes the next character as it is."""
    quote, position = text[start], start + 1
    letters: list[str] = []
    while position < len(text):
        letter = text[position]
        if letter == quote:
            return "".join(letters), position + 1
        if letter == "\\" and position + 1 < len(text):
            position += 1
            letter = text[position]
        letters.append(letter)
        position += 1
    raise PathSyntaxError(f"a string does not end: {text[start:]}")


def space(text: str, position: int) -> int:
    while position < len(text) and text[position] == " ":
        position += 1
    return position


def expect(text: str, position: int, wanted: str) -> int:
    if not text.startswith(wanted, position):
        raise PathSyntaxError(f"'{wanted}' is missing at {position} in {text}")
    return position + len(wanted)
