"""Whether this machine lets us mount a job's folder at /opt/ml, and the command prefix that does."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.engine.confinement import CONFINED

PROGRAM = CONFINED / "enter.py"
_PROBE_SECONDS = 20


@functools.cache
def mounts_supported() -> bool:
    """Tries it once, in a throw-away process."""
    if not sys.platform.startswith("linux") or not Path("/opt").is_dir():
        return False
    with tempfile.TemporaryDirectory() as folder:
        opt_ml = Path(folder, "opt", "ml")
        opt_ml.mkdir(parents=True)
        (opt_ml / "probe").write_text("here")
        command = [*enter_prefix(sys.executable, opt_ml), "cat", "/opt/ml/probe"]
        try:
            probe = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return probe.returncode == 0 and probe.stdout == b"here"


def enter_prefix(python: str | Path, opt_ml: Path, *, network: bool = True) -> list[str]:
    """Arguments to put before a command so that it runs with `opt_ml` mounted at /opt/ml.

    `network=False`: without a network too (SageMaker's EnableNetworkIsolation).
    """
    isolation = [] if network else ["--no-network"]
    return [str(python), "-I", "-S", str(PROGRAM), *isolation, str(opt_ml), "--"]
