"""What a pipeline declaration must fulfil before it is accepted.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError
from sandbox.services.codepipeline.action_types import Json, validate_action
from sandbox.services.codepipeline.errors import action_error, stage_error, structure_error


def validate(pipeline: Json, region: str) -> Json:
    """The declaration with its defaults; raises as CreatePipeline does."""
    defaults: Json = {"pipelineType": "V1", "executionMode": "SUPERSEDED"}
    pipeline = defaults | pipeline
    if pipeline["pipelineType"] == "V1":
        _validate_v1(pipeline)
    if bool(pipeline.get("artifactStore")) == bool(pipeline.get("artifactStores")):
        raise structure_error("Pipeline must have exactly one of artifactStore and artifactStores")
    if pipeline.get("artifactStores"):
        raise structure_error("artifactStores is not implemented in the sandbox; use artifactStore")
    if pipeline.get("triggers"):
        raise AwsError(
            "ValidationException",
            "Triggers of provider CodeStarSourceConnection are not implemented in the sandbox",
        )
    _validate_variables(pipeline)
    stages = pipeline["stages"]
    if len(stages) < 2:
        raise structure_error(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    _unique([stage["name"] for stage in stages], "stage")
    _validate_sources(stages)
    for stage in stages:
        _validate_stage(stage, region)
    _validate_artifacts(stages)
    _validate_namespaces(stages)
    return pipeline


def _validate_v1(pipeline: Json) -> None:
    for member in ("variables", "triggers"):
        if pipeline.get(member):
            raise AwsError("ValidationException", f"Pipeline of type V1 cannot have {member}")
    if pipeline["executionMode"] != "SUPERSEDED":
        raise AwsError(
            "ValidationException",
            f"Execution mode {pipeline['executionMode']} requires a pipeline of type V2",
        )
    for stage in pipeline["stages"]:
        if any(stage.get(member) for member in ("beforeEntry", "onSuccess", "onFailure")):
            raise AwsError("ValidationException", "Stage conditions require a pipeline of type V2")


def _validate_variables(pipeline: Json) -> None:
    names = [variable["name"] for variable in pipeline.get("variables", [])]
    if len(set(names)) != len(names):
        raise AwsError("ValidationException", "Pipeline variable names must be unique")


def _unique(names: list[str], kind: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise structure_error(f"Duplicate {kind} name {name} in the pipeline")


def _validate_sources(stages: list[Json]) -> None:
    for index, stage in enumerate(stages):
        for action in stage["actions"]:
            source = action["actionTypeId"]["category"] == "Source"
            if index == 0 and not source:
                raise structure_error("Pipeline should start with a stage that only contains source actions")
            if index and source:
                raise structure_error(
                    f"Source action {action['name']} is in stage {stage['name']}: source actions may only be "
                    "in the first stage of a pipeline"
                )


def _validate_stage(stage: Json, region: str) -> None:
    if not stage["actions"]:
        raise stage_error(f"Stage {stage['name']} must have at least one action")
    if stage.get("blockers"):
        raise AwsError("InvalidBlockerDeclarationException", "Blockers are reserved for future use")
    names = [action["name"] for action in stage["actions"]]
    for name in names:
        if names.count(name) > 1:
            raise stage_error(f"Duplicate action name {name} in stage {stage['name']}")
    for action in stage["actions"]:
        validate_action(action, region)
    for member, results in (("beforeEntry", ("FAIL", "SKIP")), ("onSuccess", ("FAIL", "ROLLBACK"))):
        for condition in stage.get(member, {}).get("conditions", []):
            _validate_condition(stage, member, condition, results)
    failure = stage.get("onFailure", {})
    for condition in failure.get("conditions", []):
        _validate_condition(stage, "onFailure", condition, ("ROLLBACK", "RETRY", "FAIL", "SKIP"))
    if failure.get("retryConfiguration") and failure.get("result") != "RETRY":
        raise stage_error(f"Stage {stage['name']}: retryConfiguration requires the result RETRY")


def _validate_condition(stage: Json, member: str, condition: Json, results: tuple[str, ...]) -> None:
    where = f"{member} condition of stage {stage['name']}"
    if condition.get("result", results[0]) not in results:
        raise stage_error(f"The result {condition['result']} is not valid for the {where}")
    if not condition.get("rules"):
        raise stage_error(f"The {where} has no rules")
    for rule in condition["rules"]:
        provider = rule["ruleTypeId"]["provider"]
        if provider != "VariableCheck":
            raise AwsError(
                "ValidationException",
                f"The rule provider {provider} (rule {rule['name']}) is not implemented in the sandbox",
            )
        configuration = rule.get("configuration", {})
        missing = {"Variable", "Value", "Operator"} - set(configuration)
        unknown = set(configuration) - {"Variable", "Value", "Operator"}
        if missing or unknown:
            names = ", ".join(sorted(missing or unknown))
            problem = "is missing required configuration" if missing else "contains unknown configuration"
            raise AwsError(
                "ValidationException", f"Rule configuration for rule '{rule['name']}' {problem} '{names}'"
            )
        if configuration["Operator"] not in ("EQ", "NE", "CONTAINS", "MATCHES"):
            raise AwsError(
                "ValidationException", f"Rule '{rule['name']}': unknown Operator {configuration['Operator']}"
            )


def _validate_artifacts(stages: list[Json]) -> None:
    """Every output artifact has one producer, every input was produced before its action starts."""
    produced: set[str] = set()
    for stage in stages:
        for order in sorted({action.get("runOrder", 1) for action in stage["actions"]}):
            group = [action for action in stage["actions"] if action.get("runOrder", 1) == order]
            for action in group:
                for artifact in action.get("inputArtifacts", []):
                    if artifact["name"] not in produced:
                        raise action_error(
                            f"Input Artifact Bundle {artifact['name']} in action {action['name']} is not "
                            "declared as Output Artifact Bundle in any of the preceding actions"
                        )
            for action in group:
                for artifact in action.get("outputArtifacts", []):
                    if artifact["name"] in produced:
                        raise action_error(
                            f"Output Artifact Bundle name must be unique within the pipeline. "
                            f"{artifact['name']} has been used more than once."
                        )
                    produced.add(artifact["name"])


def _validate_namespaces(stages: list[Json]) -> None:
    names = [a["namespace"] for stage in stages for a in stage["actions"] if a.get("namespace")]
    for name in names:
        if names.count(name) > 1:
            raise action_error(f"Namespace {name} is used by more than one action")
        if name in ("codepipeline", "variables"):
            raise action_error(f"Namespace {name} is reserved")
