"""Paths, intrinsic functions, choice rules and JSONata, on values of every kind."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.services.stepfunctions.language import choice, intrinsics, jsonata, jsonpath, timestamps
from sandbox.services.stepfunctions.language.errors import StateError, runtime
from sandbox.services.stepfunctions.language.scope import Scope

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
PROPERTY = settings(max_examples=25, deadline=None)
NAMES = st.text(min_size=1, max_size=8).filter(lambda text: "\\" not in text)
STORE = {
    "book": [
        {"title": "a", "price": 8, "tags": ["x"]},
        {"title": "b", "price": 12, "isbn": "1"},
        {"title": "c", "price": 8.5, "isbn": "2"},
    ],
    "of two words": {"n": None},
}


def scope(value: Any, **more: Any) -> Scope:
    return Scope(value, **more)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", STORE),
        ("$.book[0].title", "a"),
        ("$.book[-1]['title']", "c"),
        ("$['of two words'].n", None),
        ("$.book[*].price", [8, 12, 8.5]),
        ("$..title", ["a", "b", "c"]),
        ("$.book[0,2].title", ["a", "c"]),
        ("$.book[1:].title", ["b", "c"]),
        ("$.book[:-1].price", [8, 12]),
        ("$.book[?(@.isbn)].title", ["b", "c"]),
        ("$.book[?(@.price < 10 && @.isbn)].title", ["c"]),
        ("$.book[?(@.price == 12 || @.title == 'a')].price", [8, 12]),
        ("$.book[?(!@.isbn)].title", ["a"]),
        ("$.book[?(@.title in ['a', 'c'])].price", [8, 8.5]),
        ("$.book[?(@.title =~ /[AB]/i)].title", ["a", "b"]),
        ("$.book[?(@.price > $.book[0].price)].title", ["b", "c"]),
        ("$.book.length()", 3),
        ("$.book[*].price.max()", 12),
        ("$.none[*]", []),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    assert jsonpath.find(path, STORE) == expected


@pytest.mark.parametrize(
    "path", ["book", "$.", "$[", "$.a b", "$.book[?(@.x]", "$['a", "$.book[]", "$.book[::0]"]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(jsonpath.PathSyntaxError):
        jsonpath.compile_path(path)


@PROPERTY
@given(NAMES, VALUES)
def test_a_member_is_found_under_any_name(name: str, value: Any) -> None:
    quoted = name.replace("'", "\\'")
    assert jsonpath.find(f"$['{quoted}']", {name: value}) == value


@PROPERTY
@given(st.lists(VALUES, max_size=6), st.integers(-7, 7), st.integers(-7, 7))
def test_slices_are_those_of_lists(items: list[Any], start: int, end: int) -> None:
    assert jsonpath.find(f"$[{start}:{end}]", items) == items[start:end]


@PROPERTY
@given(st.lists(st.sampled_from(["a", "b", "c d"]), min_size=1, max_size=4), VALUES, VALUES)
def test_what_is_put_is_found_and_the_rest_stays(names: list[str], value: Any, other: Any) -> None:
    path = jsonpath.compile_path("$" + "".join(f"['{name}']" for name in names))
    target = {"other": other}
    changed = jsonpath.put(path, target, value)
    assert path.find(changed) == value
    assert changed["other"] == other
    assert target == {"other": other}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("States.Format('{} and {}', $.a, 'it\\'s')", "1 and it's"),
        ("States.Format('\\{{}\\}', $.o)", '{{"k":[1]}}'),
        ("States.StringToJson('{\"a\": 1}')", {"a": 1}),
        ("States.JsonToString($.o)", '{"k":[1]}'),
        ("States.Array()", []),
        ("States.Array($.a, 'b', 2.5, true, null, $.o)", [1, "b", 2.5, True, None, {"k": [1]}]),
        ("States.ArrayPartition($.list, 2)", [[3, 1], [2]]),
        ("States.ArrayContains($.list, 2)", True),
        ("States.ArrayContains(States.Array(1), true)", False),
        ("States.ArrayRange(1, 9, 4)", [1, 5, 9]),
        ("States.ArrayRange(3, 1, -1)", [3, 2, 1]),
        ("States.ArrayGetItem($.list, 1)", 1),
        ("States.ArrayLength($.list)", 3),
        ("States.ArrayUnique(States.Array(1, 1, '1', true))", [1, "1", True]),
        ("States.JsonMerge($.o, $.p, false)", {"k": 2, "l": 3}),
        ("States.MathAdd($.a, -3)", -2),
        ("States.StringSplit('a.b+c', '.+')", ["a", "b", "c"]),
        ("States.Format('{}', $v.x)", "7"),
        ("States.Format('{}', $$.Execution.Name)", "run"),
        ("States.ArrayGetItem(States.StringSplit($.csv, ','), 0)", "p"),
    ],
)
def test_intrinsic_functions(text: str, expected: Any) -> None:
    value = {"a": 1, "o": {"k": [1]}, "p": {"k": 2, "l": 3}, "list": [3, 1, 2], "csv": "p,q"}
    found = scope(value, context={"Execution": {"Name": "run"}}, variables={"v": {"x": 7}})
    assert found.expression(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "States.Format('{} {}', 1)",
        "States.ArrayGetItem($.list, 5)",
        "States.ArrayPartition($.list, 0)",
        "States.JsonMerge($.o, $.o, true)",
        "States.StringToJson('{')",
        "States.MathAdd('a', 1)",
        "States.Base64Decode('%')",
        "States.Hash('a', 'CRC')",
        "States.ArrayRange(0, 5000, 1)",
    ],
)
def test_intrinsic_functions_refuse(text: str) -> None:
    with pytest.raises(StateError, match="States.IntrinsicFailure"):
        scope({"list": [1], "o": {}}).expression(text)


@pytest.mark.parametrize(
    "text", ["States.Nothing()", "States.Format('a'", "States.Array(,)", "States.UUID() x"]
)
def test_what_is_no_call(text: str) -> None:
    with pytest.raises(jsonpath.PathSyntaxError):
        intrinsics.compile_call(text)


@PROPERTY
@given(st.text(max_size=200))
def test_base64_there_and_back_and_hashes(text: str) -> None:
    plain = text.replace("\\", "/")
    encoded = scope({"t": plain}).expression("States.Base64Encode($.t)")
    assert encoded == base64.b64encode(plain.encode()).decode()
    assert scope({"t": encoded}).expression("States.Base64Decode($.t)") == plain
    digest = scope({"t": plain}).expression("States.Hash($.t, 'SHA-256')")
    assert digest == hashlib.sha256(plain.encode()).hexdigest()


@PROPERTY
@given(VALUES)
def test_json_there_and_back(value: Any) -> None:
    text = scope(value).expression("States.JsonToString($)")
    assert json.loads(text) == value
    if text.strip():
        assert scope({"t": text}).expression("States.StringToJson($.t)") == value


@PROPERTY
@given(st.lists(SCALARS, max_size=20), st.integers(1, 7))
def test_partitions_keep_everything_in_order(items: list[Any], size: int) -> None:
    chunks = scope({"l": items, "n": size}).expression("States.ArrayPartition($.l, $.n)")
    assert [item for chunk in chunks for item in chunk] == items
    assert all(len(chunk) == size for chunk in chunks[:-1])


def lookup(value: Any) -> choice.Lookup:
    return scope(value).path


def holds(rule: dict[str, Any], value: Any) -> bool:
    return choice.matches(rule, lookup(value))


@PROPERTY
@given(SCALARS, SCALARS)
def test_comparisons_hold_only_between_values_of_their_kind(left: Any, right: Any) -> None:
    value = {"l": left, "r": right}
    numbers = choice.is_number(left) and choice.is_number(right)
    texts = isinstance(left, str) and isinstance(right, str)
    expected = {
        "NumericEquals": numbers and left == right,
        "NumericLessThan": numbers and left < right,
        "NumericGreaterThanEquals": numbers and left >= right,
        "StringEquals": texts and left == right,
        "StringLessThan": texts and left < right,
        "BooleanEquals": isinstance(left, bool) and isinstance(right, bool) and left == right,
    }
    for operator, wanted in expected.items():
        assert holds({"Variable": "$.l", f"{operator}Path": "$.r"}, value) is wanted, operator


@PROPERTY
@given(SCALARS)
def test_a_value_is_of_one_kind(value: Any) -> None:
    kinds = {
        "IsNull": value is None,
        "IsBoolean": isinstance(value, bool),
        "IsString": isinstance(value, str),
    }
    kinds["IsNumeric"] = choice.is_number(value)
    for operator, wanted in kinds.items():
        assert holds({"Variable": "$.v", operator: True}, {"v": value}) is wanted
        assert holds({"Variable": "$.v", operator: False}, {"v": value}) is not wanted
    assert holds({"Variable": "$.v", "IsPresent": True}, {"v": value})
    assert holds({"Variable": "$.w", "IsPresent": False}, {"v": value})


@PROPERTY
@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_logic(values: list[bool]) -> None:
    document = {str(index): value for index, value in enumerate(values)}
    rules = [{"Variable": f"$['{index}']", "BooleanEquals": True} for index in document]
    assert holds({"And": rules}, document) is all(values)
    assert holds({"Or": rules}, document) is any(values)
    assert holds({"Not": {"Or": rules}}, document) is not any(values)


@PROPERTY
@given(
    st.lists(st.text(max_size=5), min_size=1, max_size=4),
    st.lists(st.text(max_size=5), min_size=4, max_size=4),
)
def test_patterns_match_what_fills_their_stars(pieces: list[str], fillings: list[str]) -> None:
    pattern = "*".join(re.sub(r"([*\\])", r"\\\1", piece) for piece in pieces)
    text = pieces[0] + "".join(filling + piece for filling, piece in zip(fillings, pieces[1:], strict=False))
    assert choice.string_matches(text, pattern)
    assert not choice.string_matches("!" + pieces[0], pattern.removeprefix("*")) or len(pieces) > 1


def test_timestamps() -> None:
    rule = {"Variable": "$.t", "TimestampLessThan": "2024-01-01T00:00:00Z"}
    assert holds(rule, {"t": "2024-01-01T00:30:00+01:00"})
    assert not holds(rule, {"t": "2024-01-01"})
    assert timestamps.text(0.0015) == "1970-01-01T00:00:00.001Z"


def test_a_variable_that_is_not_there() -> None:
    rule = {"Variable": "$.none", "StringEquals": "a"}
    message = "Invalid path '$.none': The choice state's condition path references an invalid value."
    with pytest.raises(StateError, match=re.escape(message)):
        holds(rule, {})
    assert runtime("x").error == "States.Runtime"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$states.input.n", None),
        ("{'n': $states.input.n, 'a': $states.input.a}", {"n": None, "a": [1, 2]}),
        ("$partition([1..5], 2)", [[1, 2], [3, 4], [5]]),
        ("$range(0, 1, 0.5)", [0, 0.5, 1]),
        ("$hash('a', 'MD5')", "0cc175b9c0f1b6a831c399e269772661"),
        ("$parse('{\"a\": [null]}')", {"a": [None]}),
        ("$random(3) = $random(3)", True),
        ("$states.input.a[0] + $v", 8),
        ("$states.context.Execution.Name", "run"),
    ],
)
def test_jsonata(text: str, expected: Any) -> None:
    states = {"input": {"n": None, "a": [1, 2]}, "context": {"Execution": {"Name": "run"}}}
    assert jsonata.evaluate(text, states, {"v": 7}) == expected


@PROPERTY
@given(VALUES)
def test_jsonata_gives_back_what_it_is_given(value: Any) -> None:
    assert jsonata.evaluate("$states.input", {"input": value}, {}) == value


@pytest.mark.parametrize("text", ["1 + 'a'", "$eval('1')", "function($x){$x}", "$parse('{')", "$error('no')"])
def test_jsonata_fails(text: str) -> None:
    with pytest.raises(jsonata.Failed):
        jsonata.evaluate(text, {"input": {}}, {})


def test_jsonata_without_a_value() -> None:
    with pytest.raises(jsonata.Undefined):
        jsonata.evaluate("$states.input.none", {"input": {}}, {})
