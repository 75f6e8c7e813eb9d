"""`DeployPipeline`: an approved model goes to staging, is tested, waits for a person, goes to production.

Teardown. The endpoints live in stacks of their own (`sagemaker-{name}-{id}-deploy-staging` and
`-deploy-prod`), made by this pipeline and not by the project's stack, while the role that CloudFormation uses
for them (`sagemaker-{id}-deploy-stacks`) belongs to the project's stack. So the endpoint stacks go first:
once the project's stack is gone they can be deleted with another role only, and the endpoints keep costing.
"""

from typing import Any

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from deploy_pipeline.permissions import (
    deploy_pipeline_activities,
    deploy_stacks_activities,
    model_deploy_activities,
    model_test_activities,
)
from deploy_pipeline.stages import BUILD_ARTIFACT, BUILD_VARIABLES, production_stage, staging_stage
from project.activities import start_pipeline
from project.project import Project
from project.source import Seed, add_push_rule, add_repository
from project.stages import artifact_store, build_stage, source_stage


class DeployPipeline(Construct):
    """Approval event or push → configurations → staging → test → gate → production."""

    def __init__(self, scope: Construct, construct_id: str, *, project: Project, seed: Seed) -> None:
        super().__init__(scope, construct_id)
        self.project = project
        names = project.names
        self.repository = add_repository(
            self,
            project=project,
            name=names.model_deploy,
            description=f"Model deployment code of SageMaker project {names.project}",
            seed=seed,
            logical_id="ModelDeployRepository",
        )
        self.deploy_role = project.add_role(
            self,
            "StacksRole",
            task="deploy-stacks",
            description="CloudFormation: the endpoint stacks",
            service="cloudformation.amazonaws.com",
            tells_source=False,
            activities=deploy_stacks_activities(names, project.arns, project.storage.key_arn),
        )
        self.pipeline = self._pipeline(self._deploy_build(), self._test_build())
        starts_pipeline = self._events_role()
        add_push_rule(
            self,
            project=project,
            event="deploy-push",
            repository=self.repository,
            pipeline=self.pipeline,
            role=starts_pipeline,
            # Only the newest state is worth deploying, whatever the order in which events arrive.
            pin_commit=False,
        )
        self._approval_rule(starts_pipeline)

    def _deploy_build(self) -> codebuild.CfnProject:
        project, names, arns = self.project, self.project.names, self.project.arns
        role = project.add_role(
            self,
            "DeployRole",
            task="deploy",
            description="CodeBuild: pick the newest approved model, write the stages' configurations",
            service="codebuild.amazonaws.com",
            source_arn=arns.of("codebuild", f"project/{names.model_deploy}"),
            activities=model_deploy_activities(names, arns, project.storage.key_arn),
        )
        return project.add_build_project(
            self,
            "ModelDeploy",
            name=names.model_deploy,
            description=f"Selects what project {names.project} deploys",
            role=role,
            buildspec="buildspec.yml",
            environment={"MODEL_EXECUTION_ROLE_ARN": project.execution_role.attr_arn},
        )

    def _test_build(self) -> codebuild.CfnProject:
        project, names, arns = self.project, self.project.names, self.project.arns
        role = project.add_role(
            self,
            "TestRole",
            task="test",
            description="CodeBuild: test the staging endpoint",
            service="codebuild.amazonaws.com",
            source_arn=arns.of("codebuild", f"project/{names.model_test}"),
            activities=model_test_activities(names, arns, project.storage.key_arn),
        )
        return project.add_build_project(
            self,
            "ModelTest",
            name=names.model_test,
            description=f"Tests the staging endpoint of project {names.project}",
            role=role,
            buildspec="tests/buildspec.yml",
            environment={"ENDPOINT_NAME": names.endpoint("staging")},
        )

    def _pipeline(self, build: codebuild.CfnProject, test: codebuild.CfnProject) -> codepipeline.CfnPipeline:
        project, names, arns = self.project, self.project.names, self.project.arns
        role = project.add_role(
            self,
            "PipelineRole",
            task="deploy-pipeline",
            description="CodePipeline: approved model to staging and production",
            service="codepipeline.amazonaws.com",
            source_arn=arns.of("codepipeline", names.model_deploy),
            activities=deploy_pipeline_activities(names, arns, project.storage.key_arn),
        )
        return codepipeline.CfnPipeline(
            self,
            "Pipeline",
            name=names.model_deploy,
            pipeline_type="V2",
            # A newer approval overtakes an older one that still waits.
            execution_mode="SUPERSEDED",
            role_arn=role.attr_arn,
            artifact_store=artifact_store(project.storage),
            restart_execution_on_update=False,
            stages=[
                source_stage(self.repository),
                build_stage(build, output=BUILD_ARTIFACT, namespace=BUILD_VARIABLES),
                staging_stage(names, self.deploy_role, test),
                production_stage(names, self.deploy_role),
            ],
        )

    def _events_role(self) -> iam.CfnRole:
        project, names, arns = self.project, self.project.names, self.project.arns
        return project.add_role(
            self,
            "EventsRole",
            task="deploy-events",
            description="EventBridge: a push, an approval or a rejection starts the deploy pipeline",
            service="events.amazonaws.com",
            source_arn=arns.of("events", f"rule/{names.rule('deploy-*')}"),
            activities=[start_pipeline(arns, names.model_deploy)],
        )

    def _approval_rule(self, role: iam.CfnRole) -> events.CfnRule:
        """Approved and rejected alike: after a rejection the newest version still approved is deployed."""
        names, arns = self.project.names, self.project.arns
        pattern: dict[str, Any] = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {
                "ModelPackageGroupName": [names.model_package_group],
                "ModelApprovalStatus": ["Approved", "Rejected"],
            },
        }
        return events.CfnRule(
            self,
            "ApprovalRule",
            name=names.rule("deploy-approval"),
            description="Approving or rejecting a model version starts the deploy pipeline",
            state="ENABLED",
            event_pattern=pattern,
            targets=[
                events.CfnRule.TargetProperty(
                    id="pipeline", arn=arns.of("codepipeline", self.pipeline.ref), role_arn=role.attr_arn
                )
            ],
        )
