"""Operations on builds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.codebuild.projects import get_project, invalid, refuse, validate
from sandbox.services.codebuild.record import SERVICE, BuildRecord, process_key, running_builds

TOKEN_SECONDS = 300
"""How long an idempotency token is remembered."""
INITIATOR = "x-amzn-codepipeline-initiator"
"""Header by which a pipeline names itself as a build's initiator."""

_SOURCE_OVERRIDES = {
    "sourceTypeOverride": "type",
    "sourceLocationOverride": "location",
    "gitCloneDepthOverride": "gitCloneDepth",
    "gitSubmodulesConfigOverride": "gitSubmodulesConfig",
    "buildspecOverride": "buildspec",
    "insecureSslOverride": "insecureSsl",
    "reportBuildStatusOverride": "reportBuildStatus",
}
_ENVIRONMENT_OVERRIDES = {
    "environmentTypeOverride": "type",
    "imageOverride": "image",
    "computeTypeOverride": "computeType",
    "certificateOverride": "certificate",
    "privilegedModeOverride": "privilegedMode",
    "imagePullCredentialsTypeOverride": "imagePullCredentialsType",
}
_PROJECT_OVERRIDES = {
    "secondarySourcesOverride": "secondarySources",
    "secondarySourcesVersionOverride": "secondarySourceVersions",
    "artifactsOverride": "artifacts",
    "secondaryArtifactsOverride": "secondaryArtifacts",
    "cacheOverride": "cache",
    "serviceRoleOverride": "serviceRole",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "queuedTimeoutInMinutesOverride": "queuedTimeoutInMinutes",
    "encryptionKeyOverride": "encryptionKey",
    "logsConfigOverride": "logsConfig",
}
_REFUSED = (
    "sourceAuthOverride",
    "buildStatusConfigOverride",
    "registryCredentialOverride",
    "debugSessionEnabled",
    "fleetOverride",
    "autoRetryLimitOverride",
    "hostKernelOverride",
)


@operation(SERVICE, "StartBuild")
def start_build(call: Call, projectName: str, **members: Any) -> dict[str, Any]:
    for member in _REFUSED:
        if members.get(member):
            raise refuse(member)
    token = members.pop("idempotencyToken", None)
    with call.engine.store.transaction():
        project = get_project(call, projectName)
        repeated = _repeated(call, token, members | {"projectName": projectName})
        if repeated:
            return {"build": repeated}
        effective = _override(project, members)
        validate(effective)
        _validate_start(effective, members)
        _check_limit(call, project)
        build = _submit(call, effective, _initiator(call, effective))
        if token:
            record = {"build": build["id"], "request": members | {"projectName": projectName}}
            call.records("token").put(token, record | {"at": call.engine.clock.now()})
    return {"build": build}


def _check_limit(call: Call, project: dict[str, Any]) -> None:
    limit = project.get("concurrentBuildLimit")
    if limit is not None and running_builds(call.records("build"), project["name"]) >= limit:
        raise AwsError(
            "AccountLimitExceededException", f"Cannot have more than {limit} active builds for the project"
        )


def _repeated(call: Call, token: str | None, request: dict[str, Any]) -> dict[str, Any] | None:
    record = call.records("token").get(token) if token else None
    if record is None or call.engine.clock.now() - record["at"] > TOKEN_SECONDS:
        return None
    if record["request"] != request:
        raise invalid("The idempotency token was used before with other parameters")
    return BuildRecord(call.engine, call.account, call.region, record["build"]).shape


