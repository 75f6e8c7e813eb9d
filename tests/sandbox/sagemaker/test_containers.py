"""One pipeline on the real runtimes: scikit-learn prepares, XGBoost trains by script, the model is read back."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.definitions import XGBOOST, output_of, pipeline, processing, training

PREPARE = """
import sklearn.datasets, sys
assert sklearn.__version__.startswith("1.9")
features, target = sklearn.datasets.make_regression(200, 4, noise=0.1, random_state=1)
with open("/opt/ml/processing/out/train.csv", "w") as file:
    for row, value in zip(features, target):
        file.write(",".join(map(str, [value, *row])) + "\\n")
print("rows:", len(target))
"""
TRAIN = """
import argparse, os
import numpy, xgboost
parser = argparse.ArgumentParser()
parser.add_argument("--max_depth", type=int)
parser.add_argument("--num_round", type=int)
arguments, _ = parser.parse_known_args()
table = numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
data = xgboost.DMatrix(table[:, 1:], label=table[:, 0])
model = xgboost.train({"max_depth": arguments.max_depth, "nthread": 1}, data, arguments.num_round, [(data, "train")])
model.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model.json"))
"""


def archive(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_a_script_trains_on_what_another_prepared(room: Room) -> None:
    code = room.put("code/prepare.py", PREPARE)
    source = room.put("train-code/sourcedir.tar.gz", archive("train.py", TRAIN))
    run = "python /opt/ml/processing/code/prepare.py"
    train: dict[str, Any] = training(
        "Train",
        room.role,
        "",
        room.bucket,
        channels=[("train", output_of("Prepare"))],
        metrics=[{"Name": "train:rmse", "Regex": r"train-rmse:([0-9.]+)"}],
    )
    algorithm = train["Arguments"]["AlgorithmSpecification"]
    algorithm["TrainingImage"] = XGBOOST
    del algorithm["ContainerEntrypoint"], algorithm["ContainerArguments"]
    train["Arguments"]["HyperParameters"] = {
        "max_depth": "3",
        "num_round": "5",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": source,
    }
    definition = pipeline(processing("Prepare", room.role, run, room.bucket, inputs=[("code", code)]), train)
    execution = room.run("containers", definition)
    steps = room.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps["Train"].get("FailureReason")
    prepared = steps["Prepare"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert "rows: 200" in room.log("Processing", prepared)
    job = room.job("Training", steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2])
    [metric] = job["FinalMetricDataList"]
    assert metric["MetricName"] == "train:rmse" and metric["Value"] > 0
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{room.bucket}/")
    body = room.s3.get_object(Bucket=room.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        [member] = [each for each in tar if each.isfile()]
        model = json.load(tar.extractfile(member))  # type: ignore[arg-type]
    assert len(model["learner"]["gradient_booster"]["model"]["trees"]) == 5
