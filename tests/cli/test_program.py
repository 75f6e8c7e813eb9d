"""The program's door: help, exit codes, streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MLOPS = [sys.executable, "-m", "cli"]
ROOT = Path(__file__).resolve().parents[2]


def mlops(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment = {**kept, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    environment |= {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, **variables}
    return subprocess.run(
        [*MLOPS, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        cwd=ROOT,
        check=False,
    )


KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from cli.main import run; code = run(['--help']);"
        "heavy = {'boto3', 'botocore', 'rich', 'aws_cdk', 'moto'} & set(sys.modules);"
        "sys.exit(code or ','.join(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    for command in ("demo", "publish", "project", "pipeline", "model", "endpoint", "sandbox"):
        assert command in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["project", "nonsense"],
        ["project", "describe"],
        ["project", "list", "--output", "yaml"],
        ["project", "create", "bikes", "--parameter", "novalue"],
        ["model", "reject", "bikes", "1"],  # no reason given
        ["endpoint", "invoke", "bikes", "--body", "@/nonexistent/file"],
    ],
)
def test_wrong_usage_is_252(arguments: list[str]) -> None:
    done = mlops(*arguments, **KEYS, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert done.returncode == 252, done.stderr
    assert done.stdout == ""
    assert done.stderr


def test_without_region_is_253() -> None:
    done = mlops("project", "list")
    assert done.returncode == 253
    assert "no region" in done.stderr and "--region" in done.stderr


def test_without_credentials_is_253() -> None:
    done = mlops("project", "list", "--region", "us-east-1")
    assert done.returncode == 253
    assert "Unable to locate credentials" in done.stderr and "Next:" in done.stderr


def test_unknown_profile_is_253() -> None:
    done = mlops("project", "list", "--profile", "nobody")
    assert done.returncode == 253
    assert "nobody" in done.stderr


def test_unreachable_endpoint_is_255_and_says_what_to_do() -> None:
    done = mlops("project", "list", "--endpoint-url", "http://127.0.0.1:1", **KEYS)
    assert done.returncode == 255
    assert "127.0.0.1:1" in done.stderr and "mlops sandbox start" in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_debug_shows_the_trace() -> None:
    done = mlops("project", "list", "--endpoint-url", "http://127.0.0.1:1", "--debug", **KEYS)
    assert done.returncode == 255
    assert "Traceback" in done.stderr


def test_options_are_taken_before_and_after_the_command() -> None:
    for arguments in (["--output", "json", "sandbox", "status"], ["sandbox", "status", "--output", "json"]):
        done = mlops(*arguments, "--state", "/nonexistent/state")
        assert json.loads(done.stdout) == {"Status": "NotRunning"}
        assert done.returncode == 1
        assert "mlops sandbox start" in done.stderr


def test_no_prompt_off_a_terminal() -> None:
    done = mlops("sandbox", "reset", "--state", "/nonexistent/state")
    assert done.returncode == 252
    assert "--yes" in done.stderr


def test_version() -> None:
    done = mlops("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("mlops ")
