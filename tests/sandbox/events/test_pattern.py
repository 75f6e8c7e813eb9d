"""Event patterns: the documented operators, and properties that hold for any event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.operations import AwsError
from sandbox.services.events.pattern import compile_pattern

keys = st.text("abcdefgh-", min_size=1, max_size=6)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-1000, 1000), st.text(max_size=8))
events = st.dictionaries(
    keys,
    st.recursive(
        leaves,
        lambda inner: st.one_of(st.dictionaries(keys, inner, max_size=3), st.lists(leaves, max_size=3)),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


def matches(pattern: Any, event: Any) -> bool:
    return compile_pattern(json.dumps(pattern))(event)


def pattern_of(value: Any) -> Any:
    """The pattern that names every leaf of an event's part; None where there is no leaf to name."""
    if isinstance(value, dict):
        inner = {name: made for name, child in value.items() if (made := pattern_of(child)) is not None}
        return inner or None
    if isinstance(value, list):
        return value or None
    return [value]


@given(events)
def test_an_event_matches_the_pattern_made_of_it(event: dict[str, Any]) -> None:
    pattern = pattern_of(event)
    if pattern:
        assert matches(pattern, event)


@given(events, keys, leaves)
def test_a_field_that_is_missing_never_matches_a_value(event: dict[str, Any], key: str, value: Any) -> None:
    event.pop(key, None)
    assert not matches({key: [value]}, event)
    assert matches({key: [{"exists": False}]}, event)
    assert matches({key: [value, {"exists": False}]}, event)
    assert not matches({key: [{"exists": True}]}, event)


@given(events, st.text(max_size=6), st.text(max_size=6))
def test_anything_but_is_the_opposite_of_equals_on_one_value(
    event: dict[str, Any], value: str, other: str
) -> None:
    event["field"] = value
    assert matches({"field": [{"anything-but": other}]}, event) == (not matches({"field": [other]}, event))


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_wildcards_are_affixes_where_they_can_be(text: str, value: str) -> None:
    literal = text.replace("*", "")
    event = {"f": value}
    assert matches({"f": [{"wildcard": f"{literal}*"}]}, event) == matches(
        {"f": [{"prefix": literal}]}, event
    )
    assert matches({"f": [{"wildcard": f"*{literal}"}]}, event) == matches(
        {"f": [{"suffix": literal}]}, event
    )


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(1, 50))
def test_numeric_ranges(value: int, low: int, width: int) -> None:
    pattern = {"n": [{"numeric": [">=", low, "<", low + width]}]}
    assert matches(pattern, {"n": value}) == (low <= value < low + width)


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"source": ["a"], "detail": {"x": ["1"]}}, {"source": "a", "detail": {"x": "1"}}, True),
        ({"source": ["a"], "detail": {"x": ["1"]}}, {"source": "a", "detail": {"x": 1}}, False),
        ({"x": [1]}, {"x": True}, False),
        ({"x": [1]}, {"x": 1.0}, True),
        ({"x": [None]}, {"x": None}, True),
        ({"x": [""]}, {"x": None}, False),
        ({"x": ["b"]}, {"x": ["a", "b"]}, True),
        ({"x": [{"prefix": "ab"}]}, {"x": "abc"}, True),
        ({"x": [{"prefix": {"equals-ignore-case": "AB"}}]}, {"x": "abc"}, True),
        ({"x": [{"suffix": ".png"}]}, {"x": "a.jpg"}, False),
        ({"x": [{"equals-ignore-case": "Yes"}]}, {"x": "yES"}, True),
        ({"x": [{"anything-but": ["a", "b"]}]}, {"x": "c"}, True),
        ({"x": [{"anything-but": ["a", "b"]}]}, {"x": "b"}, False),
        ({"x": [{"anything-but": {"prefix": "in"}}]}, {"x": "init"}, False),
        ({"x": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"x": "/usr/lib/a"}, False),
        ({"x": [{"wildcard": "a\\*b"}]}, {"x": "a*b"}, True),
        ({"x": [{"wildcard": "a\\*b"}]}, {"x": "acb"}, False),
        ({"x": [{"cidr": "10.0.0.0/24"}]}, {"x": "10.0.0.7"}, True),
        ({"x": [{"cidr": "10.0.0.0/24"}]}, {"x": "10.0.1.7"}, False),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 0, "b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 0, "b": 0}, False),
        ({"d": {"$or": [{"a": [1]}, {"b": {"c": [{"exists": True}]}}]}}, {"d": {"b": {"c": 0}}}, True),
        # Conditions below an array of objects hold for one and the same element.
        ({"d": {"a": [1], "b": [2]}}, {"d": [{"a": 1, "b": 0}, {"a": 0, "b": 2}]}, False),
        ({"d": {"a": [1], "b": [2]}}, {"d": [{"a": 1, "b": 0}, {"a": 1, "b": 2}]}, True),
        ({"d": {"x": [{"exists": False}]}}, {}, True),
    ],
)
def test_operators(pattern: Any, event: Any, expected: bool) -> None:
    assert matches(pattern, event) is expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ('{"source": "aws.s3"}', '"source" must be an object or an array'),
        ('{"source": []}', "Empty arrays are not allowed"),
        ('{"detail": {}}', "Empty objects are not allowed"),
        ("[]", "Filter is not an object"),
        ('{"x": [{"starts": "a"}]}', "Unrecognized match type starts"),
        ('{"x": [{"prefix": 1}]}', "prefix match pattern must be a string"),
        ('{"x": [{"numeric": [">", "a"]}]}', "Value of numeric match must be numeric"),
        ('{"x": [{"numeric": ["~", 1]}]}', "Unrecognized numeric range operator: ~"),
        ('{"x": [{"wildcard": "a**"}]}', "Consecutive wildcard characters at pos 1"),
        ('{"x": [{"cidr": "10.0.0.0/99"}]}', "Malformed CIDR"),
        ('{"x": [{"anything-but": [1, "a"]}]}', "Inside anything but list"),
        ('{"x": [1], "x": [2]}', "more than once"),
        ("{", "line: 1"),
    ],
)
def test_refusals(pattern: str, reason: str) -> None:
    with pytest.raises(AwsError) as refusal:
        compile_pattern(pattern)
    assert refusal.value.code == "InvalidEventPatternException"
    assert refusal.value.message.startswith("Event pattern is not valid. Reason: ")
    assert reason in refusal.value.message


@given(st.text())
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        compile_pattern(text)
    except AwsError as error:
        assert error.code == "InvalidEventPatternException"
