"""The action types the sandbox has, and what their configurations must hold.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-valid-providers.html and the action
structure reference of each provider.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sandbox.services.codepipeline.errors import action_error

VARIABLE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}")
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
    ("Source", "CodeStarSourceConnection"): ActionType(
        _keys("ConnectionArn FullRepositoryId BranchName"),
        _keys("DetectChanges OutputArtifactFormat"),
        (0, 0),
        (1, 1),
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
            "ChangeSetName TemplatePath TemplateConfiguration ParameterOverrides Capabilities OutputFileName "
            "RoleArn"
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


def validate_action(action: Json, region: str) -> None:
    name, kind = action["name"], action["actionTypeId"]
    declared = ACTION_TYPES.get((kind["category"], kind["provider"]))
    if declared is None or kind["owner"] != "AWS" or kind["version"] != "1":
        raise action_error(
            f"ActionType (Category: '{kind['category']}', Provider: '{kind['provider']}', "
            f"Owner: '{kind['owner']}', Version: '{kind['version']}') in action '{name}' is not available in "
            f"region {region.upper()} "
            "(the sandbox implements Source CodeCommit, CodeStarSourceConnection and S3, Build and Test "
            "CodeBuild, Deploy CloudFormation, Approval Manual)"
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
                f"Action {name} declares {count} {label} artifacts, less than the minimum count {fewest}"
            )
        if count > most:
            raise action_error(
                f"Action {name} declares {count} {label} artifacts, more than the maximum count {most}"
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
            f"Action {name}: PollForSourceChanges of S3 sources is not implemented in the sandbox, "
            "set it to false"
        )


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
            f"Action configuration for action '{action}': EnvironmentVariables is no JSON array of name, "
            f"value and type: {error}"
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
