"""Runs the model build's job scripts as SageMaker's containers run them, in folders of their own."""

import os
import subprocess
import tarfile
from pathlib import Path

from tests.seed_code.conftest import MODEL_BUILD

JOBS = MODEL_BUILD / "jobs"
DATA = MODEL_BUILD / "data" / "bikeshare.csv"


class JobRun:
    """Preprocess, train and evaluate within one folder."""

    def __init__(self, python: Path, folder: Path):
        self.python, self.folder = python, folder

    def script(self, name: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess:
        """Run a script with a clean environment."""
        return subprocess.run(
            [self.python, JOBS / name, *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
        )

    def preprocess(self, data: bytes) -> subprocess.CompletedProcess:
        """The step Preprocess on a CSV file with this content."""
        (self.folder / "data").mkdir()
        (self.folder / "data" / "bikeshare.csv").write_bytes(data)
        arguments = ("--input", self.folder / "data", "--output", self.folder)
        return self.script("preprocess.py", *arguments, "--message", self.folder / "message")

    def train(self, hyperparameters: dict[str, str]) -> subprocess.CompletedProcess:
        """The step Train, then what SageMaker does with its model folder: model.tar.gz."""
        (self.folder / "model").mkdir()
        environment = {
            f"SM_CHANNEL_{name.upper()}": str(self.folder / name) for name in ("train", "validation")
        }
        environment |= {"SM_MODEL_DIR": str(self.folder / "model"), "SM_NUM_CPUS": "2"}
        environment |= {"SM_OUTPUT_FAILURE": str(self.folder / "failure")}
        pairs = [part for name, value in hyperparameters.items() for part in (f"--{name}", value)]
        ended = self.script("train.py", *pairs, **environment)
        with tarfile.open(self.folder / "model.tar.gz", "w:gz") as tar:
            tar.add(self.folder / "model", arcname=".")
        return ended

    def evaluate(self) -> subprocess.CompletedProcess:
        """The step Evaluate."""
        arguments = ("--model", self.folder, "--holdout", self.folder / "holdout")
        arguments += ("--output", self.folder / "evaluation", "--message", self.folder / "message")
        return self.script("evaluate.py", *arguments, "--rmse-threshold", "45.0")

    def all(self, hyperparameters: dict[str, str]) -> Path:
        """All three; gives the folder."""
        for ended in (self.preprocess(DATA.read_bytes()), self.train(hyperparameters), self.evaluate()):
            assert ended.returncode == 0, ended.stderr
        return self.folder
