"""Which pipeline definitions are accepted, and how the others are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.services.sagemaker.pipelines.definition import DefinitionError
from sandbox.services.sagemaker.pipelines.execution import ready
from sandbox.services.sagemaker.pipelines.parameters import bind
from sandbox.services.sagemaker.pipelines.validation import validate
from tests.sandbox.sagemaker.definitions import (
    condition,
    fail,
    output_of,
    pipeline,
    processing,
    register,
    training,
)

ROLE = "arn:aws:iam::123456789012:role/ml"
EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


def whole() -> str:
    report = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "evaluation.json"}
    rmse = {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "rmse.value"}
    }
    model = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    return pipeline(
        processing("Prepare", ROLE, "true", inputs=[("raw", {"Get": "Parameters.Data"})]),
        training("Train", ROLE, "true", channels=[("train", output_of("Prepare"))]),
        processing("Evaluate", ROLE, "true", inputs=[("model", model)], PropertyFiles=[report]),
        condition(
            "Check",
            [{"Type": "LessThanOrEqualTo", "LeftValue": rmse, "RightValue": {"Get": "Parameters.Bar"}}],
            [register("Register", "group", model)],
            [
                fail(
                    "TooHigh",
                    {"Std:Join": {"On": " ", "Values": ["RMSE", rmse, "over", {"Get": "Parameters.Bar"}]}},
                )
            ],
        ),
        parameters=[
            {"Name": "Data", "Type": "String", "DefaultValue": "s3://b/raw"},
            {"Name": "Bar", "Type": "Float", "DefaultValue": 6.0},
            {"Name": "Count", "Type": "Integer", "EnumValues": [1, 2]},
            {"Name": "Fast", "Type": "Boolean", "DefaultValue": False},
        ],
        PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}},
        Metadata={},
    )


def test_the_graph_of_a_whole_pipeline() -> None:
    definition = validate(whole())
    needs = {step.name: set(step.needs) for step in definition.steps.values()}
    assert needs == {
        "Prepare": set(),
        "Train": {"Prepare"},
        "Evaluate": {"Train"},
        "Check": {"Evaluate"},
        "Register": {"Check", "Train"},
        "TooHigh": {"Check", "Evaluate"},
    }
    assert definition.steps["TooHigh"].branch == ("Check", False)


def test_only_the_chosen_branch_becomes_ready() -> None:
    definition = validate(whole())
    done: dict[str, Any] = {
        name: {"StepStatus": "Succeeded", "Private": {}} for name in ("Prepare", "Train", "Evaluate")
    }
    assert [step.name for step in ready(definition, done)] == ["Check"]
    done["Check"] = {"StepStatus": "Succeeded", "Private": {"Outcome": False}}
    assert [step.name for step in ready(definition, done)] == ["TooHigh"]
    done["Check"]["Private"]["Outcome"] = True
    assert [step.name for step in ready(definition, done)] == ["Register"]


def _prepare(**changes: Any) -> dict[str, Any]:
    return processing("Prepare", ROLE, "true", **changes)


def _with_argument(name: str, value: Any) -> dict[str, Any]:
    step = _prepare()
    step["Arguments"][name] = value
    return step


REFUSED = [
    ("{", "not JSON"),
    ("[]", "must be a JSON object"),
    (json.dumps({"Version": "2020-12-01", "Steps": []}), "at least one step"),
    (json.dumps({"Version": "2019-01-01", "Steps": [_prepare()]}), "Version must be '2020-12-01'"),
    (pipeline(_prepare(), Extra=1), "Unrecognized field 'Extra'"),
    (pipeline(_prepare(), _prepare()), "'Prepare' occurs twice"),
    (pipeline(_prepare() | {"Name": "a b"}), "A step's Name"),
    (
        pipeline({"Name": "T", "Type": "Tuning", "Arguments": {}}),
        "Step 'T': step type 'Tuning' is not implemented",
    ),
    (pipeline({"Name": "T", "Type": "Transform", "Arguments": {}}), "'Transform' is not implemented"),
    (pipeline({"Name": "T", "Type": "Nonsense", "Arguments": {}}), 'step type "Nonsense" does not exist'),
    (pipeline(_prepare(DependsOn=["Nobody"])), "depends on step 'Nobody', which does not exist"),
    (
        pipeline(_prepare(DependsOn=[{"Step": "A", "Trigger": "Failed"}])),
        "trigger 'Failed' is not implemented",
    ),
    (
        pipeline(_prepare(DependsOn=["Train"]), training("Train", ROLE, "x", DependsOn=["Prepare"])),
        "depend on each other in a cycle",
    ),
    (pipeline(_prepare(inputs=[("a", {"Get": "Parameters.X"})])), "Parameter 'X' is not defined"),
    (pipeline(_prepare(inputs=[("a", {"Get": "Execution.X"})])), "no execution variable 'X'"),
    (pipeline(_prepare(inputs=[("a", {"Get": "Nonsense"})])), "'Nonsense' is not a reference"),
    (
        pipeline(_prepare(), training("T", ROLE, "x", channels=[("c", {"Get": "Steps.Prepare.Wrong"})])),
        "DescribeProcessingJobResponse has no property 'Wrong'",
    ),
    (
        pipeline(
            _prepare(), training("T", ROLE, "x", channels=[("c", {"Get": "Steps.Prepare.ProcessingInputs"})])
        ),
        "is of type list",
    ),
    (pipeline(_with_argument("Nope", 1)), "Arguments has no member 'Nope'"),
    (pipeline(_with_argument("RoleArn", None)), "Arguments needs the member 'RoleArn'"),
    (pipeline(_with_argument("RoleArn", 5)), "Arguments.RoleArn must be of type string, not 5"),
    (
        pipeline(_with_argument("Environment", {"A": True})),
        r"Arguments.Environment\['A'\] must be of type string",
    ),
    (
        pipeline(_prepare(CacheConfig={"Enabled": True, "ExpireAfter": "soon"})),
        "'soon' is not an ISO 8601 duration",
    ),
    (pipeline(_prepare(CacheConfig={"ExpireAfter": "P1D"})), "CacheConfig needs Enabled"),
    (pipeline(_prepare(RetryPolicies=[{"ExceptionType": ["Any"]}])), "ExceptionType must list some of"),
    (
        pipeline(_prepare(PropertyFiles=[{"PropertyFileName": "F", "OutputName": "none", "FilePath": "f"}])),
        "in the output 'none', which does not exist",
    ),
    (pipeline(condition("C", [], [], [])), "at least one condition"),
    (pipeline(condition("C", [{"Type": "Near"}], [], [])), "condition type 'Near' is not one of"),
    (pipeline(condition("C", [{"Type": "In", "QueryValue": 1}], [], [])), "needs Values"),
    (pipeline(condition("C", [EQUAL], [_prepare()], [_prepare()])), "'Prepare' occurs twice"),
    (pipeline(fail("F", {"Get": "Steps.F2.X"}), fail("F2", "x")), "has no properties"),
    (pipeline(_prepare(), parameters=[{"Name": "P", "Type": "Text"}]), "Type must be one of"),
    (
        pipeline(_prepare(), parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": "1"}]),
        "not of type Integer",
    ),
    (
        pipeline(
            _prepare(), parameters=[{"Name": "P", "Type": "String", "DefaultValue": "a", "EnumValues": ["b"]}]
        ),
        "not one of the EnumValues",
    ),
    (pipeline(_prepare(), MlflowConfig={"MlflowResourceArn": "a"}), "MlflowConfig is not implemented"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_a_definition_that_cannot_run_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        validate(text)


def test_a_number_parameter_does_not_fit_a_text_argument() -> None:
    step = training("T", ROLE, "x")
    step["Arguments"]["HyperParameters"] = {"depth": {"Get": "Parameters.Depth"}}
    depth = {"Name": "Depth", "Type": "Integer", "DefaultValue": 3}
    with pytest.raises(DefinitionError, match="must be of type string.*is of type integer"):
        validate(pipeline(step, parameters=[depth]))
    step["Arguments"]["HyperParameters"] = {
        "depth": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Depth"}]}}
    }
    validate(pipeline(step, parameters=[depth]))


def test_parameters_are_converted_and_checked() -> None:
    declared = validate(whole()).parameters
    assert bind(declared, {"Count": "2", "Fast": "true", "Bar": "1e-3"}) == {
        "Data": "s3://b/raw",
        "Bar": 0.001,
        "Count": 2,
        "Fast": True,
    }
    for given, reason in (
        ({}, r"\[Count\] have no default value"),
        ({"Count": "3"}, r"is not one of \[1, 2\]"),
        ({"Count": "1.0"}, "is not of type Integer"),
        ({"Count": "1", "Bar": "nan"}, "is not of type Float"),
        ({"Count": "1", "Fast": "yes"}, "is not of type Boolean"),
        ({"Count": "1", "Other": "x"}, r"\[Other\] are not defined"),
    ):
        with pytest.raises(DefinitionError, match=reason):
            bind(declared, given)
