"""Small templates and lookups for the pure tests."""

from __future__ import annotations

import json
from typing import Any

from sandbox.services.cloudformation.stack.lookups import Recorder
from sandbox.services.cloudformation.template import parameters
from sandbox.services.cloudformation.template.evaluate import Evaluator, Place
from sandbox.services.cloudformation.template.sections import Template, parse

PLACE = Place("123456789012", "us-east-1", "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1", "s")
INERT = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


def template(**sections: Any) -> Template:
    return parse(json.dumps({"Resources": {"R": INERT}} | sections))


class Known(Recorder):
    """Resources that exist: Ref gives `id-of-X`, GetAtt `X-attribute`."""

    def ref(self, logical_id: str) -> Any:
        super().ref(logical_id)
        return f"id-of-{logical_id}"

    def attribute(self, logical_id: str, attribute: str) -> Any:
        super().attribute(logical_id, attribute)
        return f"{logical_id}-{attribute}"

    def stored(self, name: str) -> Any:
        return f"stored:{name}"

    def imported(self, name: str) -> Any:
        return f"imported:{name}"


def evaluator(lookups: Any = None, given: dict[str, str] | None = None, **sections: Any) -> Evaluator:
    made = template(**sections)
    pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in (given or {}).items()]
    values = parameters.resolve(made.parameters, pairs, {}, lambda names: {})
    return Evaluator(made, values, PLACE, lookups or Known())
