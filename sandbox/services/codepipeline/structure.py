"""What a pipeline declaration must fulfil before it is accepted.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html and the
action structure reference of each provider.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sandbox.engine.operations import AwsError

VARIABLE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}")
MODES = ("QUEUED", "SUPERSEDED", "PARALLEL")

Json = dict[str, Any]


@dataclass(frozen=True)
class ActionType:
    """`inputs`, `outputs`: fewest and most artifacts."""

    required: frozenset[str]
    optional: frozenset[str]
    inputs: tuple[int, int]
    outputs: tuple[int, int]


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CODEBUILD = ActionType(
    _keys("ProjectName"),
    _keys("PrimarySource EnvironmentVariables BatchEnabled CombineArtifacts"),
    (1, 5),
    (0, 5),
)
ACTION_TYPES: dict[tuple[str, str], ActionType] = {
    ("Source", "CodeCommit"): ActionType(
        _keys("RepositoryName BranchName"), _keys("PollForSourceChanges OutputArtifactFormat"), (0, 0), (1, 1)
    ),
    ("Source", "S3"): ActionType(
        _keys("S3Bucket S3ObjectKey"),
        _keys("PollForSourceChanges AllowOverrideForS3ObjectKey"),
        (0, 0),
        (1, 1),
    ),
    ("Build", "CodeBuild"): _CODEBUILD,
    ("Test", "CodeBuild"): _CODEBUILD,
    ("Deploy", "CloudFormation"): ActionType(
        _keys("ActionMode StackName"),
        _keys(
            "ChangeSetName TemplatePath TemplateConfiguration ParameterOverrides Capabilities OutputFileName RoleArn"
        ),
        (0, 10),
        (0, 1),
    ),
    ("Approval", "Manual"): ActionType(
        frozenset(), _keys("CustomData ExternalEntityLink NotificationArn"), (0, 0), (0, 0)
    ),
}

_STACK_MODES = {
    "CREATE_UPDATE": _keys("TemplatePath RoleArn"),
    "REPLACE_ON_FAILURE": _keys("TemplatePath RoleArn"),
    "DELETE_ONLY": _keys("RoleArn"),
    "CHANGE_SET_REPLACE": _keys("TemplatePath ChangeSetName RoleArn"),
    "CHANGE_SET_EXECUTE": _keys("ChangeSetName"),
}


def structure_error(message: str) -> AwsError:
    return AwsError("InvalidStructureException", message)


def stage_error(message: str) -> AwsError:
    return AwsError("InvalidStageDeclarationException", message)


def action_error(message: str) -> AwsError:
    return AwsError("InvalidActionDeclarationException", message)


def validate(pipeline: Json, region: str) -> Json:
    """The declaration with its defaults; raises as CreatePipeline does."""
    pipeline = {"pipelineType": "V1", "executionMode": "SUPERSEDED"} | pipeline
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
                    f"Source action {action['name']} is in stage {stage['name']}: source actions may only be in the "
                    "first stage of a pipeline"
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
        _validate_action(action, region)
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


def _validate_action(action: Json, region: str) -> None:
    name, kind = action["name"], action["actionTypeId"]
    declared = ACTION_TYPES.get((kind["category"], kind["provider"]))
    if declared is None or kind["owner"] != "AWS" or kind["version"] != "1":
        raise action_error(
            f"ActionType (Category: '{kind['category']}', Provider: '{kind['provider']}', Owner: '{kind['owner']}', "
            f"Version: '{kind['version']}') in action '{name}' is not available in region {region.upper()} "
            "(the sandbox implements Source CodeCommit and S3, Build and Test CodeBuild, Deploy CloudFormation, "
            "Approval Manual)"
        )
    if action.get("region", region) != region:
        raise action_error(f"Action {name}: actions in another region are not implemented in the sandbox")
    for member in ("commands", "outputVariables", "environmentVariables"):
        if action.get(member):
            raise action_error(f"Action {name}: {member} is not implemented in the sandbox")
    configuration = action.get("configuration", {})
    for key in sorted(declared.required - set(configuration)):
        raise action_error(
            f"Action configuration for action '{name}' is missing required configuration '{key}'"
        )
    for key in sorted(set(configuration) - declared.required - declared.optional):
        raise action_error(f"Action configuration for action '{name}' contains unknown configuration '{key}'")
    for member, (fewest, most), label in (
        ("inputArtifacts", declared.inputs, "input"),
        ("outputArtifacts", declared.outputs, "output"),
    ):
        count = len(action.get(member, []))
        if count < fewest:
            raise action_error(
                f"Action {name} declares {count} {label} artifacts which is less than the minimum count {fewest}"
            )
        if count > most:
            raise action_error(
                f"Action {name} declares {count} {label} artifacts which is more than the maximum count {most}"
            )
    _validate_configuration(action, kind["provider"], configuration)


def _validate_configuration(action: Json, provider: str, configuration: dict[str, str]) -> None:
    name = action["name"]
    if provider == "CodeBuild":
        _validate_codebuild(action, configuration)
    elif provider == "CloudFormation":
        _validate_cloudformation(action, configuration)
    elif provider == "CodeCommit" and configuration.get("OutputArtifactFormat", "CODE_ZIP") != "CODE_ZIP":
        raise action_error(
            f"Action {name}: OutputArtifactFormat CODEBUILD_CLONE_REF is not implemented in the sandbox"
        )
    elif provider == "S3" and configuration.get("PollForSourceChanges", "true") != "false":
        raise action_error(
            f"Action {name}: PollForSourceChanges of S3 sources is not implemented in the sandbox; set it to false"
        )
    elif provider == "Manual" and configuration.get("NotificationArn"):
        raise action_error(f"Action {name}: NotificationArn (Amazon SNS) is not implemented in the sandbox")


def _validate_codebuild(action: Json, configuration: dict[str, str]) -> None:
    name = action["name"]
    if configuration.get("BatchEnabled", "false") != "false" or configuration.get("CombineArtifacts"):
        raise action_error(f"Action {name}: BatchEnabled is not implemented in the sandbox")
    inputs = [artifact["name"] for artifact in action["inputArtifacts"]]
    primary = configuration.get("PrimarySource")
    if len(inputs) > 1 and primary not in inputs:
        raise action_error(
            f"Action configuration for action '{name}': PrimarySource must name one of its input artifacts"
        )
    if "EnvironmentVariables" in configuration and not VARIABLE.search(configuration["EnvironmentVariables"]):
        environment_variables(name, configuration["EnvironmentVariables"])


def environment_variables(action: str, text: str) -> list[dict[str, str]]:
    """The EnvironmentVariables of a CodeBuild action."""
    try:
        variables = json.loads(text)
        for variable in variables:
            if set(variable) - {"name", "value", "type"} or not {"name", "value"} <= set(variable):
                raise ValueError(f"unexpected members of {variable}")
    except (ValueError, TypeError) as error:
        raise action_error(
            f"Action configuration for action '{action}': EnvironmentVariables is no JSON array of name, value and "
            f"type: {error}"
        ) from error
    result: list[dict[str, str]] = variables
    return result


def _validate_cloudformation(action: Json, configuration: dict[str, str]) -> None:
    name, mode = action["name"], configuration["ActionMode"]
    if mode not in _STACK_MODES:
        raise action_error(
            f"Action configuration for action '{name}' contains an invalid ActionMode '{mode}'"
        )
    for key in sorted(_STACK_MODES[mode] - set(configuration)):
        raise action_error(
            f"Action configuration for action '{name}' is missing required configuration '{key}'"
        )
    inputs = [artifact["name"] for artifact in action.get("inputArtifacts", [])]
    for key in ("TemplatePath", "TemplateConfiguration"):
        if key in configuration:
            artifact, separator, path = configuration[key].partition("::")
            if not separator or not path:
                raise action_error(f"Action {name}: {key} must have the form ArtifactName::FileName")
            if artifact not in inputs:
                raise action_error(
                    f"Action {name}: {key} names {artifact}, which is not among its input artifacts"
                )
    if configuration.get("OutputFileName") and not action.get("outputArtifacts"):
        raise action_error(f"Action {name}: OutputFileName requires an output artifact")
    overrides = configuration.get("ParameterOverrides")
    if overrides and not VARIABLE.search(overrides):
        try:
            json.loads(overrides)
        except json.JSONDecodeError as error:
            raise action_error(f"Action {name}: ParameterOverrides is no JSON object: {error}") from error


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
                            f"Input Artifact Bundle {artifact['name']} in action {action['name']} is not declared as "
                            "Output Artifact Bundle in any of the preceding actions"
                        )
            for action in group:
                for artifact in action.get("outputArtifacts", []):
                    if artifact["name"] in produced:
                        raise action_error(
                            f"Output Artifact Bundle name must be unique within the pipeline. {artifact['name']} has "
                            "been used more than once."
                        )
                    produced.add(artifact["name"])


def _validate_namespaces(stages: list[Json]) -> None:
    names = [a["namespace"] for stage in stages for a in stage["actions"] if a.get("namespace")]
    for name in names:
        if names.count(name) > 1:
            raise action_error(f"Namespace {name} is used by more than one action")
        if name in ("codepipeline", "variables"):
            raise action_error(f"Namespace {name} is reserved")
