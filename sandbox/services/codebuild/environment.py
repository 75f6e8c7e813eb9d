"""The variables of a build.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
Precedence: the start of the build over the project over the buildspec.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from sandbox.engine.clients import Session
from sandbox.services.codebuild.buildspec import Buildspec

PARAMETER_BATCH = 10
"""GetParameters takes at most so many names."""


class ParameterError(Exception):
    """What CodeBuild reports as phase context `Decrypted Variables Error`."""


def project_variables(
    defined: list[dict[str, str]], spec: Buildspec, session: Session
) -> tuple[dict[str, str], dict[str, str]]:
    """Variables in the clear, and those of the Parameter Store.

    `defined`: the build's environment variables as the API has them (start of the build over project).
    """
    plain = dict(spec.variables)
    stored = dict(spec.parameter_store)
    for name in stored:
        plain.pop(name, None)
    for variable in defined:
        name = variable["name"]
        target, other = (stored, plain) if variable.get("type") == "PARAMETER_STORE" else (plain, stored)
        target[name] = variable["value"]
        other.pop(name, None)
    return plain, _parameters(stored, session)


def _parameters(stored: dict[str, str], session: Session) -> dict[str, str]:
    from botocore.exceptions import ClientError

    names = sorted(set(stored.values()))
    values: dict[str, str] = {}
    for start in range(0, len(names), PARAMETER_BATCH):
        batch = names[start : start + PARAMETER_BATCH]
        try:
            answer = session.client("ssm").get_parameters(Names=batch, WithDecryption=True)
        except ClientError as error:
            problem = error.response["Error"]
            raise ParameterError(f"{problem['Code']}: {problem['Message']}") from error
        values |= {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
        if answer.get("InvalidParameters"):
            raise ParameterError(f"parameter does not exist: {', '.join(answer['InvalidParameters'])}")
    return {name: values[parameter] for name, parameter in stored.items()}


def codebuild_variables(shape: dict[str, Any], sources: dict[str, Path]) -> dict[str, str]:
    """CODEBUILD_… of a build; `sources`: folders by source identifier, "" for the primary source."""
    variables = {
        "CODEBUILD_BUILD_ARN": shape["arn"],
        "CODEBUILD_BUILD_ID": shape["id"],
        "CODEBUILD_BUILD_IMAGE": shape["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(shape["buildNumber"]),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": shape["initiator"],
        "CODEBUILD_KMS_KEY_ID": shape["encryptionKey"],
        "CODEBUILD_LOG_PATH": shape["logs"].get("streamName", ""),
        "CODEBUILD_PROJECT_ARN": shape["arn"].replace(":build/", ":project/").rpartition(":")[0],
        "CODEBUILD_SOURCE_REPO_URL": _repository(shape["source"]),
        "CODEBUILD_SOURCE_VERSION": shape.get("sourceVersion", ""),
        "CODEBUILD_START_TIME": str(int(shape["startTime"] * 1000)),
    }
    if shape.get("resolvedSourceVersion"):
        variables["CODEBUILD_RESOLVED_SOURCE_VERSION"] = shape["resolvedSourceVersion"]
    for identifier, folder in sources.items():
        variables[f"CODEBUILD_SRC_DIR_{identifier}" if identifier else "CODEBUILD_SRC_DIR"] = str(folder)
    for secondary in shape.get("secondarySources", []):
        identifier = secondary["sourceIdentifier"]
        variables[f"CODEBUILD_SOURCE_REPO_URL_{identifier}"] = _repository(secondary)
    for version in shape.get("secondarySourceVersions", []):
        variables[f"CODEBUILD_SOURCE_VERSION_{version['sourceIdentifier']}"] = version["sourceVersion"]
    return variables


def _repository(source: dict[str, Any]) -> str:
    location: str = source.get("location", "")
    return f"s3://{location}" if source["type"] == "S3" else location


def prepare_home(home: Path, tools: Path, endpoint: str, region: str, *, git_credentials: bool) -> None:
    """An own home folder, the AWS CLI of the image, and git that finds CodeCommit at `endpoint`."""
    home.mkdir(parents=True, exist_ok=True)
    tools.mkdir(parents=True, exist_ok=True)
    aws = Path(sys.executable).parent / "aws"
    found = str(aws) if aws.exists() else shutil.which("aws")
    if found and not (tools / "aws").exists():
        (tools / "aws").symlink_to(found)
    lines = [
        f'[url "{endpoint}/v1/repos/"]',
        f"\tinsteadOf = https://git-codecommit.{region}.amazonaws.com/v1/repos/",
    ]
    if git_credentials:
        lines += [
            "[credential]",
            "\thelper = !aws codecommit credential-helper --ignore-host-check $@",
            "\tUseHttpPath = true",
        ]
    (home / ".gitconfig").write_text("\n".join(lines) + "\n")
