"""What failures become."""

from __future__ import annotations

import pytest
from botocore import exceptions

from cli.errors import CONFIGURATION, SERVICE, CliError, from_botocore, is_absent, is_local


def refusal(code: str, message: str) -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "DescribeProject")


def test_a_refusal_is_relayed_in_the_services_words() -> None:
    error = from_botocore(refusal("ValidationException", "1 validation error detected:\n Value 'X'"))
    assert error.line == "DescribeProject: ValidationException: 1 validation error detected: Value 'X'"
    assert error.code == SERVICE


def test_missing_permission_says_what_to_do() -> None:
    assert "--profile" in from_botocore(refusal("AccessDeniedException", "no")).line


@pytest.mark.parametrize("code", ["ExpiredToken", "UnrecognizedClientException"])
def test_stale_credentials_are_a_matter_of_configuration(code: str) -> None:
    assert from_botocore(refusal(code, "expired")).code == CONFIGURATION


@pytest.mark.parametrize(
    ("code", "message", "absent"),
    [
        ("ValidationException", "Project with name x does not exist", True),
        ("ValidationError", "Stack with id x does not exist", True),
        ("ValidationException", "Could not find endpoint x", True),
        ("ValidationException", "Project name must be unique", False),
        ("ResourceNotFound", "", True),
        ("PipelineNotFoundException", "", True),
        ("AccessDeniedException", "x does not exist", False),
    ],
)
def test_absence_is_told_from_other_refusals(code: str, message: str, absent: bool) -> None:
    assert is_absent(refusal(code, message)) is absent


def test_a_line_is_one_line() -> None:
    assert CliError("a\n  b", next_step="c").line == "a b. Next: c"


def test_this_machine() -> None:
    assert is_local("http://127.0.0.1:4666") and is_local("http://localhost:1")
    assert not is_local("https://sagemaker.us-east-1.amazonaws.com") and not is_local(None)
