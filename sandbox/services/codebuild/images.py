"""Which Docker images stand for an environment that builds can run in here.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html and the
runtimes.yml of each image. No container runs: an image maps to the runtimes it offers, of which Python is
provided; a build that selects another runtime is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.services.codebuild.yaml_file import YamlFileError


@dataclass(frozen=True)
class Image:
    """`pythons`: versions that `runtime-versions` may select; `default`: the one on the path otherwise."""

    pythons: tuple[str, ...]
    default: str


_IMAGES = {
    "aws/codebuild/standard:6.0": Image(("3.10",), "3.10"),
    "aws/codebuild/standard:7.0": Image(("3.9", "3.10", "3.11", "3.12", "3.13"), "3.11"),
    "aws/codebuild/standard:8.0": Image(("3.12", "3.13", "3.14"), "3.13"),
    "aws/codebuild/amazonlinux2-x86_64-standard:5.0": Image(("3.9", "3.10", "3.11", "3.12", "3.13"), "3.11"),
    "aws/codebuild/amazonlinux-x86_64-standard:5.0": Image(("3.9", "3.10", "3.11", "3.12", "3.13"), "3.11"),
    "aws/codebuild/amazonlinux-x86_64-standard:6.0": Image(("3.12", "3.13", "3.14"), "3.13"),
    "aws/codebuild/amazonlinux-aarch64-standard:3.0": Image(("3.9", "3.10", "3.11", "3.12", "3.13"), "3.11"),
    "aws/codebuild/amazonlinux2-aarch64-standard:3.0": Image(("3.9", "3.10", "3.11", "3.12", "3.13"), "3.11"),
}


class UnknownImage(Exception):
    """As an image that cannot be pulled: BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE."""


def image(name: str) -> Image:
    """The image of a project's environment; dated tags (`standard:7.0-24.10.29`) are the same image."""
    found = _IMAGES.get(re.sub(r"(:\d+\.\d+)-[\d.]+\Z", r"\1", name))
    if found is None:
        raise UnknownImage(
            f"Unable to pull customer's container image. CannotPullContainerError: no environment of this "
            f"sandbox stands for {name}; known images: {', '.join(sorted(_IMAGES))}"
        )
    return found


def python_version(selected: Image, runtime_versions: dict[str, str]) -> str:
    """The Python of a build. YamlFileError for a runtime that the image or the sandbox does not have."""
    for runtime in runtime_versions:
        if runtime != "python":
            raise YamlFileError(
                f"The runtime {runtime} is not implemented in the sandbox; it provides python"
            )
    wanted = runtime_versions.get("python")
    if wanted is None:
        return selected.default
    if wanted == "latest":
        return selected.pythons[-1]
    if wanted == "3.x":
        return selected.pythons[-1]
    if wanted not in selected.pythons:
        raise YamlFileError(
            f"Unknown runtime version named '{wanted}' of python. "
            f"This build image has the following versions: {', '.join(selected.pythons)}"
        )
    return wanted
