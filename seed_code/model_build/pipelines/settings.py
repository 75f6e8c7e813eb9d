"""What the build knows of its surroundings: the environment variables that CodeBuild sets."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The project, its pipeline and where its artifacts go."""

    project_name: str
    project_id: str
    pipeline_name: str
    role_arn: str
    model_package_group_name: str
    bucket: str
    kms_key_arn: str
    region: str
    commit: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read all settings.

        Raises:
            SystemExit: naming every variable that is missing.
        """
        names = {
            "project_name": "SAGEMAKER_PROJECT_NAME",
            "project_id": "SAGEMAKER_PROJECT_ID",
            "pipeline_name": "SAGEMAKER_PIPELINE_NAME",
            "role_arn": "SAGEMAKER_PIPELINE_ROLE_ARN",
            "model_package_group_name": "MODEL_PACKAGE_GROUP_NAME",
            "bucket": "ARTIFACT_BUCKET",
            "kms_key_arn": "ARTIFACT_KMS_KEY_ARN",
            "region": "AWS_REGION",
            "commit": "CODEBUILD_RESOLVED_SOURCE_VERSION",
        }
        missing = [name for name in names.values() if not environment.get(name)]
        if missing:
            raise SystemExit(f"missing environment variables: {', '.join(missing)}")
        return cls(**{field: environment[name] for field, name in names.items()})

    @property
    def account(self) -> str:
        """The account that owns the key, and so the bucket: uploads name it as expected owner."""
        return self.kms_key_arn.split(":")[4]

    @property
    def tags(self) -> list[dict[str, str]]:
        """Tags by which a SageMaker project finds what belongs to it."""
        return [
            {"Key": "sagemaker:project-name", "Value": self.project_name},
            {"Key": "sagemaker:project-id", "Value": self.project_id},
        ]

    @property
    def execution_name(self) -> str:
        """Display name of the executions of this commit."""
        return f"commit-{self.commit[:12]}"

    def request_token(self, attempt: int) -> str:
        """Idempotency token of the commit's `attempt`-th execution (32 to 128 characters)."""
        return hashlib.sha256(f"{self.pipeline_name}/{self.commit}/{attempt}".encode()).hexdigest()
