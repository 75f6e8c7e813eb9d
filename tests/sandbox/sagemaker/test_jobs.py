"""Processing and training jobs through the door: contract, results, failures, stopping."""

from __future__ import annotations

import io
import tarfile
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.definitions import processing, training


def start(room: Room, kind: str, name: str, script: str, **settings: Any) -> str:
    """Creates a job that runs `script`; returns its full name."""
    name = f"{room.name}-{name}"
    changes = settings.pop("changes", {})
    make = processing if kind == "Processing" else training
    arguments = make("job", settings.pop("role", room.role), script, room.bucket, **settings)["Arguments"]
    create = getattr(room.sagemaker, f"create_{kind.lower()}_job")
    create(**{f"{kind}JobName": name}, **(arguments | changes))
    return name


def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_processing_job_reads_and_writes_s3_under_its_role(room: Room) -> None:
    room.put("raw/a.csv", "1,2\n")
    room.put("raw/deep/b.csv", "3\n")
    single = room.put("other/file.txt", "whole key")
    script = """
    echo "running as $PROCESSING_JOB_NAME"
    cat /opt/ml/processing/raw/a.csv /opt/ml/processing/raw/deep/b.csv > /opt/ml/processing/out/all.csv
    mkdir /opt/ml/processing/out/sub; cp /opt/ml/processing/one/file.txt /opt/ml/processing/out/sub/
    test -f /opt/ml/config/processingjobconfig.json && mkdir -p /opt/ml/output && printf 'all %s' good > /opt/ml/output/message
    """
    inputs = [("raw", f"s3://{room.bucket}/raw"), ("one", single)]
    name = start(room, "Processing", "reads", script, inputs=inputs)
    job = room.job("Processing", name)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "all good"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert room.text(f"s3://{room.bucket}/job/all.csv") == "1,2\n3\n"
    assert room.text(f"s3://{room.bucket}/job/sub/file.txt") == "whole key"
    assert room.log("Processing", name) == [f"running as {name}"]


def test_a_training_job_leaves_model_output_and_metrics(room: Room) -> None:
    room.put("train/data.csv", "1\n")
    script = """
    grep -q '"depth": "3"' /opt/ml/input/config/hyperparameters.json || exit 9
    for rmse in 3.5 2.25 nan; do echo "[0] train-rmse:$rmse"; done
    cp /opt/ml/input/data/train/data.csv /opt/ml/model/model.bin; echo more > /opt/ml/output/data/extra.txt
    """
    metrics = [{"Name": "train:rmse", "Regex": r"train-rmse:(\S+)"}, {"Name": "never", "Regex": "x=(.*)"}]
    name = start(
        room,
        "Training",
        "trains",
        script,
        metrics=metrics,
        channels=[("train", f"s3://{room.bucket}/train/")],
        changes={"HyperParameters": {"depth": "3"}, "Tags": [{"Key": "team", "Value": "a"}]},
    )
    job = room.job("Training", name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]] == [
        ("train:rmse", 2.25)
    ]
    assert (
        job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{room.bucket}/models/{name}/output/model.tar.gz"
    )
    statuses = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all("EndTime" in each for each in job["SecondaryStatusTransitions"])
    assert members(room, f"models/{name}/output/model.tar.gz") == {"model.bin": b"1\n"}
    assert members(room, f"models/{name}/output/output.tar.gz") == {"extra.txt": b"more\n"}
    [summary] = room.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert (summary["TrainingJobStatus"], summary["SecondaryStatus"]) == ("Completed", "Completed")
    tags = room.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def members(room: Room, key: str) -> dict[str, bytes]:
    body = room.s3.get_object(Bucket=room.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]


