"""Which context keys policies name: in their conditions, and as policy variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.iam.sources import Source, inputs, statements, subject

_VARIABLE = re.compile(r"\$\{\s*([^}\s,]+:[^}\s,]+)")


def keys_of(statement: dict[str, Any]) -> list[str]:
    """The keys of one statement, as written, each once in any case."""
    named = [key for pairs in (statement.get("Condition") or {}).values() for key in pairs]
    named += _VARIABLE.findall(json.dumps(statement))
    return list({key.lower(): key for key in reversed(named)}.values())[::-1]


def _names(sources: Iterable[Source]) -> dict[str, Any]:
    named = [key for source in sources for statement in statements(source) for key in keys_of(statement)]
    return {"ContextKeyNames": list({key.lower(): key for key in reversed(named)}.values())[::-1]}


@operation("iam", "GetContextKeysForCustomPolicy")
def get_context_keys_for_custom_policy(call: Call, PolicyInputList: list[str]) -> dict[str, Any]:
    return _names(inputs(PolicyInputList))


@operation("iam", "GetContextKeysForPrincipalPolicy")
def get_context_keys_for_principal_policy(
    call: Call, PolicySourceArn: str, PolicyInputList: list[str] | None = None
) -> dict[str, Any]:
    return _names([*subject(call.account, PolicySourceArn).sources, *inputs(PolicyInputList)])
