"""What a sandbox keeps is its user's alone, and its keys stand in one file only."""

from __future__ import annotations

import configparser
import stat
import subprocess
from pathlib import Path

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


def _sockets(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue  # closed in between
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def test_it_listens_on_this_machine_alone(sandbox: SandboxProcess) -> None:
    """The server, and whatever it has running by now: builds, functions, model servers."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    family, sockets = [sandbox.running.pid], set()
    for pid in family:
        family += children.get(pid, [])
        try:
            sockets |= _sockets(pid)
        except OSError:
            continue
    listening = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            bound = fields[3] in ("0A", "07")  # LISTEN; a UDP socket without a peer
            if bound and fields[9] in sockets:
                listening.append((table, fields[1].partition(":")[0]))
    assert ("tcp", "0100007F") in listening
    assert set(listening) == {("tcp", "0100007F")}
