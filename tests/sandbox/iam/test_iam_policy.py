"""Evaluation against AWS's documented rules and examples."""

from __future__ import annotations

import json

import pytest

from sandbox.iam import policy
from sandbox.iam.documents import ACCOUNT, DIRECT, ROLE, Document, MalformedPolicy, parse
from sandbox.iam.policy import Decision, PolicySet, evaluate

ACCOUNT_ID = "123456789012"


class Keys:
    """Condition keys of a request; keys in `unknown` are ones nobody can tell."""

    def __init__(self, values=None, unknown=()):
        self.values = {
            name.lower(): (text,) if isinstance(text, str) else tuple(text)
            for name, text in (values or {}).items()
        }
        self.unknown = {name.lower() for name in unknown}

    def get(self, key):
        return self.values.get(key)

    def single(self, key):
        found = self.get(key)
        return found[0] if found and len(found) == 1 else None

    def known(self, key):
        return key not in self.unknown


def document(*statements, version="2012-10-17") -> Document:
    return parse(json.dumps({"Version": version, "Statement": list(statements)}), "p")


def allow(action="*", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="*", resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def ask(
    *statements, action="s3:GetObject", arn="arn:aws:s3:::b/k", keys=None, version="2012-10-17", **layers
) -> Decision:
    layers.setdefault("identity", (document(*statements, version=version),) if statements else ())
    return evaluate(action, arn, keys if isinstance(keys, Keys) else Keys(keys), PolicySet(**layers))


def holds(condition, keys=None, unknown=()) -> bool:
    return ask(allow(Condition=condition), keys=Keys(keys, unknown)).allowed


def test_default_is_implicit_deny():
    decision = ask()
    assert (decision.allowed, decision.reason, decision.by) == (False, policy.IMPLICIT_DENY, policy.IDENTITY)


def test_explicit_deny_wins_over_every_allow():
    decision = ask(allow(), deny("s3:Get*", Sid="NoReads"))
    assert (decision.allowed, decision.reason, decision.by) == (False, policy.EXPLICIT_DENY, policy.IDENTITY)
    assert decision.statement == "p/NoReads"


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("s3:*", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:Get", "s3:GetObject", False),
        ("*:GetObject", "s3:GetObject", True),
        ("iam:*AccessKey*", "iam:CreateAccessKey", True),
        ("sagemaker:*", "s3:GetObject", False),
    ],
)
def test_action_patterns(pattern, action, expected):
    assert ask(allow(pattern), action=action).allowed is expected


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", "arn:aws:s3:::b/k", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::B/*", "arn:aws:s3:::b/k", False),
        ("arn:aws:s3:::b/*/x", "arn:aws:s3:::b/a:b/c/x", True),
        ("arn:aws:sns:*:123456789012:topic", "arn:aws:sns:eu-west-1:123456789012:topic", True),
        # A wildcard within a segment stays there; one that ends a segment may reach beyond its colon.
        ("arn:aws:sns:eu-*-1:123456789012:topic", "arn:aws:sns:eu-west-1:123456789012:topic", True),
        ("arn:aws:s*s:eu-west-1:1:t", "arn:aws:sqs:eu-west-1:1:t", True),
        ("arn:a*s:eu-west-1:1:t:u", "arn:aws:s:eu-west-1:1:t:u", False),
        ("arn:aws:*:topic", "arn:aws:sns:eu-west-1:1:topic", True),
        ("arn:aws:sns:eu?west-1:1:t", "arn:aws:sns:eu:west-1:1:t", False),
        ("arn:aws:sagemaker:*:*:model/sagemaker-?", "arn:aws:sagemaker:r:1:model/sagemaker-a", True),
        ("arn:aws:sagemaker:*:*:model/sagemaker-?", "arn:aws:sagemaker:r:1:model/sagemaker-ab", False),
    ],
)
def test_resource_patterns(pattern, arn, expected):
    assert ask(allow("sns:Publish", pattern), action="sns:Publish", arn=arn).allowed is expected


def test_not_action_allows_everything_else_and_denies_only_what_is_listed_otherwise():
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert ask(statement).allowed
    assert not ask(statement, action="iam:CreateUser").allowed
    locked = {"Effect": "Deny", "NotAction": ["s3:*"], "Resource": "*"}
    assert ask(allow(), locked).allowed
    assert ask(allow(), locked, action="iam:CreateUser").reason == policy.EXPLICIT_DENY


def test_not_resource():
    # "IAM JSON policy elements: NotResource": deny everything but one bucket.
    only = {
        "Effect": "Deny",
        "Action": "s3:*",
        "NotResource": ["arn:aws:s3:::HRBucket/Payroll/*", "arn:aws:s3:::HRBucket/Payroll"],
    }
    assert ask(allow(), only, arn="arn:aws:s3:::HRBucket/Payroll/x").allowed
    assert not ask(allow(), only, arn="arn:aws:s3:::Other/x").allowed


