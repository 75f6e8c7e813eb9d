"""Stacks whose resources take time: endpoints that start, are updated in place, rolled back, cancelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs
from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.endpoint_room import IMAGE, INFERENCE, EndpointRoom, archive
from tests.sandbox_process import SandboxProcess

TEMPLATE = """
Parameters:
  Name: {Type: String}
  Version: {Type: String}
  Data: {Type: String}
  Role: {Type: String}
  Image: {Type: String}
Resources:
  Model:
    Type: AWS::SageMaker::Model
    Properties:
      ModelName: !Sub '${Name}-${Version}'
      ExecutionRoleArn: !Ref Role
      PrimaryContainer:
        Image: !Ref Image
        ModelDataUrl: !Ref Data
        Environment: {SAGEMAKER_PROGRAM: inference.py, SAGEMAKER_SUBMIT_DIRECTORY: /opt/ml/model/code}
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties:
      EndpointConfigName: !Sub '${Name}-${Version}'
      ProductionVariants:
        - VariantName: AllTraffic
          ModelName: !GetAtt Model.ModelName
          InitialVariantWeight: 1
          InitialInstanceCount: '1'
          InstanceType: ml.m5.large
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties:
      EndpointName: !Ref Name
      EndpointConfigName: !GetAtt Config.EndpointConfigName
      Tags: [{Key: kind, Value: test}]
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub '${Name}-5xx'
      Namespace: AWS/SageMaker
      MetricName: Invocation5XXErrors
      Dimensions: [{Name: EndpointName, Value: !Ref Name}, {Name: VariantName, Value: AllTraffic}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    DependsOn: Endpoint
    Properties:
      ServiceNamespace: sagemaker
      ScalableDimension: sagemaker:variant:DesiredInstanceCount
      ResourceId: !Sub 'endpoint/${Name}/variant/AllTraffic'
      MinCapacity: 1
      MaxCapacity: 2
  Scaling:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: !Sub '${Name}-invocations'
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 500
        PredefinedMetricSpecification: {PredefinedMetricType: SageMakerVariantInvocationsPerInstance}
Outputs:
  Endpoint: {Value: !GetAtt Endpoint.EndpointName}
  Arn: {Value: !Ref Endpoint}
"""


@pytest.fixture(scope="module")
def endpoints(sandbox: SandboxProcess) -> Iterator[EndpointRoom]:
    yield EndpointRoom(Room(sandbox))


def parameters(endpoints: EndpointRoom, name: str, version: str, word: str | None) -> list[dict[str, str]]:
    """`word`: what the model answers; None makes a model that cannot load."""
    files = {"code/inference.py": INFERENCE} | ({"word.txt": word} if word is not None else {})
    data = endpoints.room.put(f"{name}/{version}/model.tar.gz", archive(files))
    values = {"Name": name, "Version": version, "Data": data, "Role": endpoints.room.role, "Image": IMAGE}
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def word(endpoints: EndpointRoom, name: str) -> Any:
    return json.loads(endpoints.invoke(name)["Body"].read())["word"]


def test_an_endpoint_is_deployed_updated_and_rolled_back(stacks: Stacks, endpoints: EndpointRoom) -> None:
    name = new_name()
    stack = stacks.create(TEMPLATE, name, Parameters=parameters(endpoints, name, "v1", "one"))
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    assert outputs(stack)["Arn"] == f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
    assert word(endpoints, name) == "one"
    stack = stacks.update(name, Parameters=parameters(endpoints, name, "v2", "two"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    assert word(endpoints, name) == "two"
    client = endpoints.sagemaker
    models = [item["ModelName"] for item in client.list_models(NameContains=name)["Models"]]
    assert models == [f"{name}-v2"]
    stack = stacks.update(name, Parameters=parameters(endpoints, name, "v3", None))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "HandlerErrorCode: NotStabilized" in stacks.reasons(name)["Endpoint"]
    assert word(endpoints, name) == "two"
    assert client.describe_endpoint(EndpointName=name)["EndpointConfigName"] == f"{name}-v2"
    models = [item["ModelName"] for item in client.list_models(NameContains=name)["Models"]]
    assert models == [f"{name}-v2"]
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE", stacks.reasons(name)
    assert client.list_endpoints(NameContains=name)["Endpoints"] == []
    assert client.list_models(NameContains=name)["Models"] == []


def test_a_creation_can_be_deleted_while_it_runs(stacks: Stacks, endpoints: EndpointRoom) -> None:
    name = new_name()
    made = stacks.client.create_stack(
        StackName=name, TemplateBody=TEMPLATE, Parameters=parameters(endpoints, name, "v1", "one")
    )
    endpoints.room.until(
        lambda: stacks.events(name), lambda events: ("Endpoint", "CREATE_IN_PROGRESS") in events
    )
    stacks.client.delete_stack(StackName=name)
    assert stacks.rest(made["StackId"])["StackStatus"] == "DELETE_COMPLETE", stacks.reasons(made["StackId"])
    assert endpoints.sagemaker.list_endpoints(NameContains=name)["Endpoints"] == []
    assert endpoints.sagemaker.list_models(NameContains=name)["Models"] == []


def test_an_update_can_be_cancelled(stacks: Stacks, endpoints: EndpointRoom) -> None:
    name = new_name()
    stacks.create(TEMPLATE, name, Parameters=parameters(endpoints, name, "v1", "one"))
    later = parameters(endpoints, name, "v2", "two")
    stacks.client.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=later)
    endpoints.room.until(
        lambda: stacks.events(name), lambda events: ("Endpoint", "UPDATE_IN_PROGRESS") in events
    )
    stacks.client.cancel_update_stack(StackName=name)
    stack = stacks.rest(name)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", stacks.reasons(name)
    assert word(endpoints, name) == "one"
    stacks.delete(name)
