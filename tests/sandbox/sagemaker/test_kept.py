"""Records that SageMaker keeps and nothing acts on, through the door."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess

ROLE = "arn:aws:iam::123456789012:role/service-role/none"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/monitor:1"


@pytest.fixture(scope="module")
def sagemaker(sandbox: SandboxProcess) -> Any:
    return sandbox.client("sagemaker")


def refused(call: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def name() -> str:
    return f"kept-{uuid.uuid4().hex[:8]}"


def test_feature_groups(sagemaker: Any) -> None:
    group = {
        "FeatureGroupName": name(),
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [
            {"FeatureName": "id", "FeatureType": "String"},
            {"FeatureName": "at", "FeatureType": "Fractional"},
        ],
        "OnlineStoreConfig": {"EnableOnlineStore": True},
    }
    without = group | {"EventTimeFeatureName": "when"}
    assert "not among the feature definitions" in refused(sagemaker.create_feature_group, **without)[1]
    arn = sagemaker.create_feature_group(**group, Tags=[{"Key": "a", "Value": "1"}])["FeatureGroupArn"]
    assert refused(sagemaker.create_feature_group, **group)[0] == "ResourceInUse"
    added = [{"FeatureName": "x", "FeatureType": "Integral"}]
    sagemaker.update_feature_group(FeatureGroupName=group["FeatureGroupName"], FeatureAdditions=added)
    shown = sagemaker.describe_feature_group(FeatureGroupName=group["FeatureGroupName"])
    assert shown["FeatureGroupStatus"] == "Created" and len(shown["FeatureDefinitions"]) == 3
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    listed = sagemaker.list_feature_groups(NameContains=group["FeatureGroupName"])["FeatureGroupSummaries"]
    assert [item["FeatureGroupArn"] for item in listed] == [arn]
    sagemaker.delete_feature_group(FeatureGroupName=group["FeatureGroupName"])
    assert (
        refused(sagemaker.describe_feature_group, FeatureGroupName=group["FeatureGroupName"])[0]
        == "ResourceNotFound"
    )


def test_a_schedule_of_a_definition(sagemaker: Any) -> None:
    definition, schedule = name(), name()
    where = {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/processing/output"}
    endpoint = {"EndpointName": "served", "LocalPath": "/opt/ml/processing/input"}
    config = {"MonitoringJobDefinitionName": definition, "MonitoringType": "DataQuality"}
    asked = {
        "MonitoringScheduleName": schedule,
        "MonitoringScheduleConfig": config | {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}},
    }
    assert refused(sagemaker.create_monitoring_schedule, **asked)[0] == "ValidationException"
    sagemaker.create_data_quality_job_definition(
        JobDefinitionName=definition,
        DataQualityAppSpecification={"ImageUri": IMAGE},
        DataQualityJobInput={"EndpointInput": endpoint},
        DataQualityJobOutputConfig={"MonitoringOutputs": [{"S3Output": where}]},
        JobResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        },
        RoleArn=ROLE,
    )
    sagemaker.create_monitoring_schedule(**asked)
    shown = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule)
    assert shown["EndpointName"] == "served" and shown["MonitoringScheduleStatus"] == "Scheduled"
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName=schedule)
    found = sagemaker.list_monitoring_schedules(EndpointName="served", StatusEquals="Stopped")
    assert schedule in [item["MonitoringScheduleName"] for item in found["MonitoringScheduleSummaries"]]
    summaries = sagemaker.list_data_quality_job_definitions(EndpointName="served")["JobDefinitionSummaries"]
    assert definition in [item["MonitoringJobDefinitionName"] for item in summaries]
    executions = sagemaker.list_monitoring_executions(MonitoringScheduleName=schedule)
    assert executions["MonitoringExecutionSummaries"] == []
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=schedule)


def test_a_notebook_is_stopped_before_it_is_deleted(sagemaker: Any) -> None:
    notebook, lifecycle = name(), name()
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=lifecycle, OnStart=[{"Content": "ZWNobw=="}]
    )
    sagemaker.create_notebook_instance(
        NotebookInstanceName=notebook,
        InstanceType="ml.t3.medium",
        RoleArn=ROLE,
        LifecycleConfigName=lifecycle,
    )
    shown = sagemaker.describe_notebook_instance(NotebookInstanceName=notebook)
    assert shown["NotebookInstanceStatus"] == "InService"
    assert shown["NotebookInstanceLifecycleConfigName"] == lifecycle
    code, message = refused(sagemaker.delete_notebook_instance, NotebookInstanceName=notebook)
    assert code == "ValidationException" and "Status (InService) not in ([Stopped, Failed])" in message
    sagemaker.stop_notebook_instance(NotebookInstanceName=notebook)
    sagemaker.update_notebook_instance(NotebookInstanceName=notebook, DisassociateLifecycleConfig=True)
    shown = sagemaker.describe_notebook_instance(NotebookInstanceName=notebook)
    assert "NotebookInstanceLifecycleConfigName" not in shown
    sagemaker.delete_notebook_instance(NotebookInstanceName=notebook)
    repository = name()
    git = {"RepositoryUrl": "https://git.example.com/a.git"}
    sagemaker.create_code_repository(CodeRepositoryName=repository, GitConfig=git)
    assert sagemaker.describe_code_repository(CodeRepositoryName=repository)["GitConfig"] == git


def test_a_domain_and_who_works_in_it(sagemaker: Any) -> None:
    made = sagemaker.create_domain(
        DomainName=name(),
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": ROLE},
        SubnetIds=["subnet-1"],
        VpcId="vpc-1",
    )
    domain = made["DomainId"]
    assert made["DomainArn"].endswith(f"domain/{domain}")
    assert sagemaker.describe_domain(DomainId=domain)["Status"] == "InService"
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="ada")
    assert (
        refused(sagemaker.create_user_profile, DomainId=domain, UserProfileName="ada")[0] == "ResourceInUse"
    )
    listed = sagemaker.list_user_profiles(DomainIdEquals=domain)["UserProfiles"]
    assert [item["UserProfileName"] for item in listed] == ["ada"]
    assert refused(sagemaker.delete_domain, DomainId=domain)[0] == "ResourceInUse"
    sagemaker.delete_user_profile(DomainId=domain, UserProfileName="ada")
    sagemaker.delete_domain(DomainId=domain)
    missing = {"DomainId": domain, "UserProfileName": "bob"}
    assert refused(sagemaker.create_user_profile, **missing)[0] == "ValidationException"
    asked = {**missing, "AppType": "JupyterServer", "AppName": "default"}
    assert refused(sagemaker.create_app, **asked)[0] == "UnsupportedOperation"


def test_versions_of_images_and_of_cards(sagemaker: Any) -> None:
    image, card = name(), name()
    sagemaker.create_image(ImageName=image, RoleArn=ROLE)
    for number in (1, 2):
        token = f"{image}-{number}"
        sagemaker.create_image_version(
            ImageName=image, BaseImage=IMAGE, ClientToken=token, Aliases=[f"a{number}"]
        )
    assert sagemaker.describe_image_version(ImageName=image)["Version"] == 2
    assert sagemaker.describe_image_version(ImageName=image, Alias="a1")["Version"] == 1
    assert refused(sagemaker.delete_image, ImageName=image)[0] == "ResourceInUse"
    for number in (1, 2):
        sagemaker.delete_image_version(ImageName=image, Version=number)
    sagemaker.delete_image(ImageName=image)
    content = json.dumps({"model_overview": {"model_description": "d"}})
    sagemaker.create_model_card(ModelCardName=card, Content=content, ModelCardStatus="Draft")
    sagemaker.update_model_card(ModelCardName=card, ModelCardStatus="Approved")
    sagemaker.update_model_card(ModelCardName=card, Content=json.dumps({}))
    shown = sagemaker.describe_model_card(ModelCardName=card)
    assert (shown["ModelCardVersion"], shown["ModelCardStatus"]) == (2, "Approved")
    first = sagemaker.describe_model_card(ModelCardName=card, ModelCardVersion=1)
    assert first["Content"] == content
    assert refused(sagemaker.update_model_card, ModelCardName=card, Content="[")[0] == "ValidationException"


def test_trials_keep_their_experiment(sagemaker: Any) -> None:
    experiment, trial = name(), name()
    sagemaker.create_experiment(ExperimentName=experiment)
    sagemaker.create_trial(TrialName=trial, ExperimentName=experiment)
    trials = sagemaker.list_trials(ExperimentName=experiment)["TrialSummaries"]
    assert [item["TrialName"] for item in trials] == [trial]
    assert refused(sagemaker.delete_experiment, ExperimentName=experiment)[0] == "ValidationException"
    sagemaker.delete_trial(TrialName=trial)
    sagemaker.delete_experiment(ExperimentName=experiment)
    assert refused(sagemaker.describe_trial, TrialName=trial)[0] == "ResourceNotFound"
