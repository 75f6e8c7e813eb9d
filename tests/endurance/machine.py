"""What a process has used, by /proc."""

from __future__ import annotations

import os
from pathlib import Path


def load() -> str:
    """How busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def busy() -> bool:
    """Whether more wants to run than there are cores: seconds of a clock then tell of others' work too."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def cpu_seconds(pid: int) -> float:
    """Of CPU, by the process itself."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
