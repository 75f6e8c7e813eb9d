"""Declarations that CreatePipeline refuses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.engine.operations import AwsError
from sandbox.services.codepipeline.structure import validate
from tests.sandbox.codepipeline.conftest import World

Json = dict[str, Any]
Change = Callable[[Json], Any]


@pytest.fixture
def declaration() -> Json:
    world = World(sandbox=None, name="p")  # type: ignore[arg-type]
    return copy.deepcopy(world.declaration(world.source(), world.build(), world.deploy(), world.approval()))


def action(pipeline: Json, stage: int) -> Json:
    found: Json = pipeline["stages"][stage]["actions"][0]
    return found


def test_the_unchanged_declaration_is_accepted(declaration: Json) -> None:
    assert validate(declaration, "us-east-1")["executionMode"] == "QUEUED"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            lambda p: p["stages"].pop() and p["stages"].__delitem__(slice(1, None)),
            "InvalidStructure",
            "minimum of 2 stages",
        ),
        (
            lambda p: p["stages"].pop(0),
            "InvalidStructure",
            "should start with a stage that only contains source actions",
        ),
        (
            lambda p: p["stages"].append(p["stages"][0] | {"name": "Again"}),
            "InvalidStructure",
            "may only be in the first stage",
        ),
        (lambda p: p["stages"][2].update(name="Build"), "InvalidStructure", "Duplicate stage name Build"),
        (lambda p: p.pop("artifactStore"), "InvalidStructure", "exactly one of artifactStore"),
        (
            lambda p: action(p, 1)["inputArtifacts"].clear(),
            "InvalidActionDeclaration",
            "less than the minimum count 1",
        ),
        (
            lambda p: action(p, 1).update(inputArtifacts=[{"name": "None"}]),
            "InvalidActionDeclaration",
            "Input Artifact Bundle None",
        ),
        (
            lambda p: action(p, 1).update(outputArtifacts=[{"name": "SourceOutput"}]),
            "InvalidActionDeclaration",
            "must be unique within the pipeline",
        ),
        (
            lambda p: action(p, 1)["configuration"].pop("ProjectName"),
            "InvalidActionDeclaration",
            "missing required configuration 'ProjectName'",
        ),
        (
            lambda p: action(p, 1)["configuration"].update(Extra="x"),
            "InvalidActionDeclaration",
            "contains unknown configuration 'Extra'",
        ),
        (
            lambda p: action(p, 1)["configuration"].update(BatchEnabled="true"),
            "InvalidActionDeclaration",
            "BatchEnabled is not implemented",
        ),
        (
            lambda p: action(p, 1)["actionTypeId"].update(provider="Jenkins"),
            "InvalidActionDeclaration",
            "Provider: 'Jenkins'",
        ),
        (
            lambda p: action(p, 2)["configuration"].update(ActionMode="EVERYTHING"),
            "InvalidActionDeclaration",
            "invalid ActionMode",
        ),
        (
            lambda p: action(p, 2)["configuration"].update(TemplatePath="x.yaml"),
            "InvalidActionDeclaration",
            "ArtifactName::FileName",
        ),
        (
            lambda p: action(p, 2)["configuration"].update(TemplatePath="Other::x"),
            "InvalidActionDeclaration",
            "not among its input artifacts",
        ),
        (
            lambda p: action(p, 2).update(namespace="BuildVariables"),
            "InvalidActionDeclaration",
            "used by more than one action",
        ),
        (lambda p: action(p, 2).update(region="eu-west-1"), "InvalidActionDeclaration", "another region"),
        (lambda p: p.update(pipelineType="V1"), "ValidationException", "requires a pipeline of type V2"),
        (
            lambda p: p["stages"][1].update(beforeEntry=condition("LambdaInvoke", "SKIP")),
            "ValidationException",
            "rule provider LambdaInvoke",
        ),
        (
            lambda p: p["stages"][1].update(beforeEntry=condition("VariableCheck", "RETRY")),
            "InvalidStageDeclaration",
            "result RETRY is not valid",
        ),
        (
            lambda p: p.update(variables=[{"name": "a"}, {"name": "a"}]),
            "ValidationException",
            "must be unique",
        ),
    ],
)
def test_refusals(declaration: Json, change: Change, code: str, message: str) -> None:
    change(declaration)
    with pytest.raises(AwsError) as refusal:
        validate(declaration, "us-east-1")
    assert refusal.value.code.startswith(code)
    assert message in refusal.value.message


def condition(provider: str, result: str) -> Json:
    kind = {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"}
    configuration = {"Variable": "a", "Value": "b", "Operator": "EQ"}
    return {
        "conditions": [
            {"result": result, "rules": [{"name": "r", "ruleTypeId": kind, "configuration": configuration}]}
        ]
    }
