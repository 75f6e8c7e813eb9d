"""References, joins, property files and conditions of pipeline definitions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.sagemaker.pipelines import conditions
from sandbox.services.sagemaker.pipelines.expressions import ExpressionError, references, resolve
from sandbox.services.sagemaker.pipelines.paths import Key, PathError, look_up, parse_path, render_path

members = st.text(
    st.characters(exclude_characters=".[]'\"", exclude_categories=["Cs"]), min_size=1, max_size=12
)
keys = st.text(
    st.characters(exclude_characters="'", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
)
tokens = st.one_of(members.filter(lambda text: not text.startswith("$")), st.integers(0, 99), keys.map(Key))


class Scope:
    """A scope over plain dictionaries."""

    def __init__(self, properties: dict[str, Any] | None = None, files: dict[str, str] | None = None) -> None:
        self._properties = properties or {}
        self._files = files or {}

    def parameter(self, name: str) -> Any:
        return {"Count": 3, "Rate": 0.5, "On": True, "Name": "x"}[name]

    def variable(self, name: str) -> str:
        return f"<{name}>"

    def properties(self, step: str) -> dict[str, Any]:
        return self._properties[step]

    def property_file(self, step: str, file: str) -> str:
        return self._files[f"{step}/{file}"]

    def s3_text(self, uri: str) -> str:
        return self._files[uri]


@given(st.lists(tokens, min_size=1, max_size=6))
def test_a_rendered_path_reads_back_as_itself(path: list[Any]) -> None:
    assert parse_path(render_path(tuple(path))) == tuple(path)


@given(st.text(max_size=20))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        path = parse_path(text)
    except PathError:
        return
    assert path and parse_path(render_path(path)) == path


@given(
    st.recursive(
        st.integers() | st.text(), lambda inner: st.dictionaries(members, inner, min_size=1), max_leaves=8
    )
)
def test_every_leaf_of_a_document_is_found_by_its_path(document: Any) -> None:
    def leaves(value: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(value, dict):
            for name, element in value.items():
                yield from leaves(element, (*path, name))
        else:
            yield path, value

    for path, value in leaves(document, ()):
        assert look_up(document, path) == value


def test_outputs_are_found_by_name_and_by_index() -> None:
    described = {
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/t"}}]}
    }
    scope = Scope({"Prep-1": described})
    for path in ("Outputs['train']", "Outputs[0]", 'Outputs["train"]'):
        assert (
            resolve({"Get": f"Steps.Prep-1.ProcessingOutputConfig.{path}.S3Output.S3Uri"}, scope)
            == "s3://b/t"
        )
    with pytest.raises(
        ExpressionError, match=r"step 'Prep-1': there is no 'ProcessingOutputConfig.Outputs\['x'\]'"
    ):
        resolve({"Get": "Steps.Prep-1.ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri"}, scope)


def test_metrics_are_found_by_a_name_with_punctuation() -> None:
    scope = Scope({"T": {"FinalMetricDataList": [{"MetricName": "validation:rmse.1", "Value": 2.5}]}})
    assert resolve({"Get": "Steps.T.FinalMetricDataList['validation:rmse.1'].Value"}, scope) == 2.5


def test_join_writes_numbers_and_booleans_as_json_does() -> None:
    value = {
        "Std:Join": {
            "On": "/",
            "Values": ["s3:/", {"Get": "Parameters.Count"}, {"Get": "Parameters.On"}, 0.5],
        }
    }
    assert resolve(value, Scope()) == "s3://3/true/0.5"


def test_null_members_are_left_out_and_other_dictionaries_kept() -> None:
    assert resolve({"a": None, "b": [{"Get": "Parameters.Rate"}], "Get": "x", "c": 1}, Scope()) == {
        "b": [0.5],
        "Get": "x",
        "c": 1,
    }


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("not json", "a", "is not JSON"),
        ('{"a": NaN}', "a", "NaN"),
        ('{"a": {"b": 1}}', "a", "is not a string, number or boolean"),
        ('{"a": 1}', "a.b", "there is no 'a.b'"),
        ('{"a": null}', "a", "is not a string, number or boolean"),
    ],
)
def test_a_property_file_that_cannot_be_read_is_refused(text: str, path: str, reason: str) -> None:
    get = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.R"}, "Path": path}}
    with pytest.raises(ExpressionError, match=reason):
        resolve(get, Scope(files={"E/R": text}))


def test_property_file_values_by_path() -> None:
    report = json.dumps({"metrics": {"rmse": {"value": 41.5}, "all": [1, {"x-y": "z"}]}})
    scope = Scope(files={"E/R": report, "s3://b/r.json": report})
    from_step = {"PropertyFile": {"Get": "Steps.E.PropertyFiles.R"}, "Path": "metrics.rmse.value"}
    assert resolve({"Std:JsonGet": from_step}, scope) == 41.5
    from_s3 = {"S3Uri": "s3://b/r.json", "Path": "$.metrics.all[1]['x-y']"}
    assert resolve({"Std:JsonGet": from_s3}, scope) == "z"


def test_references_are_found_at_any_depth() -> None:
    value: dict[str, Any] = {
        "a": [{"Std:Join": {"On": "", "Values": [{"Get": "Steps.A.ModelArtifacts.S3ModelArtifacts"}]}}]
    }
    value["b"] = [{"Std:JsonGet": {"PropertyFile": {"Get": "Steps.B.PropertyFiles.F"}, "Path": "x"}}]
    assert {each.name for each in references(value)} == {"A", "B"}


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_comparisons_agree_with_python(left: float, right: float) -> None:
    def holds(kind: str) -> bool:
        return conditions.evaluate(
            {"Type": kind, "LeftValue": left, "RightValue": right}, lambda value: value
        )

    assert holds("Equals") == (left == right)
    assert holds("GreaterThan") == (left > right) == (not holds("LessThanOrEqualTo"))
    assert holds("LessThan") == (left < right) == (not holds("GreaterThanOrEqualTo"))


def test_in_not_and_or() -> None:
    def holds(condition: dict[str, Any]) -> bool:
        assert not list(conditions.check(condition))
        return conditions.evaluate(condition, lambda value: value)

    member = {"Type": "In", "QueryValue": "b", "Values": ["a", "b"]}
    never = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}
    assert holds(member)
    assert not holds({"Type": "Not", "Condition": member})
    assert holds({"Type": "Or", "Conditions": [never, member]})
    assert not holds({"Type": "Or", "Conditions": [never, {"Type": "Not", "Expression": member}]})


@pytest.mark.parametrize(("left", "right"), [("5", 5), (True, 1), ([1], [1]), (None, None)])
def test_what_cannot_be_compared_chooses_no_branch(left: Any, right: Any) -> None:
    with pytest.raises(ExpressionError):
        conditions.evaluate({"Type": "Equals", "LeftValue": left, "RightValue": right}, lambda value: value)
