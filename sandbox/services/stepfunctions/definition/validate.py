"""Whether a definition is accepted."""

from __future__ import annotations

import json

from sandbox.engine.operations import AwsError


def check(text: str, machine_type: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise AwsError(
            "InvalidDefinition", f"Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: {error}'"
        ) from error
