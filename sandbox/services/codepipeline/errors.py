"""How a declaration is refused."""

from __future__ import annotations

from sandbox.engine.operations import AwsError


def structure_error(message: str) -> AwsError:
    return AwsError("InvalidStructureException", message)


def stage_error(message: str) -> AwsError:
    return AwsError("InvalidStageDeclarationException", message)


def action_error(message: str) -> AwsError:
    return AwsError("InvalidActionDeclarationException", message)
