"""AWS CodeBuild: projects, and builds that run their buildspec in a process group under the service role."""

from sandbox.services.codebuild import builds, projects, run

__all__ = ["builds", "projects", "run"]
