"""The run of a processing job.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.tasks import Again, task
from sandbox.services.sagemaker.job_data import download, upload_folder
from sandbox.services.sagemaker.job_run import Run, run
from sandbox.services.sagemaker.jobs import PROCESSING, Job
from sandbox.services.sagemaker.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine


@task(PROCESSING.task)
def run_processing_job(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    return run(Job(engine, PROCESSING, **payload), _work)


def _work(run: Run) -> None:
    from sandbox.runtimes import processing_command

    job, record = run.job, run.job.read()
    environment = run.environment(record["AppSpecification"]["ImageUri"])
    client = run.s3()
    for each in record.get("ProcessingInputs", []):
        source = each["S3Input"]
        download(client, source["S3Uri"], run.layout.local(source["LocalPath"]), record["RoleArn"])
    isolated = record.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    command = processing_command(
        record,
        run.layout,
        environment,
        variables={} if isolated else run.session.environment(),
        timeout=record["StoppingCondition"]["MaxRuntimeInSeconds"],
        on_line=run.lines.write,
    )
    job.advance({"ProcessingStartTime": job.engine.clock.now()})
    exit = run.execute(command)
    said = _exit_message(run)
    if exit is None or run.stopping:
        job.finish("Stopped", said)
    elif exit.timed_out:
        limit = record["StoppingCondition"]["MaxRuntimeInSeconds"]
        job.finish("Stopped", {"ExitMessage": f"The job was stopped after MaxRuntimeInSeconds ({limit})."})
    elif exit.code:
        job.advance(said)
        raise run.algorithm_error(exit, said.get("ExitMessage", ""))
    else:
        output = record.get("ProcessingOutputConfig", {})
        for each in output.get("Outputs", []):
            target = each["S3Output"]
            folder = run.own(run.layout.local(target["LocalPath"]))
            upload_folder(run.s3(), folder, parse_s3_uri(target["S3Uri"]), output.get("KmsKeyId"))
        job.finish("Completed", said)


def _exit_message(run: Run) -> dict[str, str]:
    message = run.message(run.layout.opt_ml / "output" / "message")
    return {"ExitMessage": message} if message else {}
