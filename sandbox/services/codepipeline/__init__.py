"""AWS CodePipeline: pipelines whose stages run actions of other services under the pipeline's role."""

from sandbox.services.codepipeline import advance, executions, pipelines, state, views
from sandbox.services.codepipeline.actions import run

__all__ = ["advance", "executions", "pipelines", "run", "state", "views"]
