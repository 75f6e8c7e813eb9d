"""The model's own serving code in the container's web framework, seen through the staging test's checks."""

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def served(model, tmp_path):
    """The jobs' folder, and a copy of the model's folder to change."""
    jobs = model(max_depth="6", num_round="60")
    return jobs, Path(shutil.copytree(jobs / "model", tmp_path / "model"))


def checks(python, folder, jobs) -> dict[str, str]:
    ended = subprocess.run(
        [python, Path(__file__).with_name("container.py"), folder, jobs], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("ok ", "FAILED "))]
    return {line.split()[1].rstrip(":"): line for line in lines}


def change(folder, old, new):
    path = folder / "code" / "inference.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_model_serves_as_evaluated(container_python, served):
    jobs, folder = served
    assert list(checks(container_python, folder, jobs).values()) == [
        "ok quality",
        "ok formats",
        "ok refusals",
    ]


def test_another_model_is_noticed(container_python, served, model):
    jobs, folder = served
    shutil.copyfile(
        model(max_depth="6", num_round="55") / "model" / "xgboost-model.ubj", folder / "xgboost-model.ubj"
    )
    assert "differ by more than 1%" in checks(container_python, folder, jobs)["quality"]


def test_a_refusal_that_is_a_server_error_is_noticed(container_python, served):
    jobs, folder = served
    change(
        folder,
        "except bikeshare.DataError as error:\n        return Refusal",
        "except KeyError as error:\n        return Refusal",
    )
    assert "status 500, expected 4xx" in checks(container_python, folder, jobs)["refusals"]


def test_columns_mixed_up_in_json_are_noticed(container_python, served):
    jobs, folder = served
    change(
        folder,
        "return [row[name] for name in bikeshare.FEATURE_NAMES]",
        "return list(reversed(row.values()))",
    )
    assert checks(container_python, folder, jobs)["formats"].startswith("FAILED")
