"""The CodeBuild action: input artifacts built, output artifacts and exported variables taken.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

from __future__ import annotations

from typing import Any

from sandbox.services.codepipeline.action_types import environment_variables
from sandbox.services.codepipeline.actions.context import ActionFailed, Context, Succeeded

INITIATOR = "x-amzn-codepipeline-initiator"


def run(context: Context) -> Succeeded | None:
    client = context.session.client("codebuild")
    build_id = context.action["result"].get("externalExecutionId")
    if build_id is None:
        build_id = _start(context)
    [build] = client.batch_get_builds(ids=[build_id])["builds"] or [None]
    if build is None:
        raise ActionFailed("JobFailed", f"Build {build_id} does not exist any more")
    stream = build.get("logs", {}).get("cloudWatchLogsArn")
    if stream:
        context.action["result"]["logStreamARN"] = stream
    if not build["buildComplete"]:
        return None
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailed("JobFailed", _failure(build))
    exported = {v["name"]: v["value"] for v in build.get("exportedEnvironmentVariables", [])}
    return Succeeded(variables=exported)


def _start(context: Context) -> str:
    initiator = {INITIATOR: f"codepipeline/{context.action['pipelineName']}"}
    client = context.session.client("codebuild", headers=initiator)
    inputs = [artifact["name"] for artifact in context.action["input"]["inputArtifacts"]]
    if not inputs:
        raise ActionFailed("ConfigurationError", "The action has no input artifact in this execution")
    primary = context.configuration.get("PrimarySource") or inputs[0]
    others = [artifact for artifact in inputs if artifact != primary]
    request: dict[str, Any] = {
        "projectName": context.configuration["ProjectName"],
        # The same for every run of this task: an execution starts one build, whatever is killed meanwhile.
        "idempotencyToken": context.action["actionExecutionId"],
        "sourceTypeOverride": "CODEPIPELINE",
        "sourceVersion": _arn(context.location(primary)),
        **_outputs(context),
    }
    if others:
        request["secondarySourcesOverride"] = [
            {"type": "CODEPIPELINE", "sourceIdentifier": artifact} for artifact in others
        ]
        request["secondarySourcesVersionOverride"] = [
            {"sourceIdentifier": artifact, "sourceVersion": _arn(context.location(artifact))}
            for artifact in others
        ]
    if "EnvironmentVariables" in context.configuration:
        request["environmentVariablesOverride"] = environment_variables(
            context.action["actionName"], context.configuration["EnvironmentVariables"]
        )
    if context.key:
        request["encryptionKeyOverride"] = context.key
    build_id: str = client.start_build(**request)["build"]["id"]
    region = context.pipelines.region
    url = f"https://console.aws.amazon.com/codebuild/home?region={region}#/builds/{build_id}/view/new"
    context.wait_for("codebuild", build_id, url=url)
    return build_id


def _outputs(context: Context) -> dict[str, Any]:
    """One output artifact is the build's primary one; several are its secondary ones, by their names."""
    outputs = [
        {
            "type": "CODEPIPELINE",
            "location": artifact["s3location"]["bucket"],
            "path": artifact["s3location"]["key"],
            "artifactIdentifier": artifact["name"],
            "packaging": "ZIP",
        }
        for artifact in context.action["outputArtifacts"]
    ]
    if len(outputs) == 1:
        return {"artifactsOverride": outputs[0], "secondaryArtifactsOverride": []}
    return {"artifactsOverride": {"type": "CODEPIPELINE"}, "secondaryArtifactsOverride": outputs}


def _arn(location: dict[str, str]) -> str:
    return f"arn:aws:s3:::{location['bucket']}/{location['key']}"


def _failure(build: dict[str, Any]) -> str:
    text = f"Build terminated with state: {build['buildStatus']}."
    for phase in build["phases"]:
        if phase.get("phaseStatus") not in (None, "SUCCEEDED"):
            [context, *_] = phase.get("contexts") or [{"statusCode": "", "message": ""}]
            text += (
                f" Phase: {phase['phaseType']}, Code: {context['statusCode']}, Message: {context['message']}"
            )
            break
    return text
