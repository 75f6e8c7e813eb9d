"""The Bikeshare data set: columns, what each may hold, and how a row becomes numbers.

Preprocessing, training, evaluation and the endpoint all read rows through this module, so a row
means the same thing everywhere. Standard library only: it runs in any container.
"""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

TARGET = "bikers"
# They add up to the target: present in the source file, never a feature.
LEAKING = ("casual", "registered")
MONTHS = ("Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
WEATHER = ("clear", "cloudy/misty", "light rain/snow", "heavy rain/snow")
REPORTED_PROBLEMS = 5


class DataError(ValueError):
    """Data that must not be used; the message names column and row."""


@dataclass(frozen=True)
class Column:
    """One column: a category by name, or a number between two bounds (both allowed)."""

    name: str
    lowest: float = 0.0
    highest: float = 1.0
    integral: bool = False
    categories: tuple[str, ...] = ()

    def encode(self, value: Any) -> float:
        """The number that stands for `value` (text or number).

        Raises:
            ValueError: saying what is wrong with the value.
        """
        if self.categories:
            if value not in self.categories:
                raise ValueError(f"{value!r} is not one of {', '.join(self.categories)}")
            return float(self.categories.index(value) + 1)
        if value is None or value == "":
            raise ValueError("is empty")
        try:
            if isinstance(value, bool) or "_" in str(value):  # numbers to Python, but to no data file
                raise ValueError
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{value!r} is not a number") from None
        if not math.isfinite(number):
            raise ValueError("is not a number (NaN)" if math.isnan(number) else "is infinite")
        if not self.lowest <= number <= self.highest:
            raise ValueError(f"{value} is not between {self.lowest:g} and {self.highest:g}")
        if self.integral and number != int(number):
            raise ValueError(f"{value} is not a whole number")
        return number


FEATURES = (
    Column("season", 1, 4, integral=True),
    Column("mnth", categories=MONTHS),
    Column("day", 1, 366, integral=True),
    Column("hr", 0, 23, integral=True),
    Column("holiday", 0, 1, integral=True),
    Column("weekday", 0, 6, integral=True),
    Column("workingday", 0, 1, integral=True),
    Column("weathersit", categories=WEATHER),
    Column("temp"),
    Column("atemp"),
    Column("hum"),
    Column("windspeed"),
)
LABEL = Column(TARGET, 0, 100_000, integral=True)
FEATURE_NAMES = tuple(column.name for column in FEATURES)


def encode_features(values: Sequence[Any], row: int) -> list[float]:
    """Numbers of one row, whose `values` come in the order of `FEATURES`.

    Raises:
        DataError: naming the column and `row` (counted from 1).
    """
    if len(values) != len(FEATURES):
        expected = f"{len(FEATURES)}: {','.join(FEATURE_NAMES)}"
        raise DataError(f"row {row}: {len(values)} values, expected {expected}")
    return [encode_value(column, value, row) for column, value in zip(FEATURES, values, strict=True)]


def encode_value(column: Column, value: Any, row: int) -> float:
    """The number of one cell; a `DataError` names its column and row."""
    try:
        return column.encode(value)
    except ValueError as error:
        raise DataError(f"column '{column.name}', row {row}: {error}") from None


@dataclass(frozen=True)
class Row:
    """One validated row: the text as read (in the order of `FEATURES`), its numbers and its label."""

    text: tuple[str, ...]
    features: tuple[float, ...]
    label: float


def read_rows(lines: Iterable[str], source: str) -> list[Row]:
    """All rows of a CSV file with a header, strictly validated.

    Args:
        lines: an iterable of text lines (an open file).
        source: the file's name, for messages.

    Returns:
        A list of `Row`.

    Raises:
        DataError: naming the file and the first few problems with column and row; row 1 is the first
            row of data, line 2 of the file.
    """
    reader = csv.reader(lines, strict=True)
    rows, problems = [], []
    try:
        positions = header_positions(next(reader, []), source)
        width = len(positions)
        for number, cells in enumerate(reader, start=1):
            try:
                if len(cells) != width:
                    raise DataError(f"row {number}: {len(cells)} values, the header has {width}")
                text = tuple(cells[positions[name]] for name in FEATURE_NAMES)
                features = tuple(encode_features(text, number))
                rows.append(Row(text, features, encode_value(LABEL, cells[positions[TARGET]], number)))
            except DataError as error:
                problems.append(str(error))
    except csv.Error as error:
        raise DataError(f"{source}: line {reader.line_num}: {error}") from None
    if problems:
        shown = "; ".join(problems[:REPORTED_PROBLEMS])
        more = f"; and {len(problems) - REPORTED_PROBLEMS} more" if len(problems) > REPORTED_PROBLEMS else ""
        raise DataError(f"{source}: {shown}{more}")
    return rows


def header_positions(header: list[str], source: str) -> dict[str, int]:
    """Where each column stands, by name.

    Raises:
        DataError: naming a column that is missing, doubled or unknown.
    """
    known = (*FEATURE_NAMES, TARGET, *LEAKING)
    missing = [name for name in (*FEATURE_NAMES, TARGET) if name not in header]
    if missing:
        names = ", ".join(map(repr, missing))
        raise DataError(f"{source}: missing column {names} in the header (line 1)")
    for name in header:
        if header.count(name) > 1:
            raise DataError(f"{source}: column '{name}' appears more than once in the header (line 1)")
        if name not in known:
            raise DataError(f"{source}: unknown column '{name}' in the header (line 1)")
    return {name: position for position, name in enumerate(header)}
