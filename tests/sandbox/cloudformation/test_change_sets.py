"""Change sets: the right changes by resource, execution, refusals."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs, parameter, refusal
from tests.sandbox_process import SandboxProcess


def plan(stacks: Stacks, name: str, template: dict[str, Any], kind: str = "UPDATE") -> dict[str, Any]:
    made = stacks.client.create_change_set(
        StackName=name,
        ChangeSetName=f"c{new_name()}",
        TemplateBody=json.dumps(template),
        ChangeSetType=kind,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    identifier = made["Id"].split("/")[1]
    return stacks.client.describe_change_set(ChangeSetName=identifier, StackName=name)


def changes(described: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    found = [item["ResourceChange"] for item in described["Changes"]]
    return {item["LogicalResourceId"]: (item["Action"], item.get("Replacement")) for item in found}


def test_create_and_update(stacks: Stacks) -> None:
    name, first, second = new_name(), new_name(), new_name()
    before = {
        "Resources": {
            "Value": parameter("one"),
            "Name": parameter("x", Name=first),
            "User": parameter({"Fn::GetAtt": "Value.Value"}),
            "Gone": parameter("g"),
            "Same": parameter("s"),
        }
    }
    described = plan(stacks, name, before, "CREATE")
    assert described["Status"] == "CREATE_COMPLETE"
    assert described["ExecutionStatus"] == "AVAILABLE"
    assert set(changes(described).values()) == {("Add", None)}
    assert stacks.client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    stacks.client.execute_change_set(StackName=name, ChangeSetName=described["ChangeSetName"])
    assert stacks.rest(name)["StackStatus"] == "CREATE_COMPLETE"
    after = {
        "Resources": {
            "Value": parameter("two"),
            "Name": parameter("x", Name=second),
            "User": parameter({"Fn::GetAtt": "Value.Value"}),
            "Same": parameter("s"),
            "New": parameter({"Ref": "Name"}),
        }
    }
    described = plan(stacks, name, after)
    assert changes(described) == {
        "Value": ("Modify", "False"),
        "Name": ("Modify", "True"),
        "User": ("Modify", "False"),
        "Gone": ("Remove", None),
        "New": ("Add", None),
    }
    user = next(
        c["ResourceChange"]
        for c in described["Changes"]
        if c["ResourceChange"]["LogicalResourceId"] == "User"
    )
    assert user["Details"][0]["Evaluation"] == "Dynamic"
    assert user["Details"][0]["CausingEntity"] == "Value.Value"
    assert "BeforeValue" not in user["Details"][0]["Target"]
    with_values = stacks.client.describe_change_set(
        StackName=name, ChangeSetName=described["ChangeSetName"], IncludePropertyValues=True
    )
    targets = {
        change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"]["Details"][0]["Target"]
        for change in with_values["Changes"]
        if change["ResourceChange"]["Details"]
    }
    assert (targets["Value"]["BeforeValue"], targets["Value"]["AfterValue"]) == ("one", "two")
    assert targets["User"]["AfterValue"] == "{{changeSet:KNOWN_AFTER_APPLY}}"
    stacks.client.execute_change_set(StackName=name, ChangeSetName=described["ChangeSetName"])
    assert stacks.rest(name)["StackStatus"] == "UPDATE_COMPLETE"
    code, _ = refusal(
        stacks.client.execute_change_set, StackName=name, ChangeSetName=described["ChangeSetName"]
    )
    assert code == "InvalidChangeSetStatus"


def test_without_changes(stacks: Stacks) -> None:
    name, template = new_name(), {"Resources": {"P": parameter("x")}}
    stacks.create(template, name)
    described = plan(stacks, name, template)
    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_invalid_properties_fail_the_change_set(stacks: Stacks) -> None:
    name = new_name()
    described = plan(stacks, name, {"Resources": {"P": parameter("x", Foo=1)}}, "CREATE")
    assert described["Status"] == "FAILED"
    assert "extraneous key [Foo] is not permitted" in described["StatusReason"]


def test_outputs_alone_are_a_change(stacks: Stacks) -> None:
    name, template = new_name(), {"Resources": {"P": parameter("x")}}
    stacks.create(template, name)
    stack = stacks.update(name, template | {"Outputs": {"O": {"Value": {"Fn::GetAtt": "P.Value"}}}})
    assert outputs(stack) == {"O": "x"}


def test_list_and_delete(stacks: Stacks) -> None:
    name, template = new_name(), {"Resources": {"P": parameter("x")}}
    stacks.create(template, name)
    described = plan(stacks, name, {"Resources": {"P": parameter("y")}})
    listed = stacks.client.list_change_sets(StackName=name)["Summaries"]
    assert [item["ChangeSetName"] for item in listed] == [described["ChangeSetName"]]
    stacks.client.delete_change_set(StackName=name, ChangeSetName=described["ChangeSetName"])
    code, _ = refusal(
        stacks.client.describe_change_set, StackName=name, ChangeSetName=described["ChangeSetName"]
    )
    assert code == "ChangeSetNotFound"


def test_where_changes_come_from(stacks: Stacks) -> None:
    name = new_name()
    template: dict[str, Any] = {
        "Parameters": {"V": {"Type": "String", "Default": "one"}},
        "Resources": {
            "P": parameter({"Ref": "V"}, Description="text", Tags={"of": "template"}),
            "Same": parameter("x"),
        },
    }
    stacks.create(template, name)
    template["Resources"]["P"]["Properties"] |= {"Description": "other", "Tags": {"of": {"Ref": "V"}}}
    stacks.client.create_change_set(
        StackName=name,
        ChangeSetName="c",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "V", "ParameterValue": "two"}],
        IncludeNestedStacks=True,
    )
    (change,) = stacks.client.describe_change_set(StackName=name, ChangeSetName="c")["Changes"]
    found = {
        (
            item["Target"].get("Name", "Tags"),
            item["ChangeSource"],
            item["Evaluation"],
            item.get("CausingEntity"),
        )
        for item in change["ResourceChange"]["Details"]
    }
    assert found == {
        ("Value", "ParameterReference", "Static", "V"),
        ("Value", "DirectModification", "Dynamic", None),
        ("Description", "DirectModification", "Static", None),
        ("Tags", "ParameterReference", "Static", "V"),
        ("Tags", "DirectModification", "Dynamic", None),
    }
    assert change["ResourceChange"]["Scope"] == ["Properties", "Tags"]
    stacks.delete(name)


def test_what_exists_is_imported_on_the_way_by_none(stacks: Stacks, sandbox: SandboxProcess) -> None:
    """`cdk bootstrap` asks for ImportExistingResources, most often where nothing exists yet."""
    ssm, taken = sandbox.client("ssm"), new_name()
    ssm.put_parameter(Name=taken, Value="theirs", Type="String")
    for status, own in (("ROLLBACK_COMPLETE", taken), ("CREATE_COMPLETE", new_name())):
        name, template = new_name(), {"Resources": {"A": parameter("ours", Name=own)}}
        stacks.client.create_change_set(
            StackName=name,
            ChangeSetName="first",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(template),
            ImportExistingResources=True,
        )
        stacks.client.execute_change_set(StackName=name, ChangeSetName="first")
        assert stacks.rest(name)["StackStatus"] == status
        told = stacks.reasons(name).get("A") or ""
        assert ("ImportExistingResources is not implemented by the sandbox" in told) == (own == taken), told
        stacks.delete(name)
    assert ssm.get_parameter(Name=taken)["Parameter"]["Value"] == "theirs"
