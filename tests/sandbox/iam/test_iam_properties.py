"""Properties that must hold for every policy."""

from __future__ import annotations

import fnmatch
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from sandbox.iam import patterns
from sandbox.iam.documents import parse
from sandbox.iam.policy import EXPLICIT_DENY, PolicySet, evaluate
from tests.sandbox.iam.test_iam_policy import Keys

ACTIONS = ["s3:GetObject", "s3:PutObject", "iam:PassRole", "sagemaker:CreateModel"]
RESOURCES = ["arn:aws:s3:::b/k", "arn:aws:s3:::c/k", "arn:aws:iam::1:role/R", "arn:aws:sagemaker:r:1:model/m"]

statement = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
    }
).flatmap(
    lambda base: st.builds(
        lambda action, resource, negative, condition: {
            **base,
            ("NotAction" if negative[0] else "Action"): action,
            ("NotResource" if negative[1] else "Resource"): resource,
            **({"Condition": condition} if condition else {}),
        },
        st.lists(st.sampled_from([*ACTIONS, "*", "s3:*", "*:Create*"]), min_size=1, max_size=2),
        st.lists(
            st.sampled_from([*RESOURCES, "*", "arn:aws:s3:::*", "arn:aws:*:*:*:model/${aws:username}"]),
            min_size=1,
            max_size=2,
        ),
        st.tuples(st.booleans(), st.booleans()),
        st.none()
        | st.dictionaries(
            st.sampled_from(
                [
                    "StringEquals",
                    "StringNotEquals",
                    "StringLikeIfExists",
                    "ForAnyValue:StringLike",
                    "ForAllValues:StringEquals",
                ]
            ),
            st.dictionaries(
                st.sampled_from(["aws:username", "aws:TagKeys", "x:unknown"]),
                st.sampled_from(["m", "a", "*"]),
                min_size=1,
            ),
            max_size=2,
        ),
    )
)
policies = st.lists(statement, max_size=4).map(
    lambda items: parse(json.dumps({"Version": "2012-10-17", "Statement": items}))
)
requests = st.tuples(
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.builds(
        Keys,
        st.dictionaries(st.sampled_from(["aws:username", "aws:tagkeys"]), st.sampled_from(["m", "a", "b"])),
        st.sampled_from([(), ("x:unknown",)]),
    ),
)


@given(requests, policies, policies)
def test_adding_a_deny_never_allows(request, identity, more):
    action, resource, keys = request
    before = evaluate(action, resource, keys, PolicySet(identity=(identity,)))
    denies = parse(
        json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": resource}]}
        )
    )
    assert evaluate(action, resource, keys, PolicySet(identity=(identity, denies))).reason == EXPLICIT_DENY
    only_denies = tuple(item for item in more.statements if not item.allows)
    added = type(more)("more", more.version, only_denies)
    after = evaluate(action, resource, keys, PolicySet(identity=(identity, added)))
    assert before.allowed or not after.allowed


@given(requests, policies, policies)
def test_a_boundary_and_a_session_policy_only_narrow(request, identity, limit):
    action, resource, keys = request
    alone = evaluate(action, resource, keys, PolicySet(identity=(identity,)))
    assert (
        alone.allowed
        or not evaluate(action, resource, keys, PolicySet(identity=(identity,), boundary=limit)).allowed
    )
    assert (
        alone.allowed
        or not evaluate(action, resource, keys, PolicySet(identity=(identity,), session=(limit,))).allowed
    )


@given(requests, st.lists(policies, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_policies_does_not_matter(request, documents, random):
    action, resource, keys = request
    shuffled = list(documents)
    random.shuffle(shuffled)
    first = evaluate(action, resource, keys, PolicySet(identity=tuple(documents)))
    second = evaluate(action, resource, keys, PolicySet(identity=tuple(shuffled)))
    assert (first.allowed, first.reason) == (second.allowed, second.reason)


@given(requests, policies)
def test_what_is_allowed_in_doubt_is_allowed_whatever_the_key_holds(request, identity):
    action, resource, keys = request
    decision = evaluate(
        action,
        resource,
        Keys({name: text[0] for name, text in keys.values.items()}, ("x:unknown",)),
        PolicySet(identity=(identity,)),
    )
    if decision.allowed:
        for value in (None, "m", "a", "zz"):
            values = {name: text[0] for name, text in keys.values.items()} | (
                {"x:unknown": value} if value else {}
            )
            assert evaluate(action, resource, Keys(values), PolicySet(identity=(identity,))).allowed


text = st.text(st.sampled_from("ab*?[]!.:/$"), max_size=12)


@given(text, text)
def test_wildcards_match_as_the_reference_does(pattern, value):
    reference = re.sub(r"\[", "[[]", pattern)
    assert bool(patterns.glob(pattern)(value)) == fnmatch.fnmatchcase(value, reference)


@given(st.text(st.sampled_from("ab*?/$"), max_size=8), st.text(st.sampled_from("ab*?/"), max_size=8))
def test_a_variable_stands_for_exactly_its_value(value, other):
    matcher = patterns.resource_matcher("arn:aws:s3:::b/${aws:username}", lambda _: value)
    assert matcher is not None
    assert matcher(f"arn:aws:s3:::b/{value}")
    assert bool(matcher(f"arn:aws:s3:::b/{other}")) == (other == value)


@given(st.text(st.sampled_from("ab${}*?,'"), max_size=12))
def test_no_pattern_breaks_the_compiler(pattern):
    patterns.resource_matcher(f"arn:aws:s3:::{pattern}", lambda _: None)
    patterns.glob_with_variables(pattern, lambda _: "x")
    patterns.substitute(pattern, lambda _: None)
