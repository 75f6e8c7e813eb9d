"""Image URI → runtime: which of AWS's public images the sandbox can stand in for, and with what libraries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LOCKS = Path(__file__).parent / "locks"

_ECR = re.compile(
    r"^(?:\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?"
    r"|\d{12}\.dkr-ecr(?:-fips)?\.[a-z0-9-]+\.on\.aws)/"
    r"(?P<repository>sagemaker-[a-z-]+):(?P<tag>[A-Za-z0-9._-]+)$"
)


class UnknownImage(LookupError):
    """No runtime stands in for an image; the message names it and the images that are known."""

    def __init__(self, image: str) -> None:
        known = ", ".join(sorted(known_images()))
        super().__init__(f"The sandbox has no runtime for the image {image}. Known images: {known}")
        self.image = image


@dataclass(frozen=True)
class Runtime:
    """The libraries of one container image.

    `name`: shown to users (`sagemaker-xgboost:3.2-0`). `framework`: which container contract its programs
    speak (`xgboost` or `sklearn`). `python`: the container's Python version. `lock`: fully pinned
    requirements with hashes, valid for every Python that the sandbox supports.
    """

    name: str
    framework: str
    python: str
    lock: Path


def _runtime(name: str, framework: str, python: str, lock: str) -> Runtime:
    return Runtime(name, framework, python, LOCKS / lock)


RUNTIMES: dict[tuple[str, str], Runtime] = {
    ("sagemaker-xgboost", "3.2-0"): _runtime(
        "sagemaker-xgboost:3.2-0", "xgboost", "3.12", "xgboost-3.2-0.txt"
    ),
    ("sagemaker-xgboost", "3.0-5"): _runtime(
        "sagemaker-xgboost:3.0-5", "xgboost", "3.10", "xgboost-3.0-5.txt"
    ),
    ("sagemaker-scikit-learn", "1.9-0"): _runtime(
        "sagemaker-scikit-learn:1.9-0", "sklearn", "3.12", "scikit-learn-1.9-0.txt"
    ),
}
"""Sources: the requirements.txt and Dockerfiles of github.com/aws/sagemaker-xgboost-container and
github.com/aws/sagemaker-scikit-learn-container."""

_SUFFIX = "-cpu-py3"


def known_images() -> list[str]:
    """Names of every image that has a runtime, as a message shows them."""
    return [runtime.name for runtime in RUNTIMES.values()]


def runtime_of(image: str) -> Runtime:
    """The runtime that stands in for a SageMaker image; any of AWS's accounts and regions.

    Raises UnknownImage.
    """
    match = _ECR.match(image)
    if match is None:
        raise UnknownImage(image)
    runtime = RUNTIMES.get((match["repository"], match["tag"].removesuffix(_SUFFIX)))
    if runtime is None:
        raise UnknownImage(image)
    return runtime
