"""The permissions report: what policies grant by name, what was used, and what is kept over a restart."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import permissions
from sandbox.iam.documented import of_trust
from sandbox.iam.granted import granted
from sandbox.iam.ledger import ALLOWED, CALLED, DENIED, UNMAPPED_PREFIX, Ledger
from sandbox.state.decisions import DecisionRecords, read

ROLE = "arn:aws:iam::123456789012:role/reported"


def policy(*statements: dict, kind: str = "identity") -> dict[str, str]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"kind": kind, "name": kind, "document": json.dumps(document)}


def allow(*actions: str, **more: object) -> dict:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def test_wildcards_are_spelled_out_and_boundaries_cut() -> None:
    found = granted([policy(allow("sqs:Get*", "SQS:sendmessage"))])
    assert found == {"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
    assert granted([policy(allow("sqs:*")), policy(allow("sqs:Get*"), kind="boundary")]) == {
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
    }
    denied = {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
    assert granted([policy(denied)]) == frozenset()


def test_not_action_grants_every_other_action() -> None:
    found = granted([policy({"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"})])
    assert "sqs:SendMessage" in found and not any(name.startswith(("iam:", "s3:")) for name in found)


def test_an_action_that_aws_does_not_publish_stands_for_itself() -> None:
    assert granted([policy(allow("sqs:Fly"))]) == {"sqs:Fly"}


@given(
    st.lists(
        st.sampled_from(["sqs:Get*", "sns:Publish", "sqs:SendMessage", "sns:*", "sqs:?etQueue*"]), min_size=1
    )
)
def test_more_statements_never_grant_less(actions: list[str]) -> None:
    whole = granted([policy(allow(*actions))])
    assert whole == frozenset().union(*(granted([policy(allow(action))]) for action in actions))


def test_what_aws_documents_for_a_service_is_told_by_the_trust_policy() -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    assert "ecr:BatchGetImage" in of_trust(json.dumps({"Statement": trust}))
    trust["Principal"] = {"AWS": "arn:aws:iam::123456789012:root"}
    assert of_trust(json.dumps({"Statement": [trust]})) == frozenset()


@pytest.fixture()
def state(tmp_path: Path) -> Path:
    """Decisions of one role and one user, written by one process and gone on with by the next."""
    policies = [policy(allow("sqs:SendMessage", "sqs:PurgeQueue"))]
    for _ in range(2):
        ledger = Ledger()
        records = DecisionRecords(tmp_path, ledger, lambda arn: policies if arn == ROLE else None)
        records.start()
        ledger.called(ROLE, "sqs", "SendMessage")
        for action, outcome in (
            ("sqs:SendMessage", ALLOWED),
            ("sqs:DeleteQueue", DENIED),
            ("sqs:Fly", UNMAPPED_PREFIX + "the action is not known"),
        ):
            ledger._count((ROLE, action, outcome))
        ledger.called("arn:aws:iam::123456789012:user/someone", "sqs", "ListQueues")
        records.close()
    return tmp_path


def test_counts_go_on_after_a_restart(state: Path) -> None:
    assert read(state).totals[ROLE, "sqs:SendMessage", CALLED] == 2


def test_the_report_tells_used_unused_refused_and_unmapped(state: Path) -> None:
    report = permissions.report(state)
    role, user = report.principals
    assert (role.name, role.calls) == ("reported", {"sqs:SendMessage": 2})
    assert (role.unused, role.refused) == ({"sqs:PurgeQueue"}, {"sqs:DeleteQueue": 2})
    assert role.unmapped == {"sqs:Fly: the action is not known": 2}
    assert (user.granted, user.unused) == (None, frozenset())
    assert (report.unmapped, report.granted, report.unused, report.unused_share) == (2, 2, 1, 0.5)
    assert [item.name for item in permissions.report(state, names=["rep*"]).principals] == ["reported"]


def test_a_state_that_never_ran_has_nothing_to_report(tmp_path: Path) -> None:
    report = permissions.report(tmp_path)
    assert (report.principals, report.unused_share) == ((), 0.0)
