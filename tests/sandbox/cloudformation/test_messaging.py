"""One stack of queues, topics, functions and rules: created, proven by a message, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.cloudformation.stacks import Stacks, new_name
from tests.sandbox.messaging import WAIT
from tests.sandbox_process import SandboxProcess

INLINE = """
import json, os
import boto3
import cfnresponse
def handler(event, context):
    text = json.dumps([os.environ["WORD"], event])
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=text)
"""


def get(logical: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical, attribute]}


def allow(service: str, action: str, resource: Any, source: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def template(name: str, word: str) -> dict[str, Any]:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    may = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["logs:*", "sqs:*"], "Resource": "*"}],
    }
    variables = {"WORD": word, "QUEUE": {"Ref": "Out"}}
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Role": (
            "IAM::Role",
            {
                "AssumeRolePolicyDocument": trust,
                "Policies": [{"PolicyName": "p", "PolicyDocument": may}],
            },
        ),
        "Out": ("SQS::Queue", {}),
        "Dead": ("SQS::Queue", {"MessageRetentionPeriod": 1209600}),
        "In": (
            "SQS::Queue",
            {
                "VisibilityTimeout": 180,
                "RedrivePolicy": {"deadLetterTargetArn": get("Dead", "Arn"), "maxReceiveCount": 5},
                "Tags": [{"Key": "word", "Value": word}],
            },
        ),
        "InPolicy": (
            "SQS::QueuePolicy",
            {
                "Queues": [{"Ref": "In"}],
                "PolicyDocument": allow(
                    "sns.amazonaws.com", "sqs:SendMessage", get("In", "Arn"), {"Ref": "Topic"}
                ),
            },
        ),
        "Topic": ("SNS::Topic", {"DisplayName": word}),
        "TopicPolicy": (
            "SNS::TopicPolicy",
            {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": allow(
                    "events.amazonaws.com", "sns:Publish", {"Ref": "Topic"}, get("Rule", "Arn")
                ),
            },
        ),
        "Subscription": (
            "SNS::Subscription",
            {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": get("In", "Arn"),
                "RawMessageDelivery": True,
            },
        ),
        "Bus": ("Events::EventBus", {"Name": name}),
        "BusPolicy": (
            "Events::EventBusPolicy",
            {
                "EventBusName": {"Ref": "Bus"},
                "StatementId": "own",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                    "Action": "events:PutEvents",
                    "Resource": get("Bus", "Arn"),
                },
            },
        ),
        "Rule": (
            "Events::Rule",
            {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": ["my.app"]},
                "Targets": [{"Id": "topic", "Arn": {"Ref": "Topic"}, "InputPath": "$.detail"}],
            },
        ),
        "Function": (
            "Lambda::Function",
            {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": get("Role", "Arn"),
                "Timeout": 30,
                "Code": {"ZipFile": INLINE},
                "Environment": {"Variables": variables},
            },
        ),
        "Version": ("Lambda::Version", {"FunctionName": {"Ref": "Function"}}),
        "Alias": (
            "Lambda::Alias",
            {
                "FunctionName": {"Ref": "Function"},
                "Name": "live",
                "FunctionVersion": "$LATEST" if word == "second" else get("Version", "Version"),
            },
        ),
        "Permission": (
            "Lambda::Permission",
            {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
            },
        ),
        "Settings": (
            "Lambda::EventInvokeConfig",
            {"FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": 0},
        ),
        "Mapping": (
            "Lambda::EventSourceMapping",
            {"FunctionName": {"Ref": "Alias"}, "EventSourceArn": get("In", "Arn"), "BatchSize": 1},
        ),
    }
    return {
        "Resources": {
            logical: {"Type": f"AWS::{kind}", "Properties": properties}
            for logical, (kind, properties) in resources.items()
        },
        "Outputs": {"Out": {"Value": {"Ref": "Out"}}, "Function": {"Value": {"Ref": "Function"}}},
    }


def test_an_event_goes_all_the_way(sandbox: SandboxProcess) -> None:
    stacks, name = Stacks(sandbox.client("cloudformation")), new_name()
    capabilities = {"Capabilities": ["CAPABILITY_IAM"]}
    stack = stacks.create(template(name, "first"), name, **capabilities)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert come_out(sandbox, name, outputs["Out"]) == "first"
    stack = stacks.update(name, template(name, "second"), **capabilities)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    assert come_out(sandbox, name, outputs["Out"]) == "second"
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
    functions = sandbox.client("lambda").list_functions()["Functions"]
    assert outputs["Function"] not in [one["FunctionName"] for one in functions]


def come_out(sandbox: SandboxProcess, bus: str, queue: str) -> str:
    """Puts an event on the bus; the word that the function at the end of the way was told."""
    entry = {"Source": "my.app", "DetailType": "x", "Detail": '{"n": 1}', "EventBusName": bus}
    sandbox.client("events").put_events(Entries=[entry])
    sqs = sandbox.client("sqs")
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=WAIT)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    word, event = json.loads(message["Body"])
    assert [json.loads(record["body"]) for record in event["Records"]] == [{"n": 1}]
    return str(word)
