"""The jobs, run as processes with the containers' libraries: what they make, and how they fail."""

import json
import re
import tarfile

import pytest

from tests.seed_code.conftest import MODEL_BUILD
from tests.seed_code.jobs import DATA, JobRun

DEFINITION = (MODEL_BUILD / "pipelines" / "definition.py").read_text()


def default(parameter: str) -> float:
    return float(re.search(rf'"{parameter}", default_value=([0-9.]+)', DEFINITION).group(1))


def rmse(folder) -> float:
    report = json.loads((folder / "evaluation" / "evaluation.json").read_text())
    return report["regression_metrics"]["rmse"]["value"]


@pytest.fixture
def run(container_python, tmp_path):
    return JobRun(container_python, tmp_path)


def defaults() -> dict[str, str]:
    names = {"max_depth": "MaxDepth", "eta": "Eta", "num_round": "NumRound"}
    return {option: f"{default(parameter):g}" for option, parameter in names.items()}


def test_default_model_passes_the_bar_with_margin(model):
    assert rmse(model(**defaults())) < 0.75 * default("RmseThreshold")


def test_a_model_that_cannot_combine_features_does_not_pass(model):
    assert rmse(model(**{**defaults(), "max_depth": "1"})) > 1.25 * default("RmseThreshold")


def test_training_shows_the_metrics_that_the_definition_looks_for(run):
    run.preprocess(DATA.read_bytes())
    log = run.train(defaults()).stdout
    regex = r"\[[0-9]+\].*validation-rmse:([0-9.]+)"
    assert regex.replace("validation", "{name}") in DEFINITION
    assert float(re.findall(regex, log)[-1]) == pytest.approx(30, abs=3)


def test_model_archive_is_complete_and_has_no_pickle(model):
    with tarfile.open(model(**defaults()) / "model.tar.gz") as tar:
        files = {member.name for member in tar.getmembers() if member.isfile()}
    assert files == {"./xgboost-model.ubj", "./code/inference.py", "./code/bikeshare.py"}


def test_training_with_a_bad_hyperparameter_says_so(run):
    run.preprocess(DATA.read_bytes())
    assert run.train({"eta": "-1"}).returncode == 1
    assert "value -1 for Parameter learning_rate" in (run.folder / "failure").read_text()


def test_training_with_a_hyperparameter_that_is_no_number_says_so(run):
    run.preprocess(DATA.read_bytes())
    assert run.train({"max_depth": "deep"}).returncode == 1
    assert "invalid int value: 'deep'" in (run.folder / "failure").read_text()


def test_training_on_a_channel_that_is_not_finite_names_the_cell(run):
    run.preprocess(DATA.read_bytes())
    path = run.folder / "train" / "train.csv"
    lines = path.read_text().splitlines()
    lines[2] = "nan," + lines[2].partition(",")[2]
    path.write_text("\n".join(lines))
    assert run.train({}).returncode == 1
    assert (run.folder / "failure").read_text() == "channel train: row 3, column 1 is not finite"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"temp"', b'"temperature"', "bikeshare.csv: missing column 'temp' in the header (line 1)"),
        (b",0.24,", b",NaN,", "bikeshare.csv: column 'temp', row 1: is not a number (NaN)"),
        (b",0.24,", b",warm,", "bikeshare.csv: column 'temp', row 1: 'warm' is not a number"),
        (b",0.24,", b",1e999,", "bikeshare.csv: column 'temp', row 1: is infinite"),
    ],
)
def test_bad_data_is_named_by_column_and_row(run, old, new, reason):
    ended = run.preprocess(DATA.read_bytes().replace(old, new, 1))
    assert ended.returncode == 1
    assert (run.folder / "message").read_text() == reason
    assert not (run.folder / "train").exists()


def test_an_archive_without_a_model_fails_the_evaluation(run):
    run.preprocess(DATA.read_bytes())
    (run.folder / "model").mkdir()
    with tarfile.open(run.folder / "model.tar.gz", "w:gz") as tar:
        tar.add(run.folder / "model", arcname=".")
    assert run.evaluate().returncode == 1
    assert (run.folder / "message").read_text() == "model.tar.gz has no usable file xgboost-model.ubj"
    assert not (run.folder / "evaluation").exists()
