"""SageMaker Runtime: requests to endpoints."""

from sandbox.services.sagemaker_runtime import invoke  # noqa: F401
