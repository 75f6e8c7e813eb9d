"""Rules are found without asking each: none that matches is passed over, and few others are asked."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.store import Records, Store
from sandbox.services.events.candidates import candidates
from sandbox.services.events.pattern import compile_pattern

names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["x", "y", "long", ""])
leaves = st.one_of(st.none(), st.booleans(), st.integers(0, 2), texts)
events = st.dictionaries(
    names,
    st.recursive(
        leaves,
        lambda inner: st.one_of(st.dictionaries(names, inner, max_size=3), st.lists(inner, max_size=3)),
        max_leaves=6,
    ),
    max_size=3,
)
tests = st.one_of(
    leaves,
    st.booleans().map(lambda there: {"exists": there}),
    texts.map(lambda text: {"prefix": text}),
    texts.map(lambda text: {"anything-but": text}),
)
patterns = st.recursive(
    st.dictionaries(names, st.lists(tests, min_size=1, max_size=3), min_size=1, max_size=3),
    lambda inner: st.one_of(
        st.dictionaries(names, inner, min_size=1, max_size=2),
        st.lists(inner, min_size=2, max_size=2).map(lambda alternatives: {"$or": alternatives}),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
    ),
    max_leaves=4,
)


def rule(name: str, pattern: Any, bus: str = "default", state: str = "ENABLED") -> dict[str, Any]:
    return {"Name": name, "EventBusName": bus, "State": state, "EventPattern": json.dumps(pattern)}


def rules(*given: dict[str, Any]) -> Records:
    records = Records(Store(":memory:"), "rule")
    for each in given:
        records.put(each["Name"], each)
    return records


@given(st.lists(patterns, max_size=4), events)
def test_every_rule_that_matches_is_among_them(wanted: list[Any], event: dict[str, Any]) -> None:
    records = rules(*(rule(str(number), pattern) for number, pattern in enumerate(wanted)))
    matching = {each["Name"] for each in records.list() if compile_pattern(each["EventPattern"])(event)}
    assert matching <= {each["Name"] for each in candidates(records, "default", event)}


def test_of_many_rules_that_name_another_resource_each_one_is_asked() -> None:
    def pattern(number: int) -> dict[str, Any]:
        detail = {"pipeline": [f"sagemaker-p{number:03}-build"], "state": ["FAILED", "SUCCEEDED"]}
        return {"source": ["aws.codepipeline"], "detail": detail}

    records = rules(*(rule(str(number), pattern(number)) for number in range(100)))
    event = {"source": "aws.codepipeline", "detail": {"pipeline": "sagemaker-p042-build", "state": "FAILED"}}
    assert [each["Name"] for each in candidates(records, "default", event)] == ["42"]
    assert candidates(records, "other", event) == []


def test_a_rule_is_found_by_what_it_says_now() -> None:
    records = rules(rule("a", {"source": ["one"]}), rule("b", {"source": [{"exists": True}]}))
    event = {"source": "one"}
    assert len(candidates(records, "default", event)) == 2
    records.put("a", rule("a", {"source": ["one"]}, state="DISABLED"))
    records.put(
        "b", {"Name": "b", "EventBusName": "default", "State": "ENABLED", "ScheduleExpression": "rate(1 day)"}
    )
    assert candidates(records, "default", event) == []
    records.put("a", rule("a", {"source": ["two", "one"]}))
    assert [each["Name"] for each in candidates(records, "default", event)] == ["a"]