# --- "Policy evaluation logic": identity, boundary, session


@pytest.mark.parametrize("identity", [True, False])
@pytest.mark.parametrize("boundary", [True, False, None])
@pytest.mark.parametrize("session", [True, False, None])
def test_identity_boundary_and_session_intersect(identity, boundary, session):
    grant = document(allow("s3:*"))
    nothing = document(allow("iam:*"))
    decision = ask(
        identity=(grant if identity else nothing,),
        boundary=None if boundary is None else (grant if boundary else nothing),
        session=None if session is None else ((grant if session else nothing),),
    )
    assert decision.allowed is (identity and boundary is not False and session is not False)
    if not decision.allowed:
        expected = (
            policy.IDENTITY if not identity else policy.BOUNDARY if boundary is False else policy.SESSION
        )
        assert (decision.reason, decision.by) == (policy.IMPLICIT_DENY, expected)


@pytest.mark.parametrize("layer", ["boundary", "session", "resource"])
def test_a_deny_in_any_layer_denies(layer):
    grant, refuse = document(allow()), document(allow(), deny("s3:GetObject"))
    layers = {"identity": (grant,), "boundary": grant, "session": (grant,)}
    layers[layer] = refuse if layer == "boundary" else (refuse,)
    decision = ask(forms={("*", "*"): DIRECT}, **layers)
    names = {"boundary": policy.BOUNDARY, "session": policy.SESSION, "resource": policy.RESOURCE}
    assert (decision.reason, decision.by) == (policy.EXPLICIT_DENY, names[layer])


# --- "Evaluating identity-based policies with resource-based policies"

ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/R"
SESSION_ARN = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/R/s"
ROOT_ARN = f"arn:aws:iam::{ACCOUNT_ID}:root"
FORMS = {
    ("*", "*"): DIRECT,
    ("AWS", ACCOUNT_ID): ACCOUNT,
    ("AWS", ROOT_ARN): ACCOUNT,
    ("AWS", ROLE_ARN): ROLE,
    ("AWS", SESSION_ARN): DIRECT,
}


@pytest.mark.parametrize(
    ("named", "identity", "boundary", "expected"),
    [
        (SESSION_ARN, False, False, True),  # names the session: nothing implicit limits it
        (ROLE_ARN, False, None, True),  # names the role: grants alone …
        (ROLE_ARN, False, True, True),
        (ROLE_ARN, False, False, False),  # … within the boundary
        (ROOT_ARN, False, None, False),  # names the account: only delegates
        (ROOT_ARN, True, None, True),
        (ACCOUNT_ID, False, None, False),
        ("*", False, None, True),
        (f"arn:aws:iam::{ACCOUNT_ID}:role/Other", False, None, False),
        (f"arn:aws:iam::{ACCOUNT_ID}:role/Other", True, None, True),
    ],
)
def test_resource_policies_in_one_account(named, identity, boundary, expected):
    grant, nothing = document(allow()), document(allow("iam:*"))
    resource = document(allow(Principal={"AWS": named}))
    decision = ask(
        identity=(grant if identity else nothing,),
        boundary=None if boundary is None else (grant if boundary else nothing),
        resource=(resource,),
        forms=FORMS,
    )
    assert decision.allowed is expected


@pytest.mark.parametrize(
    ("identity", "resource", "expected"), [(1, 1, True), (1, 0, False), (0, 1, False), (0, 0, False)]
)
def test_another_account_needs_both_sides(identity, resource, expected):
    decision = ask(
        identity=(document(allow()),) if identity else (),
        resource=(document(allow(Principal={"AWS": ROOT_ARN})),) if resource else (),
        forms=FORMS,
        cross_account=True,
    )
    assert decision.allowed is expected


def test_a_key_policy_must_grant():
    # "Default key policy": without the statement for the account, IAM policies are powerless.
    grant = (document(allow("kms:*")),)
    refused = ask(
        identity=grant,
        resource=(document(allow("kms:*", Principal={"AWS": "arn:aws:iam::9:root"})),),
        forms=FORMS,
        must_grant=True,
        action="kms:Decrypt",
    )
    assert (refused.allowed, refused.by) == (False, policy.RESOURCE)
    enabled = (document(allow("kms:*", Principal={"AWS": ROOT_ARN})),)
    assert ask(identity=grant, resource=enabled, forms=FORMS, must_grant=True, action="kms:Decrypt").allowed
    lacking = ask(resource=enabled, forms=FORMS, must_grant=True, action="kms:Decrypt")
    assert (lacking.allowed, lacking.by) == (False, policy.IDENTITY)
    direct = (document(allow("kms:Decrypt", Principal={"AWS": ROLE_ARN})),)
    assert ask(resource=direct, forms=FORMS, must_grant=True, action="kms:Decrypt").allowed


