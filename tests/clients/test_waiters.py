"""boto3's waiters: each ends as its model says, when what it waits for is there, is gone, or has failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.sandbox_process import SandboxProcess

OFTEN = {"Delay": 1, "MaxAttempts": 60}
ONCE = {"Delay": 1, "MaxAttempts": 1}
NAME = "clients-waiters"


def template(kind: str = "String", **more: Any) -> str:
    properties = {"Type": kind, "Value": "x"} | more
    return json.dumps({"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": properties}}})


@pytest.mark.clients
def test_of_stacks_and_change_sets(sandbox: SandboxProcess) -> None:
    cloudformation = sandbox.client("cloudformation")

    def wait(name: str, **request: Any) -> None:
        cloudformation.get_waiter(name).wait(WaiterConfig=OFTEN, **request)

    cloudformation.create_stack(StackName=NAME, TemplateBody=template())
    wait("stack_exists", StackName=NAME)
    wait("stack_create_complete", StackName=NAME)
    for change, changes in (("one", template()), ("two", template(Description="d"))):
        cloudformation.create_change_set(StackName=NAME, ChangeSetName=change, TemplateBody=changes)
    with pytest.raises(WaiterError, match="didn't contain changes|terminal failure"):
        wait("change_set_create_complete", StackName=NAME, ChangeSetName="one")
    wait("change_set_create_complete", StackName=NAME, ChangeSetName="two")
    cloudformation.execute_change_set(StackName=NAME, ChangeSetName="two")
    wait("stack_update_complete", StackName=NAME)
    cloudformation.delete_stack(StackName=NAME)
    wait("stack_delete_complete", StackName=NAME)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_exists").wait(StackName=NAME, WaiterConfig=ONCE)
    sandbox.client("ssm").put_parameter(Name=NAME, Type="String", Value="taken")
    cloudformation.create_stack(StackName=f"{NAME}-bad", TemplateBody=template(Name=NAME))
    with pytest.raises(WaiterError, match="terminal failure"):
        wait("stack_create_complete", StackName=f"{NAME}-bad")
    cloudformation.delete_stack(StackName=f"{NAME}-bad")


def test_of_identities(sandbox: SandboxProcess) -> None:
    iam = sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    iam.create_user(UserName=NAME)
    iam.create_role(
        RoleName=NAME, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    made = iam.create_policy(
        PolicyName=NAME, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    )
    iam.create_instance_profile(InstanceProfileName=NAME)
    iam.get_waiter("user_exists").wait(UserName=NAME)
    iam.get_waiter("role_exists").wait(RoleName=NAME)
    iam.get_waiter("policy_exists").wait(PolicyArn=made["Policy"]["Arn"])
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=NAME)
    for waiter, request in (
        ("user_exists", {"UserName": "clients-none"}),
        ("role_exists", {"RoleName": "clients-none"}),
        ("instance_profile_exists", {"InstanceProfileName": "clients-none"}),
    ):
        with pytest.raises(WaiterError, match="Max attempts"):
            iam.get_waiter(waiter).wait(WaiterConfig=ONCE, **request)


def test_of_sagemaker_functions_and_alarms(sandbox: SandboxProcess) -> None:
    sagemaker = sandbox.client("sagemaker")
    with pytest.raises(WaiterError, match="terminal failure"):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="clients-none", WaiterConfig=ONCE)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="clients-none", WaiterConfig=ONCE)
    for waiter, member in (
        ("training_job_completed_or_stopped", "TrainingJobName"),
        ("processing_job_completed_or_stopped", "ProcessingJobName"),
    ):
        with pytest.raises(WaiterError, match="terminal failure"):
            sagemaker.get_waiter(waiter).wait(**{member: "clients-none"}, WaiterConfig=ONCE)
    functions = sandbox.client("lambda")
    with pytest.raises(WaiterError, match="Max attempts"):
        functions.get_waiter("function_exists").wait(FunctionName="clients-none", WaiterConfig=ONCE)
    cloudwatch = sandbox.client("cloudwatch")
    with pytest.raises(WaiterError, match="Max attempts"):
        cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=["clients-none"], WaiterConfig=ONCE)
    cloudwatch.put_metric_alarm(
        AlarmName=NAME,
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=[NAME])
