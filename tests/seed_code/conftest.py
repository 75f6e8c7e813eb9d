"""Environments in which seed code runs: made once with uv, kept under the user's cache by their pins."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import uv

SEEDS = Path(__file__).resolve().parent.parent.parent / "seed_code"
MODEL_BUILD, MODEL_DEPLOY = SEEDS / "model_build", SEEDS / "model_deploy"
# What AWS's XGBoost container has that the seed's job scripts use.
CONTAINER_PINS = ("xgboost-cpu==3.2.0", "scikit-learn==1.9.0", "flask==3.1.3", "boto3==1.44.5")


def environment(*arguments: str, key: str) -> Path:
    """Python of a virtual environment with what `uv pip install *arguments` installs."""
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "sagemaker-mlops-templates"
        / "tests"
    )
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    python = folder / "bin" / "python"
    if python.exists():
        return python
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    run = [uv.find_uv_bin()]
    subprocess.run([*run, "venv", "--quiet", "--relocatable", "--python", "3.11", unfinished], check=True)
    install = [
        *run,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        unfinished / "bin" / "python",
    ]
    subprocess.run([*install, *arguments], check=True)
    try:
        unfinished.rename(folder)
    except OSError:  # another run of the tests was faster
        shutil.rmtree(unfinished)
    return python


@pytest.fixture(scope="session")
def sdk_python() -> Path:
    """Python with the locked requirements of the model build."""
    lock = MODEL_BUILD / "requirements.txt"
    return environment("--no-deps", "--require-hashes", "-r", str(lock), key=lock.read_text())


@pytest.fixture(scope="session")
def container_python() -> Path:
    """Python with the libraries of AWS's XGBoost container."""
    return environment(*CONTAINER_PINS, key=" ".join(CONTAINER_PINS))


@pytest.fixture(scope="session")
def model(container_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs the jobs as the pipeline does; gives the folder of all that they wrote."""
    from tests.seed_code.jobs import JobRun

    made: dict[tuple, Path] = {}

    def run(**hyperparameters: str) -> Path:
        key = tuple(sorted(hyperparameters.items()))
        if key not in made:
            made[key] = JobRun(container_python, tmp_path_factory.mktemp("jobs")).all(hyperparameters)
        return made[key]

    return run
