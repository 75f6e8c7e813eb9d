"""Operations on build projects."""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import TAGS, AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.codebuild.record import SERVICE

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_]{1,254}")
SOURCES = ("CODECOMMIT", "CODEPIPELINE", "S3", "NO_SOURCE")
"""Source types that builds can be run from here."""
ENVIRONMENTS = ("LINUX_CONTAINER", "ARM_CONTAINER")

NO_LIMIT = -1
"""concurrentBuildLimit of an update that takes the limit off."""

_NOT_IMPLEMENTED = ("vpcConfig", "fileSystemLocations", "buildBatchConfig", "autoRetryLimit")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)


def refuse(name: str) -> AwsError:
    """For what AWS has and the sandbox has not."""
    return invalid(f"{name} is not implemented in the sandbox")


def get_project(call: Call, name: str) -> dict[str, Any]:
    """A project by name or ARN; ResourceNotFoundException."""
    project = call.records("project").get(name.rpartition(":project/")[2])
    if project is None:
        raise AwsError("ResourceNotFoundException", f"Project cannot be found: {call.arn(f'project/{name}')}")
    return project


@operation(SERVICE, "CreateProject")
def create_project(call: Call, name: str, **members: Any) -> dict[str, Any]:
    if not NAME.fullmatch(name):
        raise invalid(
            "Invalid project name: must be 2 to 255 letters, numbers, hyphens and underscores, "
            "starting with a letter or number"
        )
    arn = call.arn(f"project/{name}")
    now = call.engine.clock.now()
    project: dict[str, Any] = {
        "name": name,
        "arn": arn,
        "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480,
        "encryptionKey": f"arn:aws:kms:{call.region}:{call.account}:alias/aws/s3",
        "cache": {"type": "NO_CACHE"},
        "badge": {"badgeEnabled": False},
        "projectVisibility": "PRIVATE",
        "created": now,
        "lastModified": now,
    }
    badge = members.pop("badgeEnabled", False)
    if badge:
        raise refuse("badgeEnabled")
    project |= members
    _complete(project)
    validate(project)
    _check_role(call, project["serviceRole"], arn)
    with call.engine.store.transaction():
        if call.records("project").get(name):
            raise AwsError("ResourceAlreadyExistsException", f"Project already exists: {arn}")
        call.records("project").put(name, project)
    return {"project": project}


@operation(SERVICE, "UpdateProject")
def update_project(call: Call, name: str, **members: Any) -> dict[str, Any]:
    if members.pop("badgeEnabled", False):
        raise refuse("badgeEnabled")
    before = get_project(call, name)
    _check_role(call, members.get("serviceRole") or before["serviceRole"], before["arn"])
    with call.engine.store.transaction():
        project = get_project(call, name) | members | {"lastModified": call.engine.clock.now()}
        if project.get("concurrentBuildLimit") == NO_LIMIT:
            del project["concurrentBuildLimit"]
        _complete(project)
        validate(project)
        call.records("project").put(project["name"], project)
    return {"project": project}


@operation(SERVICE, "DeleteProject")
def delete_project(call: Call, name: str) -> dict[str, Any]:
    """Removes the project; its builds stay listed by their ids, as on AWS. A missing one is no error."""
    call.records("project").delete(name.rpartition(":project/")[2])
    return {}


@operation(SERVICE, "BatchGetProjects")
def batch_get_projects(call: Call, names: list[str]) -> dict[str, Any]:
    found = {
        name: call.records("project").get(name.rpartition(":project/")[2]) for name in dict.fromkeys(names)
    }
    return {
        "projects": [project for project in found.values() if project],
        "projectsNotFound": [name for name, project in found.items() if not project],
    }


