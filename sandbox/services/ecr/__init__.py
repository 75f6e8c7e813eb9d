"""Amazon ECR: repositories and what is set on them. No registry is behind them: no image can be pushed."""

from sandbox.services.ecr import images, policies, repositories, settings, tags  # noqa: F401
