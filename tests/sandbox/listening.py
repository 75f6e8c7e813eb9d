"""What a sandbox and all that it runs listen on."""

from __future__ import annotations

from pathlib import Path

from tests.sandbox_process import SandboxProcess

LOOPBACK = "0100007F"


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


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended in between
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def listening(sandbox: SandboxProcess) -> list[tuple[str, str]]:
    """(tcp, tcp6, udp or udp6, the address as /proc has it) of every socket that waits for strangers."""
    sockets: set[str] = set()
    for pid in family(sandbox.running.pid):
        try:
            sockets |= _sockets(pid)
        except OSError:
            continue
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            waits = fields[3] in ("0A", "07")  # LISTEN; a UDP socket without a peer
            if waits and fields[9] in sockets:
                found.append((table, fields[1].partition(":")[0]))
    return found
