"""What a request may ask for besides its template: retention, triggers, allowed types, times, tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs, parameter, refusal
from tests.sandbox_process import SandboxProcess

KEEP = {"DeletionPolicy": "Retain"}
FORBIDDEN = parameter("x", Name="aws/forbidden")


def _exists(sandbox: SandboxProcess, name: str) -> bool:
    return bool(sandbox.client("ssm").get_parameters(Names=[name])["Parameters"])


@pytest.mark.parametrize("flag", [True, False])
def test_retain_except_on_create(stacks: Stacks, sandbox: SandboxProcess, flag: bool) -> None:
    name, kept, later = new_name(), new_name(), new_name()
    bad = FORBIDDEN | {"DependsOn": ["P"]}
    asked = {"Resources": {"P": parameter("x", Name=kept) | KEEP, "Bad": bad}}
    stack = stacks.create(asked, name, RetainExceptOnCreate=flag)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert _exists(sandbox, kept) is not flag
    stacks.delete(name)
    stacks.create({"Resources": {"Q": parameter("x")}}, name)
    asked = {"Resources": {"Q": parameter("x"), "P": parameter("x", Name=later) | KEEP, "Bad": bad}}
    assert stacks.update(name, asked, RetainExceptOnCreate=flag)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert _exists(sandbox, later) is not flag
    stacks.delete(name)


def test_a_deletion_can_be_forced(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, s3 = new_name(), sandbox.client("s3")
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
    stack = stacks.create({"Resources": {"B": bucket, "P": parameter("x")}}, name)
    s3.put_object(Bucket=name, Key="k", Body=b"")
    force = {"StackName": name, "DeletionMode": "FORCE_DELETE_STACK"}
    assert (
        "can only be specified for a stack in the DELETE_FAILED"
        in refusal(stacks.client.delete_stack, **force)[1]
    )
    assert stacks.delete(name)["StackStatus"] == "DELETE_FAILED"
    assert stacks.delete(name, DeletionMode="FORCE_DELETE_STACK")["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.events(stack["StackId"])[-2] == ("B", "DELETE_SKIPPED")
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)


def test_resource_types(stacks: Stacks) -> None:
    template = {"Resources": {"P": parameter("x"), "G": {"Type": "AWS::Logs::LogGroup"}}}
    assert refusal(stacks.create, template, ResourceTypes=["AWS::SSM::*", "Custom::*"]) == (
        "ValidationError",
        "Resource types [AWS::Logs::LogGroup] are not in the list of ResourceTypes",
    )
    stack = stacks.create(template, ResourceTypes=["AWS::SSM::*", "AWS::Logs::LogGroup"])
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    stacks.delete(stack["StackName"])


def test_rollback_triggers(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, cloudwatch = new_name(), sandbox.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    arn = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["AlarmArn"]
    trigger = {"Arn": arn, "Type": "AWS::CloudWatch::Alarm"}
    watched = {"RollbackTriggers": [trigger], "MonitoringTimeInMinutes": 20}
    stack = stacks.create({"Resources": {"P": parameter("x")}}, name, RollbackConfiguration=watched)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["RollbackConfiguration"] == watched
    watched["MonitoringTimeInMinutes"] = 180
    changed = {"StackName": name, "TemplateBody": json.dumps({"Resources": {"P": parameter("y")}})}
    stacks.client.update_stack(**changed, RollbackConfiguration=watched)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="told to")
    assert stacks.rest(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    events = stacks.client.describe_stack_events(StackName=name)["StackEvents"]
    why = next(e for e in events if e["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS")
    assert why["ResourceStatusReason"] == f"Alarm(s) [{name}] went into ALARM state."
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert stacks.update(name, {"Resources": {"P": parameter("y")}})["StackStatus"] == (
        "UPDATE_ROLLBACK_COMPLETE"
    )
    stacks.delete(name)


def test_snapshots_are_for_some_types(stacks: Stacks) -> None:
    assert refusal(stacks.create, {"Resources": {"P": parameter("x") | {"DeletionPolicy": "Snapshot"}}}) == (
        "ValidationError",
        "Template error: resource type AWS::SSM::Parameter does not support DeletionPolicy Snapshot",
    )


def test_events_of_operations(stacks: Stacks) -> None:
    name, client = new_name(), stacks.client
    started = client.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": {"P": parameter("x")}})
    )
    stacks.rest(name)
    bad = {"Resources": {"P": parameter("x"), "Bad": FORBIDDEN}}
    changed = client.update_stack(StackName=name, TemplateBody=json.dumps(bad))
    stacks.rest(name)
    told = client.describe_events(OperationId=started["OperationId"])["OperationEvents"]
    assert {event["OperationType"] for event in told} == {"CREATE_STACK"}
    assert (told[0]["EventType"], told[0]["OperationStatus"]) == ("STACK_EVENT", "SUCCEEDED")
    failed = client.describe_events(StackName=name, Filters={"FailedEvents": True})["OperationEvents"]
    assert {event["OperationId"] for event in failed} == {changed["OperationId"]}
    assert [event["LogicalResourceId"] for event in failed if event["EventType"] == "PROVISIONING_ERROR"] == [
        "Bad"
    ]
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["LastOperations"][0] == {
        "OperationType": "UPDATE_STACK",
        "OperationId": changed["OperationId"],
    }
    wrong = json.dumps({"Resources": {"P": parameter("x", Foo=1)}})
    client.create_change_set(StackName=name, ChangeSetName="wrong", TemplateBody=wrong)
    (event,) = client.describe_events(StackName=name, ChangeSetName="wrong")["OperationEvents"]
    assert (event["EventType"], event["LogicalResourceId"]) == ("VALIDATION_ERROR", "P")
    assert "extraneous key [Foo]" in event["ValidationStatusReason"]
    stacks.delete(name)


def test_secrets_are_resolved_and_not_shown(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, secrets = new_name(), sandbox.client("secretsmanager")
    arn = secrets.create_secret(Name=name, SecretString=json.dumps({"user": "u", "password": "hidden"}))[
        "ARN"
    ]
    template = {
        "Parameters": {"Token": {"Type": "String", "NoEcho": True}},
        "Resources": {
            "A": parameter(f"{{{{resolve:secretsmanager:{name}:SecretString:password}}}}"),
            "B": parameter({"Fn::Sub": f"{{{{resolve:secretsmanager:{arn}:SecretString:user}}}}-${{Token}}"}),
        },
    }
    given = [{"ParameterKey": "Token", "ParameterValue": "token-text"}]
    assert stacks.create(template, name, Parameters=given)["StackStatus"] == "CREATE_COMPLETE"
    ssm, physical = sandbox.client("ssm"), stacks.physical(name)
    assert ssm.get_parameter(Name=physical["A"])["Parameter"]["Value"] == "hidden"
    assert ssm.get_parameter(Name=physical["B"])["Parameter"]["Value"] == "u-token-text"
    told = json.dumps(stacks.client.describe_stack_events(StackName=name)["StackEvents"], default=str)
    assert "hidden" not in told and "token-text" not in told
    assert "SecretString:password}}" in told and "-****" in told
    secure = {"Resources": {"P": parameter("{{resolve:ssm-secure:x:1}}")}}
    assert refusal(stacks.create, secure)[1] == (
        "SSM Secure reference is not supported in: [AWS::SSM::Parameter/Properties/Value]"
    )
    stacks.delete(name)
    lost = stacks.create({"Resources": {"P": parameter(f"{{{{resolve:secretsmanager:{name}:x:y}}}}")}})
    assert lost["StackStatus"] == "ROLLBACK_COMPLETE"


def test_parameters_that_must_exist(stacks: Stacks, sandbox: SandboxProcess) -> None:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    template = {
        "Parameters": {"Vpc": {"Type": "AWS::EC2::VPC::Id"}},
        "Resources": {"P": parameter({"Ref": "Vpc"})},
        "Outputs": {"O": {"Value": {"Fn::GetAtt": "P.Value"}}},
    }
    stack = stacks.create(template, Parameters=[{"ParameterKey": "Vpc", "ParameterValue": vpc}])
    assert outputs(stack) == {"O": vpc}
    stacks.delete(stack["StackName"])
    lost = [{"ParameterKey": "Vpc", "ParameterValue": "vpc-0123456789abcdef0"}]
    stack = stacks.create(template, Parameters=lost)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = stacks.client.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
    assert events[1]["ResourceStatusReason"] == (
        "Parameter validation failed: parameter value vpc-0123456789abcdef0 for parameter name Vpc does not "
        "exist. Rollback requested by user."
    )
    ec2.delete_vpc(VpcId=vpc)


def test_a_nest_goes_back_and_is_protected(stacks: Stacks, sandbox: SandboxProcess) -> None:
    s3, name = sandbox.client("s3"), new_name()
    s3.create_bucket(Bucket=name)

    def child(key: str, **resources: Any) -> dict[str, Any]:
        s3.put_object(Bucket=name, Key=key, Body=json.dumps({"Resources": resources}).encode())
        url = f"https://{name}.s3.us-east-1.amazonaws.com/{key}"
        return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}

    inner = child("inner", P=parameter("one"))
    outer = child("outer", Inner=inner)
    stacks.create({"Resources": {"Outer": outer}}, name, EnableTerminationProtection=True)
    nested = stacks.physical(name)["Outer"]
    leaf = stacks.physical(nested)["Inner"]
    assert "TerminationProtection is enabled" in refusal(stacks.client.delete_stack, StackName=leaf)[1]
    value = sandbox.client("ssm").get_parameter
    changed = child("outer2", Inner=child("inner2", P=parameter("two")))
    bad = {"Resources": {"Outer": changed, "Bad": FORBIDDEN | {"DependsOn": "Outer"}}}
    assert stacks.update(name, bad)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.rest(leaf)["StackStatus"] == "UPDATE_COMPLETE"
    assert value(Name=stacks.physical(leaf)["P"])["Parameter"]["Value"] == "one"
    worse = child("outer3", Inner=child("inner3", P=parameter("three"), Bad=FORBIDDEN | {"DependsOn": "P"}))
    assert stacks.update(name, {"Resources": {"Outer": worse}})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert value(Name=stacks.physical(leaf)["P"])["Parameter"]["Value"] == "one"
    # The object behind an unchanged URL is another one: it is deployed, and taken back.
    child("inner", P=parameter("four"))
    again = {"Resources": {"Outer": outer}}
    assert stacks.update(name, again)["StackStatus"] == "UPDATE_COMPLETE"
    assert value(Name=stacks.physical(leaf)["P"])["Parameter"]["Value"] == "four"
    child("outer", P=parameter("five"))
    bad = {"Resources": {"Outer": outer, "Bad": FORBIDDEN | {"DependsOn": "Outer"}}}
    assert stacks.update(name, bad)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", stacks.reasons(name)
    assert set(stacks.physical(nested)) == {"Inner"}
    leaf = stacks.physical(nested)["Inner"]
    stacks.client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.rest(leaf)["StackStatus"] == "DELETE_COMPLETE"


def test_topics_are_told(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name, sns, sqs = new_name(), sandbox.client("sns"), sandbox.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    template = {"Resources": {"P": parameter({"Fn::Join": [",", {"Ref": "AWS::NotificationARNs"}]})}}
    stack = stacks.create(template, name, NotificationARNs=[topic])
    assert stack["NotificationARNs"] == [topic]
    told: set[tuple[str, str]] = set()
    while (name, "CREATE_COMPLETE") not in told or ("P", "CREATE_COMPLETE") not in told:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        assert answer.get("Messages"), told
        for message in answer["Messages"]:
            body = json.loads(message["Body"])
            assert body["Subject"] == "AWS CloudFormation Notification"
            lines = dict(line.split("=", 1) for line in body["Message"].splitlines())
            assert lines["StackId"] == f"'{stack['StackId']}'"
            told.add((lines["LogicalResourceId"].strip("'"), lines["ResourceStatus"].strip("'")))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    value = sandbox.client("ssm").get_parameter(Name=stacks.physical(name)["P"])["Parameter"]["Value"]
    assert value == topic
    assert "Invalid NotificationARNs" in refusal(stacks.create, template, NotificationARNs=["mine"])[1]
    stacks.delete(name)
    sns.delete_topic(TopicArn=topic)
    sqs.delete_queue(QueueUrl=queue)