def test_not_principal():
    # "AWS JSON policy elements: NotPrincipal", "NotPrincipal with Deny": everyone but the listed is denied; who
    # is to be spared must be listed as account, role and session.
    statement = {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": [SESSION_ARN, ROLE_ARN, ROOT_ARN]},
        "Action": "*",
        "Resource": "*",
    }
    grant = (document(allow()),)
    assert ask(identity=grant, resource=(document(statement),), forms=FORMS).allowed
    for listed in ([ROLE_ARN, ROOT_ARN], [SESSION_ARN, ROLE_ARN], [ROOT_ARN]):
        partly = document({**statement, "NotPrincipal": {"AWS": listed}})
        assert ask(identity=grant, resource=(partly,), forms=FORMS).reason == policy.EXPLICIT_DENY
    # "Permissions boundaries for IAM entities": denies whoever has a boundary, regardless of the list.
    bounded = ask(identity=grant, resource=(document(statement),), forms=FORMS, boundary=grant[0])
    assert bounded.reason == policy.EXPLICIT_DENY
    other = {("*", "*"): DIRECT, ("AWS", "arn:aws:iam::9:root"): ACCOUNT}
    assert ask(identity=grant, resource=(document(statement),), forms=other).reason == policy.EXPLICIT_DENY


# --- condition operators


