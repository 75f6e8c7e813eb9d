import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from project.names import PROJECT_ID_TAG, PROJECT_NAME_TAG
from tests.template.synthesised import BUILD_SEED, DEPLOY_SEED, filled, model, named, portfolio

TAGS = [
    {"Key": PROJECT_ID_TAG, "Value": {"Ref": "SageMakerProjectId"}},
    {"Key": PROJECT_NAME_TAG, "Value": {"Ref": "SageMakerProjectName"}},
]


def schema(kind: str) -> dict[str, Any]:
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema


@pytest.mark.parametrize("template", [model, portfolio], ids=["model", "portfolio"])
def test_cfn_lint_finds_nothing(template: Any) -> None:
    assert [
        str(match) for match in lint(json.dumps(template()), config=ManualArgs(regions=["us-east-1"]))
    ] == []


def test_parameters() -> None:
    assert model()["Parameters"] == {
        "SageMakerProjectName": {
            "Type": "String",
            "Description": "Name of the project",
            "MinLength": 1,
            "MaxLength": 32,
            "AllowedPattern": "^[a-z](-*[a-z0-9])*$",
            "ConstraintDescription": "lower case letters, digits and single hyphens; starts with a letter",
        },
        "SageMakerProjectId": {
            "Type": "String",
            "Description": "Service generated id of the project",
            "MinLength": 1,
            "MaxLength": 20,
            "AllowedPattern": "^p-[a-z0-9]+$",
            "ConstraintDescription": "an id as SageMaker generates it: p- and lower case letters or digits",
        },
        "SeedBucket": {
            "Type": "String",
            "Description": "Bucket of the seeds; empty: this account's hub",
            "Default": "",
        },
        "ModelBuildSeedKey": {"Type": "String", "Description": "Model building seed", "Default": BUILD_SEED},
        "ModelDeploySeedKey": {"Type": "String", "Description": "Deployment seed", "Default": DEPLOY_SEED},
    }


def test_the_form_groups_every_parameter() -> None:
    groups = model()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(model()["Parameters"])


def test_seeds_come_from_this_accounts_hub_unless_a_bucket_is_given() -> None:
    template = model()
    repository = named(filled(template), "AWS::CodeCommit::Repository", "-modelbuild")
    assert repository["Code"]["S3"]["Bucket"] == "sagemaker-templates-hub-123456789012-us-east-1"
    template["Parameters"]["SeedBucket"]["Default"] = "shared-hub"
    repository = named(filled(template), "AWS::CodeCommit::Repository", "-modelbuild")
    assert repository["Code"]["S3"]["Bucket"] == "shared-hub"


def test_every_taggable_resource_names_its_project() -> None:
    untagged = set()
    for logical_id, resource in model()["Resources"].items():
        kind = schema(resource["Type"])
        if "Tags" in kind["properties"]:
            assert resource["Properties"]["Tags"] == TAGS, logical_id
        else:
            untagged.add(resource["Type"])
    assert untagged == {"AWS::KMS::Alias", "AWS::S3::BucketPolicy"}


def test_nothing_but_plain_resources() -> None:
    kinds = {resource["Type"] for resource in model()["Resources"].values()}
    assert kinds == {
        "AWS::CodeBuild::Project",
        "AWS::CodeCommit::Repository",
        "AWS::CodePipeline::Pipeline",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SageMaker::ModelPackageGroup",
    }


def test_one_file_serves_every_account_and_region() -> None:
    text = json.dumps(model())
    assert "cdk-hnb659fds" not in text
    assert "arn:aws:" not in text
    assert len(text) < 1_000_000


def test_both_mounts_give_the_same_template(tmp_path: Path) -> None:
    """A product of the CDK's own service catalog and a plain stack: what is tested is what is published."""
    from aws_cdk import App, DefaultStackSynthesizer, Stack
    from aws_cdk import aws_servicecatalog as servicecatalog

    from template.products.model import ModelTemplate

    app = App(outdir=str(tmp_path), analytics_reporting=False)
    parent = Stack(app, "parent", synthesizer=DefaultStackSynthesizer(), analytics_reporting=False)
    product = servicecatalog.ProductStack(parent, "Product", analytics_reporting=False)
    ModelTemplate(product, "Model", build_seed_key=BUILD_SEED, deploy_seed_key=DEPLOY_SEED)
    servicecatalog.CloudFormationProductVersion(
        cloud_formation_template=servicecatalog.CloudFormationTemplate.from_product_stack(product)
    )
    servicecatalog.CloudFormationProduct(
        parent,
        "Catalog",
        owner="test",
        product_name="test",
        product_versions=[
            servicecatalog.CloudFormationProductVersion(
                cloud_formation_template=servicecatalog.CloudFormationTemplate.from_product_stack(product)
            )
        ],
    )
    app.synth()
    (file,) = tmp_path.glob("*.product.template.json")
    assert json.loads(file.read_text()) == model()
