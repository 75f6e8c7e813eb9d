"""The start of an action: its record, with inputs found, outputs placed and variables resolved."""

from __future__ import annotations

import secrets
import string
import uuid

from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.record import Pipelines
from sandbox.services.codepipeline.variables import Namespaces, UnresolvedVariable, resolve_all

_ALPHABET = string.ascii_letters + string.digits


def begin_action(
    pipelines: Pipelines, execution: Json, stage: str, action: Json, namespaces: Namespaces
) -> None:
    """Writes the action's record and notes it in the execution, which the caller saves; submits its task.

    A reference to a variable that does not exist fails the action at once.
    """
    declaration = pipelines.declaration(execution["pipelineName"], execution["pipelineVersion"])
    name, configuration = execution["pipelineName"], action.get("configuration", {})
    store = declaration["artifactStore"]["location"]
    record: Json = {
        "pipelineName": name,
        "pipelineExecutionId": execution["pipelineExecutionId"],
        "pipelineVersion": execution["pipelineVersion"],
        "actionExecutionId": str(uuid.uuid4()),
        "stageName": stage,
        "actionName": action["name"],
        "startTime": pipelines.engine.clock.now(),
        "status": "InProgress",
        "input": {
            "actionTypeId": action["actionTypeId"],
            "configuration": configuration,
            "resolvedConfiguration": configuration,
            "roleArn": action.get("roleArn") or declaration["roleArn"],
            "region": pipelines.region,
            "inputArtifacts": [
                {"name": a["name"], "s3location": execution["artifacts"][a["name"]]}
                for a in action.get("inputArtifacts", [])
                if a["name"] in execution["artifacts"]
            ],
        },
        "outputArtifacts": [
            {
                "name": a["name"],
                "s3location": {"bucket": store, "key": _object_key(name, action, a["name"])},
            }
            for a in action.get("outputArtifacts", [])
        ],
        "outputVariables": {},
        "result": {},
        "state": {},
    }
    if action.get("namespace"):
        record["input"]["namespace"] = action["namespace"]
    execution["stages"][stage]["actions"][action["name"]] = record["actionExecutionId"]
    try:
        record["input"]["resolvedConfiguration"] = resolve_all(configuration, namespaces)
    except UnresolvedVariable as error:
        message = (
            "An action in this pipeline failed because one or more variables could not be resolved: "
            f"Action name={action['name']} (variable {error}). This can result when a variable is "
            "referenced that does not exist. Validate the pipeline configuration."
        )
        record["result"] = {"errorDetails": {"code": "InvalidVariableReference", "message": message}}
        record["status"] = "Failed"
    pipelines.save_action(record)
    pipelines.action_event(execution, record, "STARTED")
    if record["status"] == "Failed":
        pipelines.action_event(execution, record, "FAILED")
        return
    task_key = pipelines.task_key(pipelines.action_key(record))
    pipelines.engine.tasks.submit("codepipeline.action", task_key)


def _object_key(pipeline: str, action: Json, artifact: str) -> str:
    unique = "".join(secrets.choice(_ALPHABET) for _ in range(7))
    suffix = ".zip" if action["actionTypeId"]["category"] == "Source" else ""
    return f"{pipeline[:20]}/{artifact[:10]}/{unique}{suffix}"