def test_a_failing_training_job_tells_why(room: Room) -> None:
    name = start(room, "Training", "raises", "echo before; echo 'ValueError: text in a number' >&2; exit 3")
    job = room.job("Training", name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: before\nValueError: text in a number, exit code: 3"
    name = start(
        room,
        "Training",
        "writes-failure",
        "echo noise; printf 'column 3 is missing' > /opt/ml/output/failure; exit 1",
    )
    assert room.job("Training", name)["FailureReason"] == "AlgorithmError: column 3 is missing, exit code: 1"


def test_a_failing_processing_job_uploads_nothing(room: Room) -> None:
    name = start(room, "Processing", "raises", "echo x > /opt/ml/processing/out/half; echo bad row 7; exit 2")
    job = room.job("Processing", name)
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == (
        "Failed",
        "AlgorithmError: bad row 7, exit code: 2",
    )
    assert "half" not in str(room.s3.list_objects_v2(Bucket=room.bucket, Prefix="job/"))


def test_missing_data_and_missing_permission_are_told_apart(room: Room) -> None:
    name = start(room, "Processing", "no-data", "true", inputs=[("a", f"s3://{room.bucket}/nothing")])
    reason = room.job("Processing", name)["FailureReason"]
    assert f'No S3 objects found under S3 URL "s3://{room.bucket}/nothing"' in reason
    name = start(room, "Processing", "unpulled", "true", role=room.make_role("no-images", "logs:*"))
    reason = room.job("Processing", name)["FailureReason"]
    assert reason.startswith("ClientError: Cannot pull algorithm container") and "ecr:" in reason
    weak = room.make_role("weak", "logs:*", "ecr:*")
    name = start(room, "Processing", "denied", "true", inputs=[("a", f"s3://{room.bucket}/raw")], role=weak)
    reason = room.job("Processing", name)["FailureReason"]
    assert (
        reason.startswith("ClientError: Data download failed") and "AccessDenied" in reason and weak in reason
    )


def test_a_job_acts_as_its_role_through_the_same_door(room: Room) -> None:
    script = "python -c 'import os; print(sorted(k for k in os.environ if k.startswith(\"AWS_\")))'"
    name = start(room, "Processing", "identity", script)
    room.job("Processing", name)
    line = room.log("Processing", name)[0]
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"):
        assert f"'{variable}'" in line


@pytest.mark.parametrize("kind", ["Processing", "Training"])
def test_a_running_job_can_be_stopped(room: Room, kind: str) -> None:
    name = start(room, kind, f"stop-{kind.lower()}", "echo started; sleep 600")
    room.until(
        lambda: getattr(room.sagemaker, f"describe_{kind.lower()}_job")(**{f"{kind}JobName": name}),
        lambda job: f"{kind}StartTime" in job,
    )
    stop = getattr(room.sagemaker, f"stop_{kind.lower()}_job")
    stop(**{f"{kind}JobName": name})
    assert room.job(kind, name)[f"{kind}JobStatus"] == "Stopped"
    code, message = refusal(lambda: stop(**{f"{kind}JobName": name}))
    assert code == "ValidationException" and "is in status Stopped" in message


def test_a_job_ends_with_its_time(room: Room) -> None:
    changes = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    name = start(room, "Training", "slow", "echo x > /opt/ml/model/so-far; sleep 600", changes=changes)
    began = time.monotonic()
    job = room.job("Training", name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert members(room, f"models/{name}/output/model.tar.gz") == {"so-far": b"x\n"}
    assert time.monotonic() - began < 30


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "Training",
        {"CheckpointConfig": {"S3Uri": "s3://b/c"}},
        "CheckpointConfig of CreateTrainingJob is not implem",
    ),
    ("Training", {"EnableManagedSpotTraining": True}, "EnableManagedSpotTraining"),
    (
        "Training",
        {"AlgorithmSpecification": {"TrainingImage": "x:1", "TrainingInputMode": "File"}},
        "no runtime for",
    ),
    (
        "Training",
        {"ResourceConfig": {"InstanceType": "ml.m5.huge", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        "enum value set",
    ),
    (
        "Training",
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
        "More than one instance is not implemented",
    ),
    ("Processing", {"AppSpecification": {"ImageUri": "busybox"}}, "no runtime for the image busybox"),
    ("Processing", {"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
]


@pytest.mark.parametrize(("kind", "changes", "reason"), REFUSED)
def test_what_cannot_run_is_refused_at_once(
    room: Room, kind: str, changes: dict[str, Any], reason: str
) -> None:
    code, message = refusal(lambda: start(room, kind, "refused", "true", changes=changes))
    assert code == "ValidationException" and reason in message


def test_names_are_unique_and_missing_jobs_named(room: Room) -> None:
    name = start(room, "Processing", "twice", "true")
    code, message = refusal(lambda: start(room, "Processing", "twice", "true"))
    assert code == "ResourceInUse" and f"processing-job/{name}" in message
    describe = room.sagemaker.describe_processing_job
    assert refusal(lambda: describe(ProcessingJobName="nobody")) == (
        "ValidationException",
        "Could not find requested job with name: nobody",
    )


def test_jobs_are_listed_by_filter_and_page(room: Room) -> None:
    names = [start(room, "Processing", f"list-{number}", "true") for number in range(3)]
    for name in names:
        room.job("Processing", name)
    listed = room.sagemaker.get_paginator("list_processing_jobs").paginate(
        NameContains=f"{room.name}-list-", StatusEquals="Completed", PaginationConfig={"PageSize": 2}
    )
    found = [job["ProcessingJobName"] for page in listed for job in page["ProcessingJobSummaries"]]
    assert found == names[::-1]
    code, _ = refusal(lambda: room.sagemaker.list_processing_jobs(NextToken="nonsense"))
    assert code == "ValidationException"
