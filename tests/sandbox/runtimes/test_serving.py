"""A model server as an instance of an endpoint, with and without mounts; `pip` inside a job."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from sandbox.engine.processes import Processes
from sandbox.engine.store import Store
from sandbox.runtimes import (
    Environment,
    ensure,
    job_layout,
    processing_command,
    runtime_of,
    serving_command,
)
from sandbox.runtimes.mounts import mounts_supported
from sandbox.runtimes.serving.instance import Instance, InstanceGone, NotHealthy

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
CONTAINER = {
    "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
}
INFERENCE = """
def model_fn(folder):
    return open(folder + "/word").read()

def predict_fn(data, model):
    return [model, float(data.sum())]
"""


class Ended(list[str]):
    """What an instance told of its end; `event` is set by the last of it."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def end(self) -> None:
        self.append("end")
        self.event.set()


def start(folder: Path, mounted: bool, inference: str = INFERENCE) -> tuple[Instance, Ended]:
    layout = job_layout(folder / "job", mounted=mounted)
    (layout.model / "code").mkdir()
    (layout.model / "code" / "inference.py").write_text(inference)
    (layout.model / "word").write_text("hello")
    environment = ensure(runtime_of(SKLEARN))
    ended = Ended()
    instance = Instance(
        Processes(Store(folder / "records")),
        "instance",
        lambda ready: serving_command("sklearn", CONTAINER, layout, environment, ready=ready, variables={}),
        on_line=lambda line: None,
        on_death=lambda: ended.append("death"),
        on_end=ended.end,
    )
    return instance, ended


@pytest.mark.parametrize(
    "mounted",
    [pytest.param(True, marks=pytest.mark.skipif(not mounts_supported(), reason="no mounts here")), False],
)
def test_a_model_is_served(tmp_path: Path, mounted: bool) -> None:
    instance, ended = start(tmp_path, mounted)
    instance.wait_healthy(30)
    answer = instance.invoke(b"[1, 2]", {"Content-Type": "application/json"}, 10)
    assert (answer.status, answer.body) == (200, b'["hello", 3.0]')
    instance.drain(10)
    with pytest.raises(InstanceGone):
        instance.invoke(b"[1]", {}, 10)
    assert ended == ["end"]


def test_a_model_that_does_not_load_says_why(tmp_path: Path) -> None:
    instance, ended = start(tmp_path, False, "def model_fn(folder):\n    raise OSError('no model')\n")
    with pytest.raises(NotHealthy, match="no model"):
        instance.wait_healthy(30)
    instance.stop()
    assert ended == ["end"]


def test_a_server_that_dies_is_told_of(tmp_path: Path) -> None:
    instance, ended = start(tmp_path, False, INFERENCE + "def input_fn(b, c):\n    import os; os._exit(1)\n")
    instance.wait_healthy(30)
    with pytest.raises(InstanceGone):
        instance.invoke(b"x", {"Content-Type": "text/csv"}, 10)
    assert ended.event.wait(10)
    assert ended == ["death", "end"]


def test_a_job_installs_for_itself_alone(tmp_path: Path) -> None:
    environment = Environment(Path(sys.prefix), Path(sys.executable), Path(sys.executable).parent)
    layout = job_layout(tmp_path)
    install = "python -m pip install -q --no-deps six==1.15.0 && pip list | grep -q pytest"
    show = "python -c 'import six; print(six.__version__, six.__file__)'"
    specification = {"ImageUri": "x", "ContainerEntrypoint": ["sh", "-c", f"{install} && {show}"]}
    job = {"ProcessingJobName": "j", "AppSpecification": specification}
    lines: list[str] = []
    command = processing_command(job, layout, environment, variables={}, on_line=lines.append)
    assert Processes(Store(":memory:")).run(command, "job").code == 0, lines
    version, file = lines[-1].split()
    assert version == "1.15.0"
    assert file.startswith(str(layout.packages))
