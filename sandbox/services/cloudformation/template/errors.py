"""The one error of templates and parameters."""

from __future__ import annotations

from sandbox.engine.operations import AwsError


class TemplateError(AwsError):
    """ValidationError, as CloudFormation answers to a template or parameters it cannot take."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message, status=400)
