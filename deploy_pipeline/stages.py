"""Stages of the deploy pipeline that touch endpoints."""

import json

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam

from project.names import Names
from project.stages import SOURCE_ARTIFACT

Pipeline = codepipeline.CfnPipeline

BUILD_ARTIFACT = "BuildOutput"
BUILD_VARIABLES = "BuildVariables"
NOTHING_APPROVED = "none"
"""Value of the build's MODEL_PACKAGE_VERSION while the registry holds no approved model."""


def staging_stage(
    names: Names, deploy_role: iam.CfnRole, test: codebuild.CfnProject
) -> Pipeline.StageDeclarationProperty:
    """Deploy to staging, then ask the endpoint about held-out rows."""
    return Pipeline.StageDeclarationProperty(
        name="DeployStaging",
        before_entry=_only_with_an_approved_model(),
        actions=[
            # A staging stack that failed holds nothing worth keeping: the next execution starts anew.
            _deploy(names, deploy_role, "staging", mode="REPLACE_ON_FAILURE", run_order=1),
            Pipeline.ActionDeclarationProperty(
                name="Test",
                run_order=2,
                action_type_id=Pipeline.ActionTypeIdProperty(
                    category="Test", owner="AWS", provider="CodeBuild", version="1"
                ),
                configuration={
                    "ProjectName": test.ref,
                    "EnvironmentVariables": json.dumps(
                        [
                            {
                                "name": "MODEL_PACKAGE_ARN",
                                "type": "PLAINTEXT",
                                "value": f"#{{{BUILD_VARIABLES}.MODEL_PACKAGE_ARN}}",
                            }
                        ]
                    ),
                },
                input_artifacts=[Pipeline.InputArtifactProperty(name=SOURCE_ARTIFACT)],
            ),
        ],
    )


def production_stage(names: Names, deploy_role: iam.CfnRole) -> Pipeline.StageDeclarationProperty:
    """Wait for a person, then deploy to production."""
    version = f"#{{{BUILD_VARIABLES}.MODEL_PACKAGE_VERSION}}"
    gate = Pipeline.ActionDeclarationProperty(
        name="ApproveProduction",
        run_order=1,
        action_type_id=Pipeline.ActionTypeIdProperty(
            category="Approval", owner="AWS", provider="Manual", version="1"
        ),
        configuration={
            "CustomData": f"Version {version} passed its test in staging ({names.endpoint('staging')}). "
            f"Approve to deploy it to {names.endpoint('prod')}."
        },
    )
    return Pipeline.StageDeclarationProperty(
        name="DeployProd",
        before_entry=_only_with_an_approved_model(),
        # Never deleted by the pipeline, whatever its state: an endpoint may still answer behind it.
        actions=[gate, _deploy(names, deploy_role, "prod", mode="CREATE_UPDATE", run_order=2)],
    )


def _only_with_an_approved_model() -> Pipeline.BeforeEntryConditionsProperty:
    """Skip the stage while nothing is approved: the execution then ends well, with nothing deployed.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
    """
    rule = Pipeline.RuleDeclarationProperty(
        name="ModelIsApproved",
        rule_type_id=Pipeline.RuleTypeIdProperty(
            category="Rule", owner="AWS", provider="VariableCheck", version="1"
        ),
        configuration={
            "Variable": f"#{{{BUILD_VARIABLES}.MODEL_PACKAGE_VERSION}}",
            "Operator": "NE",
            "Value": NOTHING_APPROVED,
        },
    )
    return Pipeline.BeforeEntryConditionsProperty(
        conditions=[Pipeline.ConditionProperty(result="SKIP", rules=[rule])]
    )


def _deploy(
    names: Names, deploy_role: iam.CfnRole, stage: str, *, mode: str, run_order: int
) -> Pipeline.ActionDeclarationProperty:
    """Create or update the stage's endpoint stack from what the build wrote.

    CREATE_UPDATE fails on a stack that never came up (ROLLBACK_COMPLETE) or could not be rolled back;
    REPLACE_ON_FAILURE deletes such a stack first.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    """
    return Pipeline.ActionDeclarationProperty(
        name="Deploy",
        run_order=run_order,
        action_type_id=Pipeline.ActionTypeIdProperty(
            category="Deploy", owner="AWS", provider="CloudFormation", version="1"
        ),
        configuration={
            "ActionMode": mode,
            "StackName": names.endpoint_stack(stage),
            "RoleArn": deploy_role.attr_arn,
            "TemplatePath": f"{BUILD_ARTIFACT}::endpoint.yaml",
            "TemplateConfiguration": f"{BUILD_ARTIFACT}::{stage}-config.json",
        },
        input_artifacts=[Pipeline.InputArtifactProperty(name=BUILD_ARTIFACT)],
    )
