"""The SDK's session, held to the artifact bucket and to silence."""

import os

import boto3
from sagemaker.core.config.config_manager import SageMakerConfig
from sagemaker.core.workflow.pipeline_context import PipelineSession

# Read while the SDK works: the build's role may not simulate IAM policies, and does not need to.
os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"

NO_TELEMETRY = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}

# The SDK checks the whole configuration against its schema at each of some forty look-ups, four seconds in
# all. Ours is the constant above, which the tests check once.
validate_config = SageMakerConfig.validate_sagemaker_config
SageMakerConfig.validate_sagemaker_config = staticmethod(lambda sagemaker_config=None: None)


class ArtifactSession(PipelineSession):
    """A PipelineSession that uses the artifact bucket as it is.

    The SDK otherwise lists all buckets, and creates its default bucket where it misses it.
    """

    def __init__(self, boto_session: boto3.Session, bucket: str):
        super().__init__(boto_session=boto_session, default_bucket=bucket, sagemaker_config=NO_TELEMETRY)
        self._bucket = bucket

    def default_bucket(self) -> str:
        """The artifact bucket; nothing is looked up or created."""
        return self._bucket
