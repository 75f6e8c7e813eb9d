import json
from typing import Any

import pytest

from tests.template.policies import allowed
from tests.template.synthesised import filled, model, named

RESOURCES = filled(model(), "movies", "p-1")
PIPELINE = named(RESOURCES, "AWS::CodePipeline::Pipeline", "-modeldeploy")
STAGES = {stage["Name"]: stage for stage in PIPELINE["Stages"]}
PIPELINE_ARN = "arn:aws:codepipeline:us-east-1:123456789012:sagemaker-movies-p-1-modeldeploy"


def variables(project: dict[str, Any]) -> dict[str, str]:
    return {v["Name"]: v["Value"] for v in project["Environment"]["EnvironmentVariables"]}


def test_a_newer_approval_overtakes_an_older_one() -> None:
    assert (PIPELINE["PipelineType"], PIPELINE["ExecutionMode"]) == ("V2", "SUPERSEDED")


def test_staging_is_tested_and_a_person_stands_before_production() -> None:
    order = [
        (stage["Name"], [action["Name"] for action in sorted(stage["Actions"], key=lambda a: a["RunOrder"])])
        for stage in PIPELINE["Stages"]
    ]
    assert order == [
        ("Source", ["Source"]),
        ("Build", ["Build"]),
        ("DeployStaging", ["Deploy", "Test"]),
        ("DeployProd", ["ApproveProduction", "Deploy"]),
    ]
    for stage in PIPELINE["Stages"]:
        assert len({action["RunOrder"] for action in stage["Actions"]}) == len(stage["Actions"])


@pytest.mark.parametrize("stage", ["DeployStaging", "DeployProd"])
def test_a_stage_is_skipped_while_nothing_is_approved(stage: str) -> None:
    assert STAGES[stage]["BeforeEntry"] == {
        "Conditions": [
            {
                "Result": "SKIP",
                "Rules": [
                    {
                        "Name": "ModelIsApproved",
                        "RuleTypeId": {
                            "Category": "Rule",
                            "Owner": "AWS",
                            "Provider": "VariableCheck",
                            "Version": "1",
                        },
                        "Configuration": {
                            "Variable": "#{BuildVariables.MODEL_PACKAGE_VERSION}",
                            "Operator": "NE",
                            "Value": "none",
                        },
                    }
                ],
            }
        ]
    }


@pytest.mark.parametrize(
    ("stage", "name", "mode"),
    [("DeployStaging", "staging", "REPLACE_ON_FAILURE"), ("DeployProd", "prod", "CREATE_UPDATE")],
)
def test_a_stage_deploys_its_own_configuration(stage: str, name: str, mode: str) -> None:
    deploy = next(action for action in STAGES[stage]["Actions"] if action["Name"] == "Deploy")
    assert deploy["Configuration"] == {
        "ActionMode": mode,
        "StackName": f"sagemaker-movies-p-1-deploy-{name}",
        "RoleArn": "arn:aws:iam::123456789012:role/sagemaker-p-1-deploy-stacks",
        "TemplatePath": "BuildOutput::endpoint.yaml",
        "TemplateConfiguration": f"BuildOutput::{name}-config.json",
    }


def test_the_build_exports_its_variables_and_artifact() -> None:
    (build,) = STAGES["Build"]["Actions"]
    assert build["Namespace"] == "BuildVariables"
    assert build["OutputArtifacts"] == [{"Name": "BuildOutput"}]


def test_the_test_knows_endpoint_and_model() -> None:
    test = next(action for action in STAGES["DeployStaging"]["Actions"] if action["Name"] == "Test")
    assert json.loads(test["Configuration"]["EnvironmentVariables"]) == [
        {"name": "MODEL_PACKAGE_ARN", "type": "PLAINTEXT", "value": "#{BuildVariables.MODEL_PACKAGE_ARN}"}
    ]
    project = named(RESOURCES, "AWS::CodeBuild::Project", "-modeltest")
    assert project["Source"]["BuildSpec"] == "tests/buildspec.yml"
    assert variables(project) == {
        "SAGEMAKER_PROJECT_NAME": "movies",
        "SAGEMAKER_PROJECT_ID": "p-1",
        "MODEL_PACKAGE_GROUP_NAME": "movies-p-1",
        "ARTIFACT_BUCKET": "sagemaker-project-p-1-123456789012",
        "ARTIFACT_KMS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/ProjectKey",
        "ENDPOINT_NAME": "movies-p-1-staging",
    }


def test_the_deploy_build_knows_which_role_models_run_as() -> None:
    project = named(RESOURCES, "AWS::CodeBuild::Project", "-modeldeploy")
    assert (
        variables(project)["MODEL_EXECUTION_ROLE_ARN"]
        == "arn:aws:iam::123456789012:role/sagemaker-p-1-execution"
    )


def test_approval_and_rejection_of_this_group_start_the_pipeline() -> None:
    rule = named(RESOURCES, "AWS::Events::Rule", "deploy-approval")
    assert rule["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["movies-p-1"], "ModelApprovalStatus": ["Approved", "Rejected"]},
    }
    assert [target["Arn"] for target in rule["Targets"]] == [PIPELINE_ARN]


def test_a_push_deploys_the_branchs_head() -> None:
    rule = named(RESOURCES, "AWS::Events::Rule", "deploy-push")
    assert rule["EventPattern"]["resources"] == [
        "arn:aws:codecommit:us-east-1:123456789012:sagemaker-movies-p-1-modeldeploy"
    ]
    (target,) = rule["Targets"]
    assert target["Arn"] == PIPELINE_ARN
    assert "InputTransformer" not in target


def test_the_pipeline_touches_its_two_stacks_and_passes_one_role() -> None:
    role = named(RESOURCES, "AWS::IAM::Role", "deploy-pipeline")
    stacks = {resource for _, action, resource, _ in allowed(role) if action.startswith("cloudformation:")}
    assert stacks == {
        f"arn:aws:cloudformation:us-east-1:123456789012:stack/sagemaker-movies-p-1-deploy-{stage}/*"
        for stage in ("staging", "prod")
    }
    passed = {resource for _, action, resource, _ in allowed(role) if action == "iam:PassRole"}
    assert passed == {"arn:aws:iam::123456789012:role/sagemaker-p-1-deploy-stacks"}


def test_the_test_may_ask_staging_but_not_production() -> None:
    role = named(RESOURCES, "AWS::IAM::Role", "-test")
    endpoints = {resource for _, action, resource, _ in allowed(role) if action == "sagemaker:InvokeEndpoint"}
    assert endpoints == {"arn:aws:sagemaker:us-east-1:123456789012:endpoint/movies-p-1-staging"}
