"""endpoint.yaml: valid, and what production needs is there."""

import json

import pytest
import yaml
from cfnlint.api import lint_file
from cfnlint.decode.cfn_yaml import loads

from tests.seed_code.conftest import MODEL_DEPLOY

PATH = MODEL_DEPLOY / "endpoint.yaml"


@pytest.fixture(scope="module")
def template():
    return loads(PATH.read_text())


def test_lint():
    assert lint_file(PATH) == []


def test_every_taggable_resource_names_the_project(template):
    untaggable = {"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"}
    for name, resource in template["Resources"].items():
        if resource["Type"] not in untaggable:
            tags = {tag["Key"] for tag in resource["Properties"]["Tags"]}
            assert {"sagemaker:project-name", "sagemaker:project-id"} <= tags, name


def test_names(template):
    def sub(resource, name):
        return template["Resources"][resource]["Properties"][name]["Fn::Sub"]

    versioned = "sagemaker-${ProjectId}-${Stage}-v${ModelVersion}-${ConfigHash}"
    assert sub("Model", "ModelName") == sub("EndpointConfig", "EndpointConfigName") == versioned
    assert sub("Endpoint", "EndpointName") == "${ProjectName}-${ProjectId}-${Stage}"


def test_rollout_is_guarded_by_alarms_on_this_endpoint(template):
    resources = template["Resources"]
    _, deployment, _ = resources["Endpoint"]["Properties"]["DeploymentConfig"]["Fn::If"]
    guards = {alarm["AlarmName"]["Ref"] for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]}
    alarms = {name for name, resource in resources.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    assert guards == alarms
    endpoint = resources["Endpoint"]["Properties"]["EndpointName"]
    for name in alarms:
        dimensions = {d["Name"]: d["Value"] for d in resources[name]["Properties"]["Dimensions"]}
        assert dimensions == {"EndpointName": endpoint, "VariantName": "AllTraffic"}


def test_production_runs_at_least_two_instances_and_staging_is_serverless():
    prod, staging = (
        json.loads((MODEL_DEPLOY / f"{stage}-config.json").read_text())["Parameters"]
        for stage in ("prod", "staging")
    )
    assert int(prod["MinCapacity"]) >= 2
    assert (prod["Serverless"], staging["Serverless"]) == ("false", "true")
    assert yaml.safe_load(json.dumps(prod)) == prod
