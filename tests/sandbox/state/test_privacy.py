"""What a sandbox keeps is its user's alone, and its keys stand in one file only."""

from __future__ import annotations

import configparser
import stat
import subprocess

from tests.sandbox.listening import LOOPBACK, listening
from tests.sandbox_process import SandboxProcess


def test_nobody_else_can_read_the_state(sandbox: SandboxProcess) -> None:
    assert stat.S_IMODE(sandbox.state.stat().st_mode) == 0o700
    names = ("aws", "aws/credentials", "aws/config", "records.sqlite", "running.json", "sandbox.log", "lock")
    open_to_others = [
        name
        for name in names
        if stat.S_IMODE((sandbox.state / name).stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    assert not open_to_others
    top = [path for path in sandbox.state.iterdir() if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert not top


def test_secrets_are_neither_logged_nor_arguments(sandbox: SandboxProcess) -> None:
    parser = configparser.ConfigParser()
    parser.read(sandbox.state / "aws" / "credentials")
    secrets = [parser[section]["aws_secret_access_key"] for section in parser.sections()]
    assert len(secrets) == len(set(secrets)) >= 5
    sandbox.client("sts").get_caller_identity()
    log = (sandbox.state / "sandbox.log").read_text(errors="replace")
    arguments = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert not [secret for secret in secrets if secret in log or secret in arguments]


def test_it_listens_on_this_machine_alone(sandbox: SandboxProcess) -> None:
    assert set(listening(sandbox)) == {("tcp", LOOPBACK)}
