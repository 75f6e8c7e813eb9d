"""The `aws` command line as it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.sandbox_process import SandboxProcess

AWS = str(Path(sys.executable).parent / "aws")
MANY = """
import contextlib, io, json, sys
from awscli.clidriver import main
for command in json.loads(sys.argv[2]):
    sys.argv, said = [sys.argv[1], *command], io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main()
    print(json.dumps([code, said.getvalue()]), flush=True)
"""
"""What the program `aws` does, for several commands: to load it takes longer than any of them."""


def run_aws(
    sandbox: SandboxProcess, *arguments: str, principal: str = "engineer"
) -> subprocess.CompletedProcess[str]:
    """`aws ARGUMENTS` in a shell pointed at the sandbox; the profile there says region and output."""
    return sandbox.run(AWS, *arguments, principal=principal)


def ask_aws(sandbox: SandboxProcess, *commands: list[str]) -> list[Any]:
    """What each command answers."""
    done = sandbox.run(sys.executable, "-c", MANY, AWS, json.dumps(commands), principal="engineer")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [code for code, _ in answers] == [0] * len(commands), done.stderr
    return [json.loads(text) for _, text in answers]
