"""A rollback that fails says so, and goes on once the cause is gone."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.cloudformation.stacks import Stacks, new_name, parameter
from tests.sandbox.cloudformation.test_stacks import TRUST
from tests.sandbox_process import SandboxProcess


def _policy(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_continue_update_rollback(stacks: Stacks, sandbox: SandboxProcess) -> None:
    """The update takes the stack's role the right to undo it."""
    iam, role, name, taken = sandbox.client("iam"), new_name(), new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="theirs", Type="String")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    base = _policy("iam:*RolePolicy", "ssm:*")
    iam.put_role_policy(RoleName=role, PolicyName="base", PolicyDocument=json.dumps(base))
    deny = _policy("iam:*")
    deny["Statement"][0]["Effect"] = "Deny"

    def template(document: dict[str, Any], **more: Any) -> dict[str, Any]:
        properties = {"PolicyName": "own", "Roles": [role], "PolicyDocument": document}
        return {"Resources": {"Own": {"Type": "AWS::IAM::Policy", "Properties": properties}} | more}

    stacks.create(template(_policy("s3:ListBucket")), name, RoleARN=arn)
    bad = parameter("ours", Name=taken) | {"DependsOn": "Own"}
    stack = stacks.update(name, template(deny, Bad=bad))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to update: [Own]. "
    assert "not authorized to perform: iam:PutRolePolicy" in stacks.reasons(name)["Own"]
    iam.delete_role_policy(RoleName=role, PolicyName="own")
    stacks.client.continue_update_rollback(StackName=name)
    assert stacks.rest(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    restored = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    assert restored == _policy("s3:ListBucket")
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"


def test_rollback_stack(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, taken = new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="theirs", Type="String")
    before = {"Resources": {"P": parameter("one")}}
    after = {"Resources": {"P": parameter("two"), "Bad": parameter("x", Name=taken) | {"DependsOn": "P"}}}
    stacks.create(before, name)
    assert stacks.update(name, after, DisableRollback=True)["StackStatus"] == "UPDATE_FAILED"
    ssm, physical = sandbox.client("ssm"), stacks.physical(name)["P"]
    assert ssm.get_parameter(Name=physical)["Parameter"]["Value"] == "two"
    stacks.client.rollback_stack(StackName=name)
    assert stacks.rest(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ssm.get_parameter(Name=physical)["Parameter"]["Value"] == "one"


def test_a_failed_update_can_be_mended_by_the_next(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, taken = new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="theirs", Type="String")
    stacks.create({"Resources": {"P": parameter("one")}}, name)
    bad = {"Resources": {"P": parameter("two"), "B": parameter("x", Name=taken)}}
    stacks.update(name, bad, DisableRollback=True)
    good = {"Resources": {"P": parameter("two"), "B": parameter("x")}}
    assert stacks.update(name, good)["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)


def test_a_rollback_goes_back_beyond_failed_updates(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, taken, moved = new_name(), new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="theirs", Type="String")

    def template(value: str, physical: str, *, bad: bool) -> dict[str, Any]:
        resources = {"P": parameter(value), "M": parameter("m", Name=physical)}
        if bad:
            resources["B"] = parameter("x", Name=taken) | {"DependsOn": ["P", "M"]}
        return {"Resources": resources}

    stacks.create(template("one", name, bad=False), name)
    before = stacks.physical(name)
    assert stacks.update(name, template("two", moved, bad=True), DisableRollback=True)["StackStatus"] == (
        "UPDATE_FAILED"
    )
    stack = stacks.update(name, template("three", moved, bad=True))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", stacks.reasons(name)
    assert stacks.physical(name) == before
    ssm = sandbox.client("ssm")
    assert ssm.get_parameter(Name=before["P"])["Parameter"]["Value"] == "one"
    assert ssm.get_parameters(Names=[name, moved])["InvalidParameters"] == [moved]


def test_a_creation_that_failed_can_be_mended_or_undone(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, taken = new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="theirs", Type="String")
    bad = {
        "Resources": {"P": parameter("one", Name=name), "B": parameter("x", Name=taken) | {"DependsOn": "P"}}
    }
    assert stacks.create(bad, name, DisableRollback=True)["StackStatus"] == "CREATE_FAILED"
    bad["Resources"]["P"] = parameter("two", Name=name)
    assert stacks.update(name, bad)["StackStatus"] == "ROLLBACK_COMPLETE", stacks.reasons(name)
    assert sandbox.client("ssm").get_parameters(Names=[name])["InvalidParameters"] == [name]
    stacks.delete(name)
    stacks.create(bad, name, DisableRollback=True)
    good = {"Resources": {"P": parameter("two", Name=name), "B": parameter("x")}}
    assert stacks.update(name, good)["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)


def _role(name: str, policy: str) -> dict[str, Any]:
    properties = {"RoleName": name, "AssumeRolePolicyDocument": TRUST, "ManagedPolicyArns": [policy]}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def test_a_rollback_deletes_what_a_failed_creation_left(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name = new_name()
    target = {
        "Id": "t",
        "Arn": "arn:aws:sqs:us-east-1:123456789012:q",
        "RoleArn": "arn:aws:iam::123456789012:role/no",
    }
    resources = {
        "Role": _role(name, "arn:aws:iam::aws:policy/NotThere"),
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": name, "ScheduleExpression": "rate(1 day)", "Targets": [target]},
        },
    }
    for logical_id, declared in resources.items():
        stack = stacks.create({"Resources": {logical_id: declared}}, f"{name}-{logical_id}")
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE", logical_id
    assert name not in {role["RoleName"] for role in sandbox.client("iam").list_roles(MaxItems=1000)["Roles"]}
    assert not sandbox.client("events").list_rules(NamePrefix=name)["Rules"]


def test_a_half_made_resource_is_made_anew(stacks: Stacks, sandbox: SandboxProcess) -> None:
    """The template asks for nothing else of it, and it is not complete all the same."""
    iam, name = sandbox.client("iam"), new_name()
    policy = f"arn:aws:iam::123456789012:policy/{name}"
    template = {"Resources": {"R": _role(name, policy)}}
    assert stacks.create(template, name, DisableRollback=True)["StackStatus"] == "CREATE_FAILED"
    template["Resources"]["P"] = parameter("one")
    stack = stacks.update(name, template, DisableRollback=True)
    assert stack["StackStatus"] == "UPDATE_FAILED"
    iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(_policy("s3:ListBucket")))
    assert stacks.update(name, template)["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [item["PolicyArn"] for item in attached] == [policy]
    stacks.delete(name)
    iam.delete_policy(PolicyArn=policy)


def test_a_resource_that_was_never_made_may_become_another(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, taken = new_name(), new_name()
    sandbox.client("ssm").put_parameter(Name=taken, Value="theirs", Type="String")
    stacks.create({"Resources": {"B": parameter("x", Name=taken)}}, name, DisableRollback=True)
    topic = {"Resources": {"B": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}}}
    assert stacks.update(name, topic)["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    assert stacks.physical(name)["B"].startswith("arn:aws:sns:")
    stacks.delete(name)
