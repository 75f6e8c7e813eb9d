"""`BuildPipeline`: a push to the build repository becomes a registered model."""

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from build_pipeline.permissions import build_pipeline_activities, model_build_activities
from project.activities import start_pipeline
from project.project import Project
from project.source import Seed, add_push_rule, add_repository
from project.stages import artifact_store, build_stage, source_stage
from project.storage import keep


class BuildPipeline(Construct):
    """Repository → CodeBuild → SageMaker pipeline → model package group."""

    def __init__(self, scope: Construct, construct_id: str, *, project: Project, seed: Seed) -> None:
        super().__init__(scope, construct_id)
        self.project = project
        names = project.names
        self.model_package_group = sagemaker.CfnModelPackageGroup(
            self,
            "ModelPackageGroup",
            model_package_group_name=names.model_package_group,
            model_package_group_description=f"Models of SageMaker project {names.project}",
        )
        keep(self.model_package_group, "ModelPackageGroup")
        self.repository = add_repository(
            self,
            project=project,
            name=names.model_build,
            description=f"Model building code of SageMaker project {names.project}",
            seed=seed,
            logical_id="ModelBuildRepository",
        )
        self.pipeline = self._pipeline(self._build_project())
        starts_on_push = project.add_role(
            self,
            "EventsRole",
            task="build-events",
            description="EventBridge: a push starts the build pipeline",
            service="events.amazonaws.com",
            source_arn=project.arns.of("events", f"rule/{names.rule('build-push')}"),
            activities=[start_pipeline(project.arns, names.model_build)],
        )
        add_push_rule(
            self,
            project=project,
            event="build-push",
            repository=self.repository,
            pipeline=self.pipeline,
            role=starts_on_push,
            pin_commit=True,
        )

    def _build_project(self) -> codebuild.CfnProject:
        project, names, arns = self.project, self.project.names, self.project.arns
        role = project.add_role(
            self,
            "BuildRole",
            task="build",
            description="CodeBuild: write and run the SageMaker pipeline",
            service="codebuild.amazonaws.com",
            source_arn=arns.of("codebuild", f"project/{names.model_build}"),
            activities=model_build_activities(names, arns, project.storage.key_arn),
        )
        return project.add_build_project(
            self,
            "ModelBuild",
            name=names.model_build,
            description=f"Writes and runs the SageMaker pipeline of project {names.project}",
            role=role,
            buildspec="buildspec.yml",
            environment={
                "SAGEMAKER_PIPELINE_NAME": names.sagemaker_pipeline,
                "SAGEMAKER_PIPELINE_ROLE_ARN": project.execution_role.attr_arn,
            },
        )

    def _pipeline(self, build: codebuild.CfnProject) -> codepipeline.CfnPipeline:
        project, names, arns = self.project, self.project.names, self.project.arns
        role = project.add_role(
            self,
            "PipelineRole",
            task="build-pipeline",
            description="CodePipeline: repository to build",
            service="codepipeline.amazonaws.com",
            source_arn=arns.of("codepipeline", names.model_build),
            activities=build_pipeline_activities(names, arns, project.storage.key_arn),
        )
        return codepipeline.CfnPipeline(
            self,
            "Pipeline",
            name=names.model_build,
            pipeline_type="V2",
            # Every commit is built, one after the other.
            execution_mode="QUEUED",
            role_arn=role.attr_arn,
            artifact_store=artifact_store(project.storage),
            restart_execution_on_update=False,
            stages=[source_stage(self.repository), build_stage(build)],
        )