def _override(project: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """The project as this build sees it."""
    effective = project | {"source": dict(project["source"]), "environment": dict(project["environment"])}
    for member, name in _SOURCE_OVERRIDES.items():
        if member in members:
            effective["source"][name] = members[member]
    for member, name in _ENVIRONMENT_OVERRIDES.items():
        if member in members:
            effective["environment"][name] = members[member]
    for member, name in _PROJECT_OVERRIDES.items():
        if member in members:
            effective[name] = members[member]
    if "sourceVersion" in members:
        effective["sourceVersion"] = members["sourceVersion"]
    variables = {v["name"]: v for v in project["environment"].get("environmentVariables", [])}
    variables |= {
        v["name"]: {"type": "PLAINTEXT"} | v for v in members.get("environmentVariablesOverride", [])
    }
    effective["environment"]["environmentVariables"] = list(variables.values())
    return effective


def _validate_start(effective: dict[str, Any], members: dict[str, Any]) -> None:
    if effective["source"]["type"] != "CODEPIPELINE":
        return
    version = effective.get("sourceVersion") or ""
    if not version.startswith("arn:aws:s3:::") or not members.get("artifactsOverride"):
        raise invalid(
            "Build for a project with source type CODEPIPELINE cannot be started directly: "
            "CodePipeline starts it, or give sourceTypeOverride and artifactsOverride"
        )


def _initiator(call: Call, effective: dict[str, Any]) -> str:
    by_pipeline = call.agent == "codepipeline.amazonaws.com" and effective["source"]["type"] == "CODEPIPELINE"
    if by_pipeline and call.headers.get(INITIATOR):
        return call.headers[INITIATOR]
    who = call.principal.caller_arn.rpartition(":")[2]  # user/Name, assumed-role/Role/session, root
    return who.split("/", 1)[-1]


def _submit(call: Call, effective: dict[str, Any], initiator: str) -> dict[str, Any]:
    counter = call.records("counter")
    number = (counter.get(effective["name"]) or {"builds": 0})["builds"] + 1
    counter.put(effective["name"], {"builds": number})
    identifier = str(uuid.uuid4())
    build_id = f"{effective['name']}:{identifier}"
    shape: dict[str, Any] = {
        "id": build_id,
        "arn": call.arn(f"build/{build_id}"),
        "buildNumber": number,
        "startTime": call.engine.clock.now(),
        "currentPhase": "SUBMITTED",
        "buildStatus": "IN_PROGRESS",
        "projectName": effective["name"],
        "source": effective["source"],
        "secondarySources": effective.get("secondarySources", []),
        "secondarySourceVersions": effective.get("secondarySourceVersions", []),
        "artifacts": _artifacts_shape(effective["artifacts"]),
        "secondaryArtifacts": [_artifacts_shape(a) for a in effective.get("secondaryArtifacts", [])],
        "cache": effective["cache"],
        "environment": effective["environment"],
        "serviceRole": effective["serviceRole"],
        "logs": _logs(call, effective, identifier),
        "timeoutInMinutes": effective["timeoutInMinutes"],
        "queuedTimeoutInMinutes": effective["queuedTimeoutInMinutes"],
        "buildComplete": False,
        "initiator": initiator,
        "encryptionKey": effective["encryptionKey"],
    }
    if effective.get("sourceVersion"):
        shape["sourceVersion"] = effective["sourceVersion"]
    settings = {
        "artifacts": effective["artifacts"],
        "secondaryArtifacts": effective.get("secondaryArtifacts", []),
        "attempts": 0,
    }
    build = BuildRecord.create(call.engine, call.account, call.region, shape, settings)
    call.engine.tasks.submit("codebuild.build", f"{call.account}/{call.region}/{build_id}")
    return build.shape


def _artifacts_shape(artifacts: dict[str, Any]) -> dict[str, Any]:
    if artifacts["type"] == "NO_ARTIFACTS":
        return {"location": ""}
    parts = (
        artifacts.get("location", "").removeprefix("arn:aws:s3:::"),
        artifacts.get("path", "").strip("/"),
    )
    shape = {"location": f"arn:aws:s3:::{'/'.join(part for part in parts if part)}"} if parts[0] else {}
    kept = ("overrideArtifactName", "encryptionDisabled", "artifactIdentifier")
    return shape | {member: artifacts[member] for member in kept if member in artifacts}


def _logs(call: Call, effective: dict[str, Any], identifier: str) -> dict[str, Any]:
    config = effective.get("logsConfig", {}).get("cloudWatchLogs", {"status": "ENABLED"})
    logs: dict[str, Any] = {
        "cloudWatchLogs": config,
        "s3Logs": {"status": "DISABLED", "encryptionDisabled": False},
    }
    if config["status"] == "DISABLED":
        return logs
    group = config.get("groupName") or f"/aws/codebuild/{effective['name']}"
    prefix = config.get("streamName")
    stream = f"{prefix}/{identifier}" if prefix else identifier
    arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{group}:log-stream:{stream}"
    console = f"https://console.aws.amazon.com/cloudwatch/home?region={call.region}"
    link = f"{console}#logsV2:log-groups/log-group/{group.replace('/', '$252F')}/log-events/{stream}"
    return logs | {"groupName": group, "streamName": stream, "deepLink": link, "cloudWatchLogsArn": arn}


@operation(SERVICE, "RetryBuild")
def retry_build(call: Call, id: str | None = None, idempotencyToken: str | None = None) -> dict[str, Any]:
    if not id:
        raise invalid("Build ID is required")
    build = _get(call, id)
    if not build.shape["buildComplete"]:
        raise invalid(f"Build {build.id} is still in progress")
    with call.engine.store.transaction():
        project = get_project(call, build.shape["projectName"])
        repeated = _repeated(call, idempotencyToken, {"retry": id})
        if repeated:
            return {"build": repeated}
        _check_limit(call, project)
        shape = build.shape
        kept = (
            "source",
            "secondarySources",
            "secondarySourceVersions",
            "environment",
            "serviceRole",
            "cache",
        )
        effective = project | {member: shape[member] for member in kept}
        effective |= {member: build.settings[member] for member in ("artifacts", "secondaryArtifacts")}
        effective |= {"timeoutInMinutes": shape["timeoutInMinutes"], "encryptionKey": shape["encryptionKey"]}
        # The retried build takes the sources that the first one took.
        version = shape.get("sourceVersion")
        if shape["source"]["type"] == "CODECOMMIT":
            version = shape.get("resolvedSourceVersion", version)
        effective["sourceVersion"] = version
        started = _submit(call, effective, _initiator(call, effective))
        if idempotencyToken:
            record = {"build": started["id"], "request": {"retry": id}, "at": call.engine.clock.now()}
            call.records("token").put(idempotencyToken, record)
    return {"build": started}


@operation(SERVICE, "StopBuild")
def stop_build(call: Call, id: str) -> dict[str, Any]:
    """Asks the build to stop; one that is complete is answered as it is."""
    build = _get(call, id)
    if not build.shape["buildComplete"]:
        build.request_stop()
        call.engine.processes.stop(process_key(build.id))
    return {"build": _get(call, id).shape}


@operation(SERVICE, "BatchGetBuilds")
def batch_get_builds(call: Call, ids: list[str]) -> dict[str, Any]:
    builds, missing = [], []
    for build_id in dict.fromkeys(ids):
        record = call.records("build").get(_id(build_id))
        if record:
            builds.append(record["shape"])
        else:
            missing.append(build_id)
    return {"builds": builds, "buildsNotFound": missing}


@operation(SERVICE, "ListBuilds")
def list_builds(call: Call, sortOrder: str = "DESCENDING", nextToken: str | None = None) -> dict[str, Any]:
    return _ids(call.records("build").keys(), sortOrder, nextToken)


@operation(SERVICE, "ListBuildsForProject")
def list_builds_for_project(
    call: Call, projectName: str, sortOrder: str = "DESCENDING", nextToken: str | None = None
) -> dict[str, Any]:
    project = get_project(call, projectName)
    return _ids(call.records("build").keys(f"{project['name']}:"), sortOrder, nextToken)


def _ids(ids: Sequence[str], order: str, token: str | None) -> dict[str, Any]:
    ordered = ids if order == "ASCENDING" else ids[::-1]
    chosen, following = page(ordered, token, error="InvalidInputException")
    return {"ids": chosen} | ({"nextToken": following} if following else {})


def _id(name: str) -> str:
    return name.rpartition(":build/")[2]


def _get(call: Call, name: str) -> BuildRecord:
    try:
        return BuildRecord(call.engine, call.account, call.region, _id(name))
    except LookupError:
        raise AwsError("ResourceNotFoundException", f"Build cannot be found: {name}") from None
