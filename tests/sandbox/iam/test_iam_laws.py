"""Laws of the evaluation, over the policies and requests that `make conformance` draws."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.cases import Case, Policy, decide
from conformance.generate import cases
from sandbox.iam.context import RequestFacts
from sandbox.iam.gate import decisions
from sandbox.iam.policy import EXPLICIT_DENY, UNKNOWN_KEY, UNMAPPED, PolicySet, evaluate
from sandbox.iam.principals.principal import Principal
from sandbox.iam.refusals import message
from tests.sandbox.iam.test_iam_policy import Keys, allow, deny, document

drawn = st.integers(0, 2**32).map(lambda seed: list(islice(cases(seed), 2))[-1])
"""A case with policies of several kinds."""

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NOTHING = {"Version": "2012-10-17", "Statement": []}


def listed(policy: Policy) -> list[dict[str, Any]]:
    body = policy["Statement"]
    return list(body) if isinstance(body, list) else [body]


def changed(case: Case, change: Any) -> Case:
    """The case with a function applied to each of its policies."""
    return replace(
        case,
        identity=tuple(change(item) for item in case.identity),
        **{
            name: None if getattr(case, name) is None else change(getattr(case, name))
            for name in ("boundary", "session", "resource_policy")
        },
    )


def verdict(case: Case) -> tuple[bool, str]:
    decision = decide(case)
    return decision.allowed, decision.reason


@given(drawn, st.sampled_from(["identity", "boundary", "session", "resource_policy"]))
def test_an_explicit_deny_in_any_policy_wins(case: Case, where: str) -> None:
    refuse: Policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
    if where == "identity":
        case = replace(case, identity=(*case.identity, refuse))
    elif where == "resource_policy":
        refuse["Statement"][0]["Principal"] = "*"
        case = replace(case, resource_policy=refuse)
    else:
        case = replace(case, **{where: refuse})
    assert decide(case).reason == EXPLICIT_DENY


@given(drawn, drawn, st.sampled_from(["identity", "boundary", "session", "resource_policy"]))
def test_one_more_allow_never_turns_an_allow_into_a_deny(case: Case, other: Case, where: str) -> None:
    more = [item for policy in other.policies() for item in listed(policy) if item["Effect"] == "Allow"]
    before = decide(case).allowed
    if where == "identity":
        grown = replace(case, identity=(*case.identity, {"Version": "2012-10-17", "Statement": more}))
    elif getattr(case, where) is None:
        grown = case if where != "resource_policy" else replace(
            case, resource_policy={"Version": "2012-10-17", "Statement": more}
        )  # fmt: skip
    else:
        present = getattr(case, where)
        grown = replace(case, **{where: {**present, "Statement": [*listed(present), *more]}})
    assert decide(grown).allowed or not before


@given(drawn, drawn)
def test_a_boundary_and_a_session_policy_never_widen(case: Case, other: Case) -> None:
    limit = (other.identity or (NOTHING,))[0]
    for name in ("boundary", "session"):
        free, limited = replace(case, **{name: None}), replace(case, **{name: limit})
        assert decide(free).allowed or not decide(limited).allowed
        assert verdict(replace(case, **{name: EVERYTHING}))[0] <= verdict(free)[0]


@given(drawn)
def test_a_boundary_that_allows_nothing_leaves_only_grants_to_the_requester_itself(case: Case) -> None:
    bounded = replace(case, boundary=NOTHING)
    if decide(bounded).allowed:
        assert decide(replace(bounded, identity=())).allowed
        assert case.resource_policy is not None


@given(drawn, st.randoms())
def test_the_order_of_statements_and_of_policies_never_matters(case: Case, dice: random.Random) -> None:
    def shuffled(policy: Policy) -> Policy:
        body = listed(policy)
        dice.shuffle(body)
        return dict(reversed([*policy.items()])) | {"Statement": body}

    other = changed(case, shuffled)
    identity = list(other.identity)
    dice.shuffle(identity)
    assert verdict(replace(other, identity=tuple(identity))) == verdict(case)


@given(drawn, st.sampled_from([str.lower, str.upper, str.swapcase]))
def test_the_case_of_actions_and_condition_keys_never_matters(case: Case, cased: Any) -> None:
    def recased(policy: Policy) -> Policy:
        copied = copy.deepcopy(policy)
        for item in listed(copied):
            for name in ("Action", "NotAction"):
                if name in item:
                    values = item[name] if isinstance(item[name], list) else [item[name]]
                    item[name] = [cased(value) for value in values]
            for operator, pairs in item.get("Condition", {}).items():
                item["Condition"][operator] = {cased(key): values for key, values in pairs.items()}
        return copied

    context = {cased(key): value for key, value in case.context.items()}
    assert verdict(replace(changed(case, recased), context=context)) == verdict(case)


@given(drawn)
def test_the_same_policy_twice_is_that_policy(case: Case) -> None:
    assert verdict(replace(case, identity=case.identity * 2)) == verdict(case)
    assert verdict(changed(case, lambda policy: {**policy, "Statement": listed(policy) * 2})) == verdict(case)


@given(drawn)
def test_who_is_denied_by_name_is_denied_by_everyone_too(case: Case) -> None:
    """`Principal: *` covers whoever an exact principal names."""

    def widened(policy: Policy) -> Policy:
        body = [
            {**item, "Principal": "*"} if item["Effect"] == "Deny" and "Principal" in item else item
            for item in listed(policy)
        ]
        return {**policy, "Statement": body}

    if case.resource_policy is not None:
        wide = replace(case, resource_policy=widened(case.resource_policy))
        assert decide(case).allowed or not decide(wide).allowed


USER = Principal("user", "arn:aws:iam::123456789012:user/u", "123456789012", "AIDA1")


@given(st.text(st.characters(categories=("Ll", "Lu")), min_size=1, max_size=12))
def test_an_action_that_nobody_knows_is_denied_and_named(name: str) -> None:
    facts = RequestFacts("sagemaker", f"Make{name}", {}, "eu-west-1", "123456789012")
    decision = next(decisions(USER, facts))
    assert (decision.allowed, decision.reason) == (False, UNMAPPED)
    assert f"sagemaker:Make{name}" in message(USER, "sagemaker", decision)


@given(st.sampled_from(["StringEquals", "StringNotEquals", "Bool", "Null", "ArnLike", "NumericLessThan"]))
def test_a_condition_key_that_nobody_knows_is_denied_and_named(operator: str) -> None:
    condition = {"Condition": {operator: {"made:up": "true"}}}
    for statements in ([allow(**condition)], [allow(), deny(**condition)]):
        decision = evaluate(
            "s3:GetObject",
            "arn:aws:s3:::b/k",
            Keys(unknown=["made:up"]),
            PolicySet(identity=(document(*statements),), forms=USER.forms),
        )
        assert (decision.allowed, decision.reason, decision.unknown) == (False, UNKNOWN_KEY, ("made:up",))
        assert "the condition key made:up" in message(USER, "s3", decision)


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ({}, "because no identity-based policy allows the codecommit:ListRepositories action"),
        ({"identity": "deny"}, "with an explicit deny in an identity-based policy"),
        (
            {"boundary": "other"},
            "because no permissions boundary allows the codecommit:ListRepositories action",
        ),
        ({"boundary": "deny"}, "with an explicit deny in a permissions boundary"),
        ({"session": "other"}, "because no session policy allows the codecommit:ListRepositories action"),
        ({"session": "deny"}, "with an explicit deny in a session policy"),
        ({"must": True}, "because no resource-based policy allows the codecommit:ListRepositories action"),
        ({"resource": "deny"}, "with an explicit deny in a resource-based policy"),
        ({"resource": "deny", "trust": True}, "with an explicit deny in the role trust policy"),
    ],
)
def test_refusals_say_which_policy(layers: dict[str, Any], text: str) -> None:
    # "Troubleshoot access denied error messages" in the IAM User Guide, "Access denied error message examples".
    texts = {"other": document(allow("iam:*")), "deny": document(allow(), deny("codecommit:*"))}
    everyone = {"deny": document({**deny("codecommit:*"), "Principal": "*"})}
    identity = texts[layers["identity"]] if "identity" in layers else document(allow())
    decision = evaluate(
        "codecommit:ListRepositories",
        "*",
        Keys(),
        PolicySet(
            identity=(identity,) if layers else (),
            boundary=texts.get(layers.get("boundary", "")),
            session=(texts[layers["session"]],) if "session" in layers else None,
            resource=(everyone["deny"],) if "resource" in layers else (),
            forms=USER.forms,
            must_grant=bool(layers.get("must")),
            resource_kind="role trust policy" if layers.get("trust") else "resource-based policy",
        ),
    )
    said = message(USER, "codecommit", decision)
    assert (
        said
        == f"User: {USER.arn} is not authorized to perform: codecommit:ListRepositories on resource: * {text}"
    )
