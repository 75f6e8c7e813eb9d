"""Synthesis as a cached step: templates are made again only when their sources change.

The app runs in a process of its own, by the protocol of the CDK's command line (CDK_OUTDIR and
CDK_CONTEXT_JSON), so that whoever publishes need not load the CDK.
"""

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from template.seeds import seed

SOURCES = Path(__file__).resolve().parent.parent
ROOMS = ("project", "build_pipeline", "deploy_pipeline", "template")
SEEDS = ("model_build", "model_deploy")
FILES = ("model.template.json", "sagemaker-templates-portfolio.template.json")
KEPT = 10
"""How many syntheses stay in the cache."""


class SynthesisError(Exception):
    """The app did not write its assembly; the message is its last line."""


@dataclass(frozen=True)
class Assembly:
    """What one synthesis gives: template bodies, canonical, ready to upload."""

    model: bytes
    portfolio: bytes

    @property
    def model_for_studio(self) -> bytes:
        """The same template as YAML, which Studio asks for. CloudFormation refuses YAML's aliases."""
        return yaml.dump(json.loads(self.model), Dumper=_PlainYaml, sort_keys=False, width=110).encode()


class _PlainYaml(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def sources_digest() -> str:
    """SHA-256 of all that decides what a synthesis gives: code, settings, seeds, the CDK's version."""
    whole = hashlib.sha256()
    code = [path for room in ROOMS for path in (SOURCES / room).rglob("*.py")]
    for path in sorted([*code, SOURCES / "cdk.json"]):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(SOURCES).as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    for name in SEEDS:
        whole.update(f"{name}\0{seed(name).digest}\0".encode())
    whole.update(importlib.metadata.version("aws-cdk-lib").encode())
    return whole.hexdigest()


def synthesise(*, versions: Sequence[str], principals: Sequence[str], sources: str) -> Assembly:
    """The templates for these versions and principals, from the cache if nothing changed.

    `sources` is `sources_digest()`. Raises SynthesisError; FileNotFoundError when a seed is missing.
    """
    context = json.dumps({"versions": list(versions), "principals": sorted(set(principals))})
    key = hashlib.sha256(f"{sources}\0{context}".encode()).hexdigest()
    folder = cache_folder() / "synthesis" / key
    if not all((folder / name).is_file() for name in FILES):
        _fill(folder, context)
    model, portfolio = (_canonical(folder / name) for name in FILES)
    return Assembly(model=model, portfolio=portfolio)


def cache_folder() -> Path:
    """Our folder under XDG_CACHE_HOME."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "sagemaker-mlops-templates"


def _fill(folder: Path, context: str) -> None:
    """Synthesise beside the folder and move the result in at once: a killed synthesis leaves no half."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as scratch:
        outdir = Path(scratch) / "out"
        _run_app(outdir, context)
        ready = Path(scratch) / "ready"
        ready.mkdir()
        for name in FILES:
            shutil.copyfile(outdir / name, ready / name)
        try:
            ready.rename(folder)
        except OSError:
            # Another publisher was faster; its files come from the same sources.
            if not all((folder / name).is_file() for name in FILES):
                raise
    _forget_old(folder.parent)


def _run_app(outdir: Path, context: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment |= {"CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": context, "PYTHONPATH": str(SOURCES)}
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        # Without bytecode the CDK's modules are compiled at every start, which triples a synthesis.
        environment["PYTHONPYCACHEPREFIX"] = str(cache_folder() / "bytecode")
    run = subprocess.run(
        [sys.executable, "-m", "template.app"],
        cwd=SOURCES,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if run.returncode != 0:
        lines = [line for line in run.stderr.splitlines() if line.strip()] or ["no message"]
        raise SynthesisError(f"templates could not be synthesised: {lines[-1].strip()}")


def _canonical(path: Path) -> bytes:
    """The template in one form, whatever the CDK's version indents with."""
    template = json.loads(path.read_text())
    return (json.dumps(template, indent=1) + "\n").encode()


def _forget_old(folder: Path) -> None:
    made = sorted(
        (path for path in folder.iterdir() if not path.name.startswith("making-")),
        key=lambda path: path.stat().st_mtime,
    )
    for path in made[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)