@pytest.mark.parametrize(
    ("operator", "want", "have", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["x", "a"], "a", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "a*c?", "abbcd", True),
        ("StringLike", "a*", "A", False),
        ("StringNotLike", "a*", "b", True),
        ("NumericEquals", "1", "1.0", True),
        ("NumericNotEquals", "1", "2", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", 10, "10", True),
        ("NumericGreaterThan", "10", "100", True),
        ("NumericGreaterThanEquals", "10", "9", False),
        ("NumericEquals", "1", "one", False),
        ("DateGreaterThan", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", True),
        ("DateLessThan", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", False),
        ("DateLessThan", "1700000000", "1600000000", True),
        ("DateEquals", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", True),
        ("DateNotEquals", "2020-01-01", "2020-01-02", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
        ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
        ("NotIpAddress", ["192.0.2.0/24", "203.0.113.0/24"], "203.0.113.7", False),
        ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
        ("ArnEquals", "arn:aws:sns:*:1:t*", "arn:aws:sns:r:1:topic", True),
        ("ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", True),
        ("ArnLike", "arn:aws:*:t", "arn:aws:sns:r:1:t", False),
        ("ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::other", True),
        ("ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::b", False),
    ],
)
def test_operators(operator, want, have, expected):
    condition = {operator: {"aws:Some": want}}
    assert holds(condition, {"aws:some": have}) is expected
    suffixed = {f"{operator}IfExists": {"aws:some": want}}
    assert holds(suffixed, {"aws:some": have}) is expected
    assert holds(suffixed)
    assert holds(condition) is ("Not" in operator)


def test_all_conditions_and_all_keys_must_hold():
    condition = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Bool": {"aws:c": "true"}}
    full = {"aws:a": "1", "aws:b": "2", "aws:c": "true"}
    assert holds(condition, full)
    for missing in full:
        assert not holds(condition, {name: text for name, text in full.items() if name != missing})


@pytest.mark.parametrize(
    ("operator", "have", "expected"),
    [
        # "Multivalued context keys": PostDate, Message, Tags in the documentation's table.
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "x"], False),
        ("ForAllValues:StringEquals", None, True),
        ("ForAnyValue:StringEquals", ["a", "x"], True),
        ("ForAnyValue:StringEquals", ["x"], False),
        ("ForAnyValue:StringEquals", None, False),
        ("ForAllValues:StringNotEquals", ["x", "y"], True),
        ("ForAllValues:StringNotEquals", ["x", "a"], False),
        ("ForAnyValue:StringNotEquals", ["x", "a"], True),
        ("ForAnyValue:StringNotEquals", ["a"], False),
        ("ForAnyValue:StringNotEquals", None, False),
        ("ForAllValues:StringLike", ["aa", "ab"], False),
    ],
)
def test_multivalued(operator, have, expected):
    assert holds({operator: {"aws:TagKeys": ["a", "b"]}}, {"aws:tagkeys": have} if have else {}) is expected


def test_null():
    assert holds({"Null": {"aws:TokenIssueTime": "true"}})
    assert not holds({"Null": {"aws:TokenIssueTime": "true"}}, {"aws:TokenIssueTime": "x"})
    assert holds({"Null": {"aws:TokenIssueTime": False}}, {"aws:TokenIssueTime": "x"})
    assert not holds({"Null": {"aws:TokenIssueTime": "false"}})


# --- policy variables


def test_variables_in_resource_and_condition():
    home = allow("s3:*", "arn:aws:s3:::mybucket/home/${aws:username}/*")
    listing = allow(
        "s3:ListBucket",
        "arn:aws:s3:::mybucket",
        Condition={"StringLike": {"s3:prefix": ["home/${aws:username}/*"]}},
    )
    keys = {"aws:username": "david", "s3:prefix": "home/david/x"}
    assert ask(home, arn="arn:aws:s3:::mybucket/home/david/x", keys=keys).allowed
    assert not ask(home, arn="arn:aws:s3:::mybucket/home/eve/x", keys=keys).allowed
    assert ask(listing, action="s3:ListBucket", arn="arn:aws:s3:::mybucket", keys=keys).allowed
    keys["s3:prefix"] = "home/eve/x"
    assert not ask(listing, action="s3:ListBucket", arn="arn:aws:s3:::mybucket", keys=keys).allowed


def test_variables_are_literal_in_the_older_version():
    home = allow("s3:*", "arn:aws:s3:::b/${aws:username}")
    keys = {"aws:username": "david"}
    assert not ask(home, arn="arn:aws:s3:::b/david", keys=keys, version="2008-10-17").allowed
    assert ask(home, arn="arn:aws:s3:::b/${aws:username}", keys=keys, version="2008-10-17").allowed


def test_variable_without_a_value_never_opens():
    keys: dict[str, str] = {}
    assert not ask(
        allow("s3:*", "arn:aws:s3:::b/${aws:username}/*"), arn="arn:aws:s3:::b//x", keys=keys
    ).allowed
    assert not ask(
        {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/${aws:username}"}, keys=keys
    ).allowed


def test_default_values_and_escapes():
    default = allow("s3:*", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*")
    assert ask(default, arn="arn:aws:s3:::b/company-wide/x").allowed
    assert ask(default, arn="arn:aws:s3:::b/red/x", keys={"aws:PrincipalTag/team": "red"}).allowed
    star = allow("s3:*", "arn:aws:s3:::b/${*}")
    assert ask(star, arn="arn:aws:s3:::b/*").allowed
    assert not ask(star, arn="arn:aws:s3:::b/x").allowed
    assert ask(allow("s3:*", "arn:aws:s3:::b/${$}"), arn="arn:aws:s3:::b/$").allowed


def test_a_value_with_wildcards_is_taken_literally():
    home = allow("s3:*", "arn:aws:s3:::b/${aws:username}/*")
    assert not ask(home, arn="arn:aws:s3:::b/eve/x", keys={"aws:username": "*"}).allowed


def test_variables_stand_only_after_the_fifth_colon():
    statement = allow("sns:Publish", "arn:aws:sns:eu-west-1:${aws:PrincipalAccount}:t")
    assert not ask(
        statement, action="sns:Publish", arn="arn:aws:sns:eu-west-1:1:t", keys={"aws:PrincipalAccount": "1"}
    ).allowed


# --- keys that nobody can tell


def test_an_unknown_key_denies_only_where_it_could_change_the_outcome():
    doubtful_deny = deny(Condition={"StringEquals": {"x:y": "1"}})
    unknown = Keys(unknown=["x:y"])
    decision = ask(allow(), doubtful_deny, keys=unknown)
    assert (decision.allowed, decision.reason, decision.unknown) == (False, policy.UNKNOWN_KEY, ("x:y",))
    assert ask(doubtful_deny, keys=unknown).reason == policy.IMPLICIT_DENY
    assert ask(allow(), deny("iam:*", Condition={"StringEquals": {"x:y": "1"}}), keys=unknown).allowed
    doubtful_allow = allow(Condition={"StringEquals": {"x:y": "1"}})
    assert ask(doubtful_allow, keys=unknown).reason == policy.UNKNOWN_KEY
    assert ask(doubtful_allow, allow(), keys=unknown).allowed
    settled = deny(Condition={"StringEquals": {"x:y": "1", "aws:a": "no"}})
    assert ask(allow(), settled, keys=Keys({"aws:a": "yes"}, ["x:y"])).allowed


def test_an_operator_that_does_not_exist_is_named():
    decision = ask(allow(), deny(Condition={"StringResembles": {"aws:a": "1"}}))
    assert (decision.reason, decision.unknown) == (policy.UNKNOWN_KEY, ("StringResembles",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"Statement": [{"Effect": "Maybe", "Action": "*"}]}',
        '{"Statement": [{"Effect": "Allow"}]}',
    ],
)
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(MalformedPolicy):
        parse(text)


def test_documents_are_compiled_once():
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow()]})
    assert parse(text, "n") is parse(text, "n")