@operation(SERVICE, "ListProjects")
def list_projects(
    call: Call, sortBy: str = "NAME", sortOrder: str = "ASCENDING", nextToken: str | None = None
) -> dict[str, Any]:
    member = {"NAME": "name", "CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}[sortBy]
    projects = sorted(
        call.records("project").list(), key=lambda p: p[member], reverse=sortOrder == "DESCENDING"
    )
    names, token = page([p["name"] for p in projects], nextToken, error="InvalidInputException")
    return {"projects": names} | ({"nextToken": token} if token else {})


def _complete(project: dict[str, Any]) -> None:
    """Fills in what AWS answers for members that were left out."""
    project["source"] = {"insecureSsl": False} | project["source"]
    artifacts = project["artifacts"]
    if artifacts["type"] == "S3":
        defaults = {"path": "", "namespaceType": "NONE", "name": project["name"], "packaging": "NONE"}
        project["artifacts"] = defaults | {"encryptionDisabled": False} | artifacts
    elif artifacts["type"] == "CODEPIPELINE":
        defaults = {"name": project["name"], "packaging": "NONE"}
        project["artifacts"] = defaults | {"encryptionDisabled": False} | artifacts
    project["environment"] = {
        "environmentVariables": [],
        "privilegedMode": False,
        "imagePullCredentialsType": "CODEBUILD",
    } | project["environment"]


def validate(project: dict[str, Any]) -> None:
    """What holds for a project and for a build with its overrides; InvalidInputException."""
    for member in _NOT_IMPLEMENTED:
        if project.get(member):
            raise refuse(member)
    _validate_sources(project)
    _validate_artifacts(project)
    _validate_environment(project["environment"])
    # A local cache is there or not, as on AWS; one in S3 is promised.
    if project.get("cache", {}).get("type") == "S3":
        raise refuse("cache type S3")
    if project.get("logsConfig", {}).get("s3Logs", {}).get("status") == "ENABLED":
        raise refuse("logsConfig.s3Logs")
    if not 5 <= project["timeoutInMinutes"] <= 2160:
        raise invalid("Invalid timeout in minutes: must be between 5 and 2160")


def _validate_sources(project: dict[str, Any]) -> None:
    source, artifacts = project["source"], project["artifacts"]
    for one in (source, *project.get("secondarySources", [])):
        if one["type"] not in SOURCES:
            raise refuse(f"source type {one['type']}")
        for member in ("auth", "buildStatusConfig", "reportBuildStatus"):
            if one.get(member):
                raise refuse(f"source.{member}")
        if one.get("gitSubmodulesConfig", {}).get("fetchSubmodules"):
            raise refuse("source.gitSubmodulesConfig.fetchSubmodules")
        if one["type"] in ("CODECOMMIT", "S3") and not one.get("location"):
            raise invalid(f"Invalid project source: location is required for source type {one['type']}")
        if one["type"] == "S3" and "/" not in one["location"].removeprefix("arn:aws:s3:::"):
            raise invalid("Invalid project source: location must be a valid S3 source")
        if one["type"] == "CODECOMMIT" and not re.fullmatch(
            r"https://git-codecommit\.[a-z0-9-]+\.amazonaws\.com/v1/repos/[\w.-]+", one["location"]
        ):
            raise invalid("Invalid project source: location must be a valid CodeCommit source")
    for one in project.get("secondarySources", []):
        if not one.get("sourceIdentifier"):
            raise invalid("Invalid secondary source: sourceIdentifier is required")
    if source["type"] == "NO_SOURCE" and "\n" not in source.get("buildspec", ""):
        raise invalid("Project source with type NO_SOURCE requires an inline buildspec")
    if (source["type"] == "CODEPIPELINE") != (artifacts["type"] == "CODEPIPELINE"):
        raise invalid(
            "Invalid artifacts: artifact type CODEPIPELINE should only be used with source type CODEPIPELINE "
            "and vice versa"
        )


def _validate_artifacts(project: dict[str, Any]) -> None:
    for artifacts in (project["artifacts"], *project.get("secondaryArtifacts", [])):
        if artifacts["type"] == "S3" and not artifacts.get("location"):
            raise invalid("Invalid artifacts: location is required for artifact type S3")
        if artifacts.get("bucketOwnerAccess"):
            raise refuse("artifacts.bucketOwnerAccess")
    for artifacts in project.get("secondaryArtifacts", []):
        if not artifacts.get("artifactIdentifier"):
            raise invalid("Invalid secondary artifacts: artifactIdentifier is required")


def _validate_environment(environment: dict[str, Any]) -> None:
    if environment["type"] not in ENVIRONMENTS:
        raise refuse(f"environment type {environment['type']}")
    for member in (
        "fleet",
        "dockerServer",
        "registryCredential",
        "computeConfiguration",
        "certificate",
        "hostKernel",
    ):
        if environment.get(member):
            raise refuse(f"environment.{member}")
    if environment.get("privilegedMode"):
        raise refuse("environment.privilegedMode")
    for variable in environment.get("environmentVariables", []):
        if variable.get("type") == "SECRETS_MANAGER":
            raise refuse(f"environment variable type SECRETS_MANAGER (variable {variable['name']})")
        if variable["name"].startswith("CODEBUILD_"):
            raise invalid(
                f"Invalid environment variable name: {variable['name']}: the prefix CODEBUILD_ is reserved"
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable["name"]):
            raise invalid(f"Invalid environment variable name: {variable['name']}")


def _check_role(call: Call, role: str, arn: str) -> None:
    """The service role must trust CodeBuild when the project is written."""
    try:
        call.engine.clients.role(
            role,
            service="codebuild.amazonaws.com",
            session_name="AWSCodeBuild-validation",
            region=call.region,
            source_arn=arn,
        )
    except AwsError as error:
        raise invalid(
            f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}. {error.message}"
        ) from error


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    # A build's resource in policies is its project.
    name = arn.split(":", 5)[5].split("/", 1)[-1].partition(":")[0]
    project = engine.records(account, region, SERVICE, "project").get(name) or {}
    return {tag["key"]: tag["value"] for tag in project.get("tags", [])}


TAGS[SERVICE] = _tags
