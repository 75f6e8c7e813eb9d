"""Physical names of everything that belongs to one project.

The functions only put strings together, so they serve plain values (tests, command line) and CloudFormation
tokens (constructs) alike. `sagemaker-{name}-{id}-` alone may take 64 characters: what is limited to 64
(roles, rules, buckets) is named by the project's id only.
"""

from dataclasses import dataclass

PROJECT_NAME_PATTERN = r"^[a-z](-*[a-z0-9])*$"
"""SageMaker's project name without upper case, which S3 and ECR would refuse later."""
PROJECT_NAME_LENGTH = 32
PROJECT_ID_PATTERN = r"^p-[a-z0-9]+$"
"""SageMaker generates `p-` and twelve characters; roles that a launch may create start with it."""
PROJECT_ID_LENGTH = 20

PROJECT_NAME_TAG = "sagemaker:project-name"
PROJECT_ID_TAG = "sagemaker:project-id"

STAGES = ("staging", "prod")


@dataclass(frozen=True)
class Names:
    """Names of one project's resources, from its name, its id and the account it lives in."""

    project: str
    project_id: str
    account: str

    @property
    def prefix(self) -> str:
        return f"sagemaker-{self.project}-{self.project_id}"

    @property
    def model_build(self) -> str:
        """Repository, pipeline and CodeBuild project that build models."""
        return f"{self.prefix}-modelbuild"

    @property
    def model_deploy(self) -> str:
        """Repository, pipeline and CodeBuild project that deploy models."""
        return f"{self.prefix}-modeldeploy"

    @property
    def model_test(self) -> str:
        """CodeBuild project that tests the staging endpoint."""
        return f"{self.prefix}-modeltest"

    @property
    def sagemaker_pipeline(self) -> str:
        return self.prefix

    @property
    def model_package_group(self) -> str:
        return f"{self.project}-{self.project_id}"

    @property
    def bucket(self) -> str:
        return f"sagemaker-project-{self.project_id}-{self.account}"

    @property
    def key_alias(self) -> str:
        return f"alias/{self.prefix}"

    def log_group(self, build_project: str) -> str:
        return f"/aws/codebuild/{build_project}"

    def role(self, task: str) -> str:
        return f"sagemaker-{self.project_id}-{task}"

    def rule(self, event: str) -> str:
        return f"sagemaker-{self.project_id}-{event}"

    def endpoint(self, stage: str) -> str:
        return f"{self.model_package_group}-{stage}"

    def endpoint_log_group(self, stage: str) -> str:
        """SageMaker chooses this name."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint(stage)}"

    def endpoint_stack(self, stage: str) -> str:
        return f"{self.prefix}-deploy-{stage}"

    @property
    def endpoint_parts(self) -> str:
        """Start of the names of models and endpoint configurations, which end in stage, version and hash."""
        return f"sagemaker-{self.project_id}-"
