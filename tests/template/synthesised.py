"""The templates, synthesised once a test run, and their values as CloudFormation would fill them in."""

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import project  # noqa: F401  (chooses node before aws_cdk is imported)

ACCOUNT, REGION, PARTITION = "123456789012", "us-east-1", "aws"
LONGEST_NAME = "a" + "-b" * 15 + "c"
LONGEST_ID = "p-" + "0" * 18
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/studio-execution"
VERSIONS = ("1.0.0", "1.1.0")
BUILD_SEED, DEPLOY_SEED = "seeds/model_build/aaaa.zip", "seeds/model_deploy/bbbb.zip"

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": PARTITION,
    "AWS::URLSuffix": "amazonaws.com",
}
NAME_OF = {
    "AWS::CodeBuild::Project": "Name",
    "AWS::CodeCommit::Repository": "RepositoryName",
    "AWS::CodePipeline::Pipeline": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
}
ARN_OF = {
    "AWS::CodeBuild::Project": "codebuild:{region}:{account}:project/{name}",
    "AWS::CodeCommit::Repository": "codecommit:{region}:{account}:{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
}


@functools.cache
def assembly() -> Path:
    """A cloud assembly with both stacks; seeds by name only, so that no seed code is needed."""
    from aws_cdk import App, BootstraplessSynthesizer, Stack

    from template.portfolio import PortfolioStack
    from template.products.model import ModelTemplate

    app = App(outdir=tempfile.mkdtemp(prefix="assembly-"), analytics_reporting=False)
    stack = Stack(app, "model", synthesizer=BootstraplessSynthesizer(), analytics_reporting=False)
    ModelTemplate(stack, "Model", build_seed_key=BUILD_SEED, deploy_seed_key=DEPLOY_SEED)
    PortfolioStack(app, "portfolio", versions=VERSIONS, principals=[PRINCIPAL])
    return Path(app.synth().directory)


@functools.cache
def _body(stack: str) -> str:
    return (assembly() / f"{stack}.template.json").read_text()


def model() -> dict[str, Any]:
    return json.loads(_body("model"))


def portfolio() -> dict[str, Any]:
    return json.loads(_body("portfolio"))


def filled(
    template: dict[str, Any], name: str = LONGEST_NAME, project_id: str = LONGEST_ID
) -> dict[str, Any]:
    """The template's resources with every intrinsic function replaced by its value."""
    values = {key: parameter.get("Default", "") for key, parameter in template.get("Parameters", {}).items()}
    values |= {"SageMakerProjectName": name, "SageMakerProjectId": project_id, **PSEUDO}
    return _Filler(template, values).fill(template["Resources"])


class _Filler:
    def __init__(self, template: dict[str, Any], values: dict[str, str]) -> None:
        self.resources, self.conditions, self.values = (
            template["Resources"],
            template.get("Conditions", {}),
            values,
        )

    def fill(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.fill(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            function, argument = next(iter(node.items()))
            if function == "Ref":
                return self.values[argument] if argument in self.values else self.name(argument)
            if function == "Fn::Join":
                return argument[0].join(self.fill(argument[1]))
            if function == "Fn::GetAtt":
                return self.attribute(*argument)
            if function == "Fn::If":
                return self.fill(argument[1] if self.condition(argument[0]) else argument[2])
            assert not function.startswith("Fn::"), f"{function} is new here: fill it in"
        return {key: self.fill(value) for key, value in node.items()}

    def condition(self, name: str) -> bool:
        left, right = self.fill(self.conditions[name]["Fn::Equals"])
        return left == right

    def name(self, logical_id: str) -> str:
        resource = self.resources[logical_id]
        prop = NAME_OF.get(resource["Type"])
        return self.fill(resource["Properties"][prop]) if prop else logical_id

    def attribute(self, logical_id: str, attribute: str) -> str:
        if attribute in ("Name", "KeyId"):
            return self.name(logical_id)
        assert attribute in ("Arn", "PolicyArn"), attribute
        form = ARN_OF[self.resources[logical_id]["Type"]]
        return f"arn:{PARTITION}:" + form.format(region=REGION, account=ACCOUNT, name=self.name(logical_id))


def of_type(resources: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of one type, by logical id."""
    return {key: value["Properties"] for key, value in resources.items() if value["Type"] == kind}


def only(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    (properties,) = of_type(resources, kind).values()
    return properties


def named(resources: dict[str, Any], kind: str, ending: str) -> dict[str, Any]:
    """Properties of the one resource of a type whose physical name has this ending."""
    found = [p for p in of_type(resources, kind).values() if p[NAME_OF[kind]].endswith(ending)]
    assert len(found) == 1, f"{len(found)} resources {kind} end in {ending}"
    return found[0]
