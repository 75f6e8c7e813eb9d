"""The run of a training job.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine.processes import Exit
from sandbox.engine.tasks import Again, task
from sandbox.services.sagemaker.job_data import download, upload_file, upload_folder
from sandbox.services.sagemaker.job_run import Run, run
from sandbox.services.sagemaker.jobs import TRAINING, Job
from sandbox.services.sagemaker.s3_uri import parse_s3_uri
from sandbox.services.sagemaker.training_metrics import Metrics
from sandbox.services.sagemaker.training_status import ended, moved

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine


@task(TRAINING.task)
def run_training_job(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    return run(Job(engine, TRAINING, **payload), _work)


def _work(run: Run) -> None:
    from sandbox.runtimes import training_command

    job, record = run.job, run.job.read()
    algorithm = record["AlgorithmSpecification"]
    environment = run.environment(algorithm["TrainingImage"])
    client = run.s3()
    _move(run, "Downloading", "Downloading input data")
    for channel in record.get("InputDataConfig", []):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        download(client, uri, run.layout.channel(channel["ChannelName"]), record["RoleArn"])
    metrics = Metrics(algorithm.get("MetricDefinitions", []), job.engine.clock.now)

    def on_line(line: str) -> None:
        run.lines.write(line)
        metrics.read(line)

    command = training_command(
        record,
        run.layout,
        environment,
        variables={} if record["EnableNetworkIsolation"] else run.session.environment(),
        timeout=record["StoppingCondition"]["MaxRuntimeInSeconds"],
        on_line=on_line,
    )
    _move(
        run,
        "Training",
        "Training image download completed. Training in progress.",
        TrainingStartTime=job.engine.clock.now(),
    )
    exit = run.execute(command)
    _end(run, exit, record, metrics)


def _end(run: Run, exit: Exit | None, record: dict[str, Any], metrics: Metrics) -> None:
    job = run.job
    final = {"FinalMetricDataList": metrics.final()} if metrics.final() else {}
    stopped = exit is None or exit.stopped or run.stopping
    if exit is not None and exit.code and not stopped and not exit.timed_out:
        _upload_output(run, record)
        raise run.algorithm_error(exit, run.message(run.layout.failure))
    _move(run, "Uploading", "Uploading generated training model", **final)
    _upload_model(run, record)
    _upload_output(run, record)
    # A job that was stopped or ran out of time still saves the model it has so far.
    if stopped:
        job.finish("Stopped", ended(job, "Stopped", "Training job stopped"))
    elif exit is not None and exit.timed_out:
        job.finish(
            "Stopped", ended(job, "MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds")
        )
    else:
        job.finish("Completed", ended(job, "Completed", "Training job completed"))


def _move(run: Run, status: str, message: str, **changes: Any) -> None:
    # A repeated run after a crash begins its way again; a job being stopped keeps saying so.
    if run.stopping and status != "Uploading":
        return
    record, now = run.job.read(), run.job.engine.clock.now()
    run.job.advance(moved(record, status, message, now) | changes)


def _upload_model(run: Run, record: dict[str, Any]) -> None:
    output, client = record["OutputDataConfig"], run.s3()
    target = parse_s3_uri(record["ModelArtifacts"]["S3ModelArtifacts"])
    if output.get("CompressionType") == "NONE":
        upload_folder(client, run.own(run.layout.model), target, output.get("KmsKeyId"))
    else:
        upload_file(client, _archive(run, run.layout.model, "model.tar.gz"), target, output.get("KmsKeyId"))


def _upload_output(run: Run, record: dict[str, Any]) -> None:
    if not any(run.own(run.layout.output_data).iterdir()):
        return
    output, client = record["OutputDataConfig"], run.s3()
    folder = parse_s3_uri(output["S3OutputPath"]).below(run.job.name, "output")
    if output.get("CompressionType") == "NONE":
        upload_folder(client, run.layout.output_data, folder.below("data"), output.get("KmsKeyId"))
    else:
        archive = _archive(run, run.layout.output_data, "output.tar.gz")
        upload_file(client, archive, folder.below("output.tar.gz"), output.get("KmsKeyId"))


def _archive(run: Run, folder: Path, name: str) -> Path:
    path = run.layout.folder / name
    path.unlink(missing_ok=True)  # the job may have left a link there
    # The lightest compression: artifacts are written once and read a few times on the same machine.
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for entry in sorted(run.own(folder).iterdir()):
            archive.add(entry, arcname=entry.name)
    return path
