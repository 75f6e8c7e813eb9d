"""Custom resources through the door: a function makes them, by the protocol that AWS documents."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs, parameter
from tests.sandbox_process import SandboxProcess
from tests.waiting import until

# Answers as AWS's own cfn-response module does; what it answers is in the resource's properties.
PROVIDER = """
import json, urllib.parse, urllib.request
from http.client import HTTPSConnection

def handler(event, context):
    wanted, kind = event["ResourceProperties"], event["RequestType"]
    with open(wanted["Log"], "a") as log:
        log.write(json.dumps(event) + "\\n")
    if kind in wanted.get("Silent", []):
        return
    answer = {"Status": "FAILED" if kind in wanted.get("Fail", []) else "SUCCESS", "Reason": "as told"}
    answer |= {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer["PhysicalResourceId"] = wanted.get("Physical") or event.get("PhysicalResourceId") or "made"
    answer["NoEcho"] = wanted.get("Hidden") == "true"
    answer["Data"] = {"Echo": wanted.get("Text", ""), "Padding": "x" * (5000 if kind in wanted.get("Long", []) else 0)}
    body = json.dumps(answer).encode()
    if wanted.get("Tls"):  # takes no notice of the URL's scheme
        parts = urllib.parse.urlsplit(event["ResponseURL"])
        connection = HTTPSConnection(getattr(parts, wanted["Tls"]), timeout=20)
        connection.request("PUT", f"{parts.path}?{parts.query}", body, {"content-type": ""})
        assert connection.getresponse().status == 200
        return
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request, timeout=20)
"""


@pytest.fixture(scope="module")
def provider(sandbox: SandboxProcess) -> str:
    """The ARN of the function behind the resources."""
    return _function(sandbox)


def _function(sandbox: SandboxProcess) -> str:
    iam, functions, name = sandbox.client("iam"), sandbox.client("lambda"), new_name()
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", PROVIDER)
    functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Timeout=60,
        Code={"ZipFile": packed.getvalue()},
    )
    found = until(lambda: _active(functions, name))
    return str(found["FunctionArn"])


def _active(functions: Any, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] = functions.get_function(FunctionName=name)["Configuration"]
    return found if found["State"] == "Active" else None


Resource = Callable[..., dict[str, Any]]


@pytest.fixture
def resource(provider: str, tmp_path: Path) -> Resource:
    """A custom resource whose provider notes every request in `events`."""

    def make(**properties: Any) -> dict[str, Any]:
        given = {"ServiceToken": provider, "Log": str(tmp_path / "log")} | properties
        return {"Type": "Custom::Thing", "Properties": given}

    return make


@pytest.fixture
def events(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]

    return read


Events = Callable[[], list[dict[str, Any]]]


def _kinds(events: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(event["RequestType"], event.get("PhysicalResourceId")) for event in events]


def test_life_of_a_custom_resource(stacks: Stacks, resource: Resource, events: Events, provider: str) -> None:
    def template(text: str, physical: str, **more: Any) -> dict[str, Any]:
        made = resource(Text=text, Physical=physical, Deep={"On": True, "Of": [1, 2.5]}, **more)
        shown = {"Echo": {"Value": {"Fn::GetAtt": ["C", "Echo"]}}, "Ref": {"Value": {"Ref": "C"}}}
        return {"Resources": {"C": made, "P": parameter({"Fn::GetAtt": "C.Echo"})}, "Outputs": shown}

    name = new_name()
    stack = stacks.create(template("one", "a"), name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    assert outputs(stack) == {"Echo": "one", "Ref": "a"}
    (event,) = events()
    assert event["ResponseURL"].startswith("http")
    assert event["ResourceProperties"]["Deep"] == {"On": "true", "Of": ["1", "2.5"]}
    assert (event["RequestType"], event["ResourceType"]) == ("Create", "Custom::Thing")
    assert (event["StackId"], event["LogicalResourceId"]) == (stack["StackId"], "C")
    assert event["ServiceToken"] == event["ResourceProperties"]["ServiceToken"] == provider

    assert outputs(stacks.update(name, template("two", "a"))) == {"Echo": "two", "Ref": "a"}
    stack = stacks.update(name, template("three", "b"))
    assert (stack["StackStatus"], outputs(stack)) == ("UPDATE_COMPLETE", {"Echo": "three", "Ref": "b"})
    assert _kinds(events()) == [("Create", None), ("Update", "a"), ("Update", "a"), ("Delete", "a")]
    assert events()[1]["OldResourceProperties"]["Text"] == "one"
    assert events()[3]["ResourceProperties"]["Text"] == "two"
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
    assert _kinds(events())[4:] == [("Delete", "b")]
    assert len({event["RequestId"] for event in events()}) == 5


def test_an_update_that_fails_goes_back(stacks: Stacks, resource: Resource, events: Events) -> None:
    name = new_name()
    stacks.create({"Resources": {"C": resource(Text="one", Physical="a")}}, name)
    failing = {"Resources": {"C": resource(Text="two", Physical="a", Fail=["Update"])}}
    assert stacks.update(name, failing)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    said = "Received response status [FAILED] from custom resource. Message returned: as told (RequestId: "
    assert stacks.reasons(name)["C"].startswith(said)
    # A successor is updated back, and deleted once its provider answered with the first one again.
    bad = parameter("x", Name="aws/forbidden") | {"DependsOn": "C"}
    later = {"Resources": {"C": resource(Text="three", Physical="b"), "Bad": bad}}
    assert stacks.update(name, later)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert _kinds(events()) == [
        ("Create", None),
        ("Update", "a"),
        ("Update", "a"),
        ("Update", "a"),
        ("Update", "b"),
        ("Delete", "b"),
    ]
    assert [event["ResourceProperties"]["Text"] for event in events()] == [
        "one",
        "two",
        "one",
        "three",
        "one",
        "three",
    ]
    assert stacks.physical(name)["C"] == "a"
    stacks.delete(name)


def test_creations_that_fail(stacks: Stacks, resource: Resource, events: Events) -> None:
    """Each is deleted on the way back, under the name that the provider told or one made for it."""
    name = new_name()
    resources = {
        "Failed": resource(Physical="failed", Fail=["Create"]),
        "Silent": resource(Silent=["Create"], ServiceTimeout=1),
        "Long": resource(Long=["Create"]),
    }
    for logical_id, declared in resources.items():
        stack = stacks.create({"Resources": {logical_id: declared}}, f"{name}-{logical_id}")
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE", logical_id
    reasons = {key: stacks.reasons(f"{name}-{key}")[key] for key in resources}
    assert "Message returned: as told" in reasons["Failed"]
    assert reasons["Silent"].startswith(
        "CloudFormation did not receive a response from your Custom Resource."
    )
    assert reasons["Long"] == "Response object is too long."
    deleted = [event["PhysicalResourceId"] for event in events() if event["RequestType"] == "Delete"]
    assert deleted[0] == "failed"
    assert deleted[1].startswith(f"{name}-Silent-Silent-")
    assert len(deleted) == 3


def test_what_a_provider_hides_is_shown_nowhere(stacks: Stacks, resource: Resource) -> None:
    name = new_name()
    hidden = resource(Text="secret-text", Hidden=True)
    template = {"Resources": {"C": hidden, "P": parameter({"Fn::Sub": "<${C.Echo}>"})}}
    assert stacks.create(template, name)["StackStatus"] == "CREATE_COMPLETE"
    events = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    shown = [event["ResourceProperties"] for event in events if event["LogicalResourceId"] == "P"]
    assert {json.loads(text)["Value"] for text in shown} == {"<****>"}
    stacks.delete(name)


@pytest.mark.parametrize("part", ["netloc", "hostname"])
def test_a_provider_that_insists_on_tls_is_heard(stacks: Stacks, resource: Resource, part: str) -> None:
    """`netloc`: as crhelper does. `hostname`: as many a sample's own function does, whose port is then 443."""
    shown = {"Echo": {"Value": {"Fn::GetAtt": ["C", "Echo"]}}}
    name = new_name()
    stack = stacks.create({"Resources": {"C": resource(Tls=part, Text="over TLS")}, "Outputs": shown}, name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    assert outputs(stack) == {"Echo": "over TLS"}
    stacks.delete(name)


def test_a_service_token_stays(stacks: Stacks, resource: Resource, provider: str) -> None:
    name = new_name()
    stacks.create({"Resources": {"C": resource()}}, name)
    other = {"Resources": {"C": resource(ServiceToken=provider + "-other")}}
    assert stacks.update(name, other)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.reasons(name)["C"] == "Modifying service token is not allowed."
    lost = stacks.create({"Resources": {"C": resource(ServiceToken=provider + "-lost")}})
    assert lost["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Function not found" in stacks.reasons(lost["StackName"])["C"]
    assert "Error Code: ResourceNotFoundException" in stacks.reasons(lost["StackName"])["C"]
    stacks.delete(name)


def test_a_response_is_waited_for_beyond_a_kill(tmp_path: Path) -> None:
    """The provider is asked once; its answer comes after the sandbox was killed and started again."""
    sandbox, log = SandboxProcess(tmp_path / "state"), tmp_path / "log"
    try:
        given = {"ServiceToken": _function(sandbox), "Log": str(log), "Silent": ["Create"]}
        shown = {"O": {"Value": {"Fn::GetAtt": "C.Late"}}}
        template = {"Resources": {"C": {"Type": "Custom::Thing", "Properties": given}}, "Outputs": shown}
        name = new_name()
        sandbox.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
        event = json.loads(until(lambda: log.read_text() if log.exists() and log.read_text() else None))
        sandbox.kill()
        sandbox.start_again()
        answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": "late", "Data": {"Late": "yes"}}
        request = Request(
            event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT"
        )
        with urlopen(request) as response:
            assert response.status == 200
        stacks = Stacks(sandbox.client("cloudformation"))
        stack = stacks.rest(name)
        assert (stack["StackStatus"], outputs(stack)) == ("CREATE_COMPLETE", {"O": "yes"})
        assert {json.loads(line)["RequestId"] for line in log.read_text().splitlines()} == {
            event["RequestId"]
        }
        url = event["ResponseURL"].replace("Signature=", "Signature=0")
        with pytest.raises(HTTPError, match="403"):
            urlopen(Request(url, b"{}", method="PUT"))
    finally:
        sandbox.stop()


def test_wait_conditions(stacks: Stacks) -> None:
    name = new_name()
    waiting = {"Handle": {"Ref": "H"}, "Timeout": "43200", "Count": 2}
    template = {
        "Resources": {
            "H": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            "W": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": waiting},
        },
        "Outputs": {"Data": {"Value": {"Fn::GetAtt": "W.Data"}}},
    }
    stacks.client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    url = until(lambda: stacks.physical(name).get("H") or None)
    for unique in ("a", "a", "b"):
        _signal(url, unique, "SUCCESS")
    stack = stacks.rest(name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    assert json.loads(outputs(stack)["Data"]) == {"a": "data of a", "b": "data of b"}
    stacks.delete(name)

    failing = new_name()
    stacks.client.create_stack(StackName=failing, TemplateBody=json.dumps(template))
    _signal(until(lambda: stacks.physical(failing).get("H") or None), "c", "FAILURE")
    assert stacks.rest(failing)["StackStatus"] == "ROLLBACK_COMPLETE"
    wanted = "WaitCondition received failed message: 'because' for uniqueId: c"
    assert stacks.reasons(failing)["W"] == wanted
    waiting["Timeout"] = "60"
    stack = stacks.create(template)
    wanted = "WaitCondition timed out. Received 0 conditions when expecting 2"
    assert stacks.reasons(stack["StackName"])["W"] == wanted


def _signal(url: str, unique: str, status: str) -> None:
    signal = {"Status": status, "UniqueId": unique, "Data": f"data of {unique}", "Reason": "because"}
    with urlopen(Request(url, json.dumps(signal).encode(), {"Content-Type": ""}, method="PUT")) as response:
        assert response.status == 200
