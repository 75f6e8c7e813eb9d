"""One state's fields: which there are, of what type, and what they may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.services.stepfunctions.definition import choices, fields, tasks
from sandbox.services.stepfunctions.definition.diagnostics import Report
from sandbox.services.stepfunctions.definition.expressions import check_jsonata, check_path, check_template
from sandbox.services.stepfunctions.definition.machine import JSONATA, JSONPATH
from sandbox.services.stepfunctions.language import jsonata, timestamps

Container = Callable[..., None]

_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign", "Credentials")
_JSONATA_FIELDS = (
    "Arguments",
    "Output",
    "Assign",
    "Items",
    "ItemSelector",
    "Seconds",
    "Timestamp",
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "MaxConcurrency",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "Credentials",
    "Error",
    "Cause",
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
)
_NUMBERS = {
    "Seconds": (0, 99_999_999),
    "TimeoutSeconds": (1, 99_999_999),
    "HeartbeatSeconds": (1, 99_999_999),
    "MaxConcurrency": (0, None),
    "ToleratedFailureCount": (0, None),
    "ToleratedFailurePercentage": (0, 100),
}


@dataclass(frozen=True)
class Checker:
    """`container` checks what holds further states (branches, processors)."""

    report: Report
    language: str
    machine_type: str
    container: Container

    def state(self, state: Any, place: str) -> None:
        if not isinstance(state, dict):
            self.report.schema("Expected value of type Object", place)
            return
        kind = state.get("Type")
        if "Type" not in state:
            self.report.schema("These fields are required: [Type]", place)
            return
        if not isinstance(kind, str) or kind not in fields.STATES:
            self.report.schema(
                f"Value is not one of the allowed values: [{', '.join(sorted(fields.STATES))}]",
                f"{place}/Type",
            )
            return
        language = self._language(state, place)
        for name in state:
            if name not in fields.STATES[kind]:
                self.report.schema(f"Field '{name}' is not supported", place)
        self._of_language(state, language, place)
        self._required(state, kind, place)
        self._expressions(state, language, place)
        self._numbers(state, place)
        self._flow(state, kind, place)
        if kind == "Task":
            tasks.check(state, language, self.machine_type, place, self.report)
        elif kind == "Choice":
            choices.check(state, language, place, self.report)
        elif kind == "Parallel":
            self._branches(state, place)
        elif kind == "Map":
            self._map(state, language, place)
        elif kind == "Wait":
            self._wait(state, place)

    def _language(self, state: dict[str, Any], place: str) -> str:
        given = state.get("QueryLanguage", self.language)
        if given not in (JSONATA, JSONPATH):
            self.report.schema(
                f"Value is not one of the allowed values: [{JSONPATH}, {JSONATA}]", f"{place}/QueryLanguage"
            )
            return JSONATA
        if given == JSONPATH and self.language == JSONATA:
            self.report.schema(
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", place
            )
        return str(given)

    def _of_language(self, item: dict[str, Any], language: str, place: str) -> None:
        """Fields that the other query language has."""
        other = JSONPATH if language == JSONATA else JSONATA
        foreign = fields.JSONPATH_ONLY if language == JSONATA else fields.JSONATA_ONLY
        for name in item:
            if name in foreign:
                self.report.schema(
                    f"The QueryLanguage is set to '{language}', but field '{name}' is only supported for the "
                    f"'{other}' QueryLanguage",
                    place,
                )

    def _required(self, state: dict[str, Any], kind: str, place: str) -> None:
        missing = [name for name in fields.REQUIRED.get(kind, ()) if name not in state]
        if kind == "Map" and "ItemProcessor" not in state and "Iterator" not in state:
            missing = ["ItemProcessor"]
        if missing:
            self.report.schema(f"These fields are required: [{', '.join(missing)}]", place)
        for group in fields.EITHER:
            given = [name for name in group if name in state]
            if len(given) > 1:
                self.report.schema(
                    f"There should only be one of the following fields: [{', '.join(given)}]", place
                )

    def _expressions(self, state: dict[str, Any], language: str, place: str) -> None:
        if language == JSONATA:
            for name in _JSONATA_FIELDS:
                if name in state:
                    check_jsonata(state[name], f"{place}/{name}", self.report)
            return
        for name in ("InputPath", "OutputPath"):
            if state.get(name) is not None:
                check_path(state[name], f"{place}/{name}", self.report)
        if state.get("ResultPath") is not None:
            check_path(state["ResultPath"], f"{place}/ResultPath", self.report, reference=True)
        if "ItemsPath" in state:
            check_path(state["ItemsPath"], f"{place}/ItemsPath", self.report)
        for name in ("ErrorPath", "CausePath"):
            if isinstance(state.get(name), str) and not state[name].startswith("States."):
                check_path(state[name], f"{place}/{name}", self.report)
        for name in state:
            if name in fields.REFERENCE and name != "ItemsPath":
                check_path(state[name], f"{place}/{name}", self.report, reference=True)
        for name in _TEMPLATES:
            if name in state:
                check_template(state[name], f"{place}/{name}", self.report)

    def _numbers(self, state: dict[str, Any], place: str) -> None:
        for name, (low, high) in _NUMBERS.items():
            value = state.get(name)
            if value is None or jsonata.is_expression(value):
                continue
            here = f"{place}/{name}"
            if isinstance(value, bool) or not isinstance(value, int | float):
                self.report.schema("Expected value of type Integer", here)
            elif value < low:
                self.report.schema(f"Minimum value is {low}", here)
            elif high is not None and value > high:
                self.report.schema(f"Maximum value is {high}", here)

    def _flow(self, state: dict[str, Any], kind: str, place: str) -> None:
        """`Next` or `End`, and what becomes of errors."""
        if kind not in ("Choice", "Succeed", "Fail"):
            if "Next" in state and "End" in state:
                self.report.schema("There should only be one of the following fields: [Next, End]", place)
            elif "Next" not in state and "End" not in state:
                self.report.schema("There should be one of the following fields: [Next, End]", place)
            elif "End" in state and state["End"] is not True:
                self.report.schema("End must be true", f"{place}/End")
        for name in ("Next", "Default"):
            if name in state and not isinstance(state[name], str):
                self.report.schema("Expected value of type String", f"{place}/{name}")
        language = JSONATA if state.get("QueryLanguage", self.language) == JSONATA else JSONPATH
        for name, check in (("Retry", choices.check_retrier), ("Catch", choices.check_catcher)):
            items = state.get(name, [])
            if not isinstance(items, list):
                self.report.schema("Expected value of type Array", f"{place}/{name}")
                continue
            for index, item in enumerate(items):
                here = f"{place}/{name}[{index}]"
                check(item, language, here, index == len(items) - 1, self.report)
                if isinstance(item, dict):
                    self._of_language(item, language, here)

    def _branches(self, state: dict[str, Any], place: str) -> None:
        branches = state.get("Branches")
        if branches is None:
            return
        if not isinstance(branches, list) or not branches:
            self.report.schema("Expected a non-empty Array", f"{place}/Branches")
            return
        for index, branch in enumerate(branches):
            self.container(branch, f"{place}/Branches[{index}]", None, self)

    def _map(self, state: dict[str, Any], language: str, place: str) -> None:
        name = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        processor = state.get(name)
        if processor is None:
            return
        self.container(processor, f"{place}/{name}", None, self)
        config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else {}
        mode = config.get("Mode", "INLINE") if isinstance(config, dict) else None
        if mode not in ("INLINE", "DISTRIBUTED"):
            self.report.schema(
                "Value is not one of the allowed values: [INLINE, DISTRIBUTED]",
                f"{place}/{name}/ProcessorConfig/Mode",
            )
        elif mode == "INLINE":
            for given in state:
                if given in fields.DISTRIBUTED_ONLY:
                    self.report.schema(f"Field '{given}' is not supported for INLINE mode", place)
        else:
            self._distributed(state, config, f"{place}/{name}/ProcessorConfig")
        if "Parameters" in state and "ItemSelector" in state:
            self.report.schema(
                "There should only be one of the following fields: [Parameters, ItemSelector]", place
            )

    def _distributed(self, state: dict[str, Any], config: dict[str, Any], place: str) -> None:
        if self.machine_type == "EXPRESS":
            self.report.schema("Distributed Map is not supported for Express state machines", place)
        self._reader(state, place.partition("/ItemProcessor")[0].partition("/Iterator")[0])
        if "ExecutionType" not in config:
            self.report.schema("These fields are required: [ExecutionType]", place)
        elif config["ExecutionType"] not in ("STANDARD", "EXPRESS"):
            self.report.schema(
                "Value is not one of the allowed values: [STANDARD, EXPRESS]", f"{place}/ExecutionType"
            )

    def _reader(self, state: dict[str, Any], place: str) -> None:
        """What the sandbox can read and write."""
        reader = state.get("ItemReader")
        if isinstance(reader, dict):
            known = ("arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2")
            if reader.get("Resource") not in known:
                self.report.schema("Value is not a valid resource ARN", f"{place}/ItemReader/Resource")
            kind = reader.get("ReaderConfig", {}).get("InputType", "JSON")
            if kind not in ("JSON", "JSONL", "CSV"):
                self.report.schema(
                    f"InputType {kind} is not implemented in the sandbox",
                    f"{place}/ItemReader/ReaderConfig/InputType",
                )
        writer = state.get("ResultWriter")
        if isinstance(writer, dict) and writer.get("Resource") not in (None, "arn:aws:states:::s3:putObject"):
            self.report.schema("Value is not a valid resource ARN", f"{place}/ResultWriter/Resource")

    def _wait(self, state: dict[str, Any], place: str) -> None:
        names = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
        if not any(name in state for name in names):
            self.report.schema(f"There should be one of the following fields: [{', '.join(names)}]", place)
        moment = state.get("Timestamp")
        if moment is not None and not jsonata.is_expression(moment) and timestamps.parse(moment) is None:
            self.report.schema("Value is not a valid timestamp", f"{place}/Timestamp")
