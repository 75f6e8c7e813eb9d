"""The container contracts, run as jobs run them (with this Python: no library is needed)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.processes import Exit, Processes
from sandbox.engine.store import Store
from sandbox.runtimes import (
    Environment,
    JobLayout,
    failure_reason,
    job_layout,
    processing_command,
    training_command,
)
from sandbox.runtimes.mounts import mounts_supported

ENVIRONMENT = Environment(Path(sys.prefix), Path(sys.executable), Path(sys.executable).parent)
DRIVER = "$SM_PYTHON_CMD /opt/ml/input/data/sm_drivers/distributed_drivers/basic_script_driver.py\n"
SHOW = """
import json, os, sys
with open(os.path.join(os.environ["SM_MODEL_DIR"], "seen.json"), "w") as file:
    json.dump({"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}, file)
"""
MOUNTED = [
    pytest.param(True, marks=pytest.mark.skipif(not mounts_supported(), reason="no mounts here")),
    False,
]


def run(command: Any) -> Exit:
    return Processes(Store(":memory:")).run(command, "job")


def training_job(**members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "job",
        "AlgorithmSpecification": {"TrainingImage": "x", "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}],
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge"},
        "Environment": {"MINE": "/opt/ml/model"},
        **members,
    }


def version_3(layout: JobLayout, script: str) -> dict[str, Any]:
    drivers, code = layout.channel("sm_drivers"), layout.channel("code")
    drivers.mkdir(parents=True)
    code.mkdir()
    (drivers / "sourcecode.json").write_text(json.dumps({"entry_script": "train.py"}))
    (drivers / "sm_train.sh").write_text(DRIVER)
    (code / "train.py").write_text(script)
    entry = ["/bin/bash", "-c", "/opt/ml/input/data/sm_drivers/sm_train.sh"]
    algorithm = {"TrainingImage": "x", "ContainerEntrypoint": entry}
    hyperparameters = {"depth": "6", "eta": "0.1", "name": "with space", "list": "[1, 2]"}
    return training_job(AlgorithmSpecification=algorithm, HyperParameters=hyperparameters)


@pytest.mark.parametrize("mounted", MOUNTED)
def test_the_sdks_training_contract(tmp_path: Path, mounted: bool) -> None:
    layout = job_layout(tmp_path, mounted=mounted)
    command = training_command(version_3(layout, SHOW), layout, ENVIRONMENT, variables={"AWS_REGION": "r"})
    assert run(command).code == 0
    seen = json.loads((layout.model / "seen.json").read_text())
    assert seen["argv"] == ["--depth", "6", "--eta", "0.1", "--name", "with space", "--list", "[1, 2]"]
    env, root = seen["env"], layout.seen
    assert seen["cwd"] == f"{root}/input/data/code"
    assert env["SM_CHANNEL_TRAIN"] == f"{root}/input/data/train"
    assert (env["SM_HP_DEPTH"], env["MINE"], env["AWS_REGION"]) == ("6", f"{root}/model", "r")
    assert json.loads(env["SM_HPS"]) == {"depth": 6, "eta": 0.1, "name": "with space", "list": [1, 2]}
    assert "HOME" in env and env["HOME"].startswith(str(tmp_path))


def test_a_failing_script_leaves_its_error(tmp_path: Path) -> None:
    layout = job_layout(tmp_path)
    job = version_3(layout, "def f():\n    raise ValueError('column age is missing')\nf()\n")
    lines: list[str] = []
    exit = run(training_command(job, layout, ENVIRONMENT, variables={}, on_line=lines.append))
    assert exit.code == 1
    reason = failure_reason(layout, exit.code)
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n")
    assert 'ErrorMessage "ValueError: column age is missing' in reason
    assert any("column age is missing" in line for line in lines)


def test_a_failure_file_of_the_scripts_own_is_kept(tmp_path: Path) -> None:
    layout = job_layout(tmp_path)
    script = "import os, sys\nopen(os.environ['SM_OUTPUT_FAILURE'], 'w').write('mine')\nsys.exit(3)\n"
    exit = run(training_command(version_3(layout, script), layout, ENVIRONMENT, variables={}))
    assert failure_reason(layout, exit.code) == "AlgorithmError: mine, exit code: 3"


def test_script_mode_of_version_2(tmp_path: Path) -> None:
    layout = job_layout(tmp_path)
    source = tmp_path / "opt" / "ml" / "input" / "data" / "source"
    source.mkdir(parents=True)
    (source / "main.py").write_text(SHOW)
    hyperparameters = {
        "sagemaker_program": '"main.py"',
        "sagemaker_submit_directory": '"/opt/ml/input/data/source"',
        "b": "1",
        "alpha": "0.5",
    }
    job = training_job(HyperParameters=hyperparameters)
    assert run(training_command(job, layout, ENVIRONMENT, variables={})).code == 0
    assert json.loads((layout.model / "seen.json").read_text())["argv"] == ["--alpha", "0.5", "-b", "1"]


def test_a_job_without_a_script_is_refused_by_name(tmp_path: Path) -> None:
    layout = job_layout(tmp_path)
    exit = run(training_command(training_job(), layout, ENVIRONMENT, variables={}))
    assert exit.code == 1
    assert "does not implement the image's built-in algorithm" in failure_reason(layout, exit.code)


@pytest.mark.parametrize("mounted", MOUNTED)
def test_processing_reads_and_writes_its_own_opt_ml(tmp_path: Path, mounted: bool) -> None:
    layout = job_layout(tmp_path, mounted=mounted)
    folder = layout.local("/opt/ml/processing/input/code")
    folder.mkdir(parents=True)
    # Written in code where it can be mounted, given as an argument anyway.
    target = "'/opt/ml/processing/out'" if mounted else "sys.argv[1]"
    (folder / "run.py").write_text(f"import sys\nopen({target} + '/a.txt', 'w').write('done')\n")
    output = {"S3Uri": "s3://b/k", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    job = {
        "ProcessingJobName": "job",
        "AppSpecification": {
            "ImageUri": "x",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/run.py"],
            "ContainerArguments": ["/opt/ml/processing/out"],
        },
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": output}]},
    }
    assert run(processing_command(job, layout, ENVIRONMENT, variables={})).code == 0
    assert (layout.local("/opt/ml/processing/out") / "a.txt").read_text() == "done"
