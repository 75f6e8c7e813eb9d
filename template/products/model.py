"""Template `model`: build, train and deploy a model."""

from aws_cdk import Aws, CfnOutput, CfnParameter, Fn, Stack, Tags
from aws_cdk import CfnCondition as Condition
from constructs import Construct

from build_pipeline.pipeline import BuildPipeline
from deploy_pipeline.pipeline import DeployPipeline
from project.hub import hub_bucket_name
from project.names import (
    PROJECT_ID_LENGTH,
    PROJECT_ID_PATTERN,
    PROJECT_ID_TAG,
    PROJECT_NAME_LENGTH,
    PROJECT_NAME_PATTERN,
    PROJECT_NAME_TAG,
)
from project.project import Project
from project.source import Seed

DESCRIPTION = "SageMaker project: build, train and register a model, deploy it to staging and production"


class ModelTemplate(Construct):
    """One SageMaker project with a build pipeline and a deploy pipeline."""

    def __init__(
        self, scope: Construct, construct_id: str, *, build_seed_key: str, deploy_seed_key: str
    ) -> None:
        """The seeds' keys in the hub bucket become the defaults of their parameters."""
        super().__init__(scope, construct_id)
        name, project_id = self._project_parameters()
        bucket = self._seed_bucket()
        build_seed = self._parameter("ModelBuildSeedKey", "Model building seed", default=build_seed_key)
        deploy_seed = self._parameter("ModelDeploySeedKey", "Deployment seed", default=deploy_seed_key)
        self._group_parameters()

        project = Project(self, "Project", name=name, project_id=project_id)
        build = BuildPipeline(self, "Build", project=project, seed=Seed(bucket, build_seed))
        deploy = DeployPipeline(self, "Deploy", project=project, seed=Seed(bucket, deploy_seed))

        Tags.of(self).add(PROJECT_NAME_TAG, name)
        Tags.of(self).add(PROJECT_ID_TAG, project_id)
        self._output("ArtifactBucket", project.storage.bucket.ref)
        self._output("ModelPackageGroup", build.model_package_group.attr_model_package_group_arn)
        self._output("ModelBuildRepository", build.repository.attr_clone_url_http)
        self._output("ModelDeployRepository", deploy.repository.attr_clone_url_http)
        self._output("ModelBuildPipeline", build.pipeline.ref)
        self._output("ModelDeployPipeline", deploy.pipeline.ref)

    def _project_parameters(self) -> tuple[str, str]:
        name = self._parameter(
            "SageMakerProjectName",
            "Name of the project",
            min_length=1,
            max_length=PROJECT_NAME_LENGTH,
            allowed_pattern=PROJECT_NAME_PATTERN,
            constraint_description="lower case letters, digits and single hyphens; starts with a letter",
        )
        project_id = self._parameter(
            "SageMakerProjectId",
            "Service generated id of the project",
            min_length=1,
            max_length=PROJECT_ID_LENGTH,
            allowed_pattern=PROJECT_ID_PATTERN,
            constraint_description="an id as SageMaker generates it: p- and lower case letters or digits",
        )
        return name, project_id

    def _seed_bucket(self) -> str:
        """The bucket given, or the hub of the account and region that the project is in."""
        given = self._parameter("SeedBucket", "Bucket of the seeds; empty: this account's hub", default="")
        own_hub = Condition(self, "SeedsFromOwnHub", expression=Fn.condition_equals(given, ""))
        own_hub.override_logical_id("SeedsFromOwnHub")
        hub = hub_bucket_name(Aws.ACCOUNT_ID, Aws.REGION)
        return Fn.condition_if(own_hub.logical_id, hub, given).to_string()

    def _parameter(self, logical_id: str, description: str, **properties: object) -> str:
        parameter = CfnParameter(self, logical_id, type="String", description=description, **properties)  # type: ignore[arg-type]
        parameter.override_logical_id(logical_id)
        return parameter.value_as_string

    def _output(self, logical_id: str, value: str) -> None:
        CfnOutput(self, f"Output{logical_id}", value=value).override_logical_id(logical_id)

    def _group_parameters(self) -> None:
        """Groups of the form that Studio and the console show."""
        groups = {
            "Project": ["SageMakerProjectName", "SageMakerProjectId"],
            "Seed code": ["SeedBucket", "ModelBuildSeedKey", "ModelDeploySeedKey"],
        }
        interface = [
            {"Label": {"default": label}, "Parameters": parameters} for label, parameters in groups.items()
        ]
        Stack.of(self).template_options.metadata = {
            "AWS::CloudFormation::Interface": {"ParameterGroups": interface}
        }
