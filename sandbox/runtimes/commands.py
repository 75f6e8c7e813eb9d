"""Commands that run a job under its container's contract: what SageMaker puts into the container, where.

Each returns a Command for `engine.processes`. The caller has ensured the environment, made the layout,
downloaded what the job reads, and passes in `variables` what only it knows: the role's credentials
(AWS_ACCESS_KEY_ID, …), AWS_REGION, AWS_ENDPOINT_URL. Contracts:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.engine.foreign_files import is_file, read_inside
from sandbox.engine.processes import Command
from sandbox.runtimes.environments import Environment, uv, uv_cache
from sandbox.runtimes.layout import JobLayout
from sandbox.runtimes.mounts import enter_prefix

CONTAINERS = Path(__file__).parent / "containers"
INSTALLER = CONTAINERS / "installer"
HOST = "algo-1"
FAILURE_REASON_LENGTH = 1024
OnLine = Callable[[str], None]
Variables = Mapping[str, str]


def training_command(
    job: Mapping[str, Any],
    layout: JobLayout,
    environment: Environment,
    *,
    variables: Variables,
    timeout: float | None = None,
    on_line: OnLine | None = None,
) -> Command:
    """A training job's container.

    `job`: CreateTrainingJob's members and `TrainingJobArn`. Every channel is already in
    `layout.channel(ChannelName)`. Model artifacts are left in `layout.model`, other output in
    `layout.output_data`, and a failing job's message in `layout.failure` (see `failure_reason`).
    """
    algorithm = job["AlgorithmSpecification"]
    _write_training_configuration(job, layout)
    env = {
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "TRAINING_JOB_ARN": job.get("TrainingJobArn", ""),
        **job.get("Environment", {}),
    }
    arguments = ["--root", layout.seen]
    entrypoint = [*algorithm.get("ContainerEntrypoint", []), *algorithm.get("ContainerArguments", [])]
    if entrypoint:
        arguments += ["--", *(layout.remap(part) for part in entrypoint)]
    argv = [str(environment.python), str(CONTAINERS / "train.py"), *arguments]
    network = not job.get("EnableNetworkIsolation", False)
    return _command(argv, layout, environment, env | dict(variables), timeout, on_line, network=network)


def processing_command(
    job: Mapping[str, Any],
    layout: JobLayout,
    environment: Environment,
    *,
    variables: Variables,
    timeout: float | None = None,
    on_line: OnLine | None = None,
) -> Command:
    """A processing job's container.

    `job`: CreateProcessingJob's members and `ProcessingJobArn`. Inputs are already at
    `layout.local(LocalPath)`; the folders of outputs are created here and read by the caller afterwards.
    """
    application = job["AppSpecification"]
    for output in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" in output:
            layout.local(output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
    _write(layout, "/opt/ml/config/processingjobconfig.json", _processing_configuration(job))
    resources = {"current_host": HOST, "hosts": [HOST]}
    _write(layout, "/opt/ml/config/resourceconfig.json", resources)
    argv = [*application.get("ContainerEntrypoint", []), *application.get("ContainerArguments", [])]
    if not argv:
        raise ValueError("the image has no entrypoint of its own: AppSpecification needs ContainerEntrypoint")
    env = {
        "PROCESSING_JOB_NAME": job["ProcessingJobName"],
        "PROCESSING_JOB_ARN": job.get("ProcessingJobArn", ""),
        **job.get("Environment", {}),
    }
    argv = [layout.remap(part) for part in argv]
    network = not job.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    return _command(argv, layout, environment, env | dict(variables), timeout, on_line, network=network)


def serving_command(
    framework: str,
    container: Mapping[str, Any],
    layout: JobLayout,
    environment: Environment,
    *,
    ready: str,
    variables: Variables,
    on_line: OnLine | None = None,
    socket: Path | None = None,
) -> Command:
    """A model server on 127.0.0.1: GET /ping, POST /invocations.

    `socket`: a file (its path at most 100 characters) to listen on instead, for a model without network
    (EnableNetworkIsolation); only a mounted layout can take the network away.

    `framework`: Runtime.framework. `container`: a ContainerDefinition's Environment is used. The model is
    already extracted in `layout.model`. Once the model is loaded the process prints the line
    `<ready> <port or file>`; if it cannot be loaded the process ends, its last lines telling why.
    """
    argv = [str(environment.python), str(CONTAINERS / "serve.py"), framework, layout.seen, ready]
    env = dict(container.get("Environment", {})) | dict(variables)
    isolated = socket is not None and layout.mounted
    if isolated:
        argv.append(str(socket))
    command = _command(argv, layout, environment, env, None, on_line, network=not isolated)
    return replace(command, seen=[socket.parent]) if socket else command


def failure_reason(layout: JobLayout, code: int) -> str:
    """FailureReason of a job that ended with `code`, from what it wrote to /opt/ml/output/failure."""
    message = ""
    for path in (layout.failure, layout.opt_ml / "output" / "message"):
        if is_file(path, layout.folder):
            message = read_inside(path, layout.folder).decode(errors="replace").strip()
            break
    text = (
        f"AlgorithmError: {message}, exit code: {code}" if message else f"AlgorithmError: , exit code: {code}"
    )
    return text[:FAILURE_REASON_LENGTH]


def _command(
    argv: list[str],
    layout: JobLayout,
    environment: Environment,
    variables: Variables,
    timeout: float | None,
    on_line: OnLine | None,
    *,
    network: bool = True,
) -> Command:
    if layout.mounted:
        argv = [*enter_prefix(environment.python, layout.opt_ml, network=network), *argv]
    remapped = layout.remap_variables(variables)
    env = {
        # As the images set them.
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(layout.temporary),
        "TMPDIR": str(layout.temporary),
        "AWS_EC2_METADATA_DISABLED": "true",
        # Threads that spin while they wait take the processors from those they wait for: this machine does
        # other things at the same time, and may run several jobs.
        "OMP_WAIT_POLICY": "PASSIVE",
        # `pip` inside the job (containers/installer).
        "SANDBOX_UV": uv(),
        "SANDBOX_PACKAGES": str(layout.packages),
        "UV_CACHE_DIR": str(uv_cache()),
        **remapped,
        "PATH": f"{INSTALLER / 'bin'}:{environment.bin}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": ":".join(
            filter(None, [remapped.get("PYTHONPATH"), str(layout.packages), str(INSTALLER)])
        ),
    }
    return Command(argv=argv, cwd=layout.folder, env=env, timeout=timeout, on_line=on_line)


def _write(layout: JobLayout, path: str, content: Any) -> None:
    file = layout.local(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def _write_training_configuration(job: Mapping[str, Any], layout: JobLayout) -> None:
    channels = {}
    mode = job["AlgorithmSpecification"].get("TrainingInputMode", "File")
    for channel in job.get("InputDataConfig", []):
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        channels[channel["ChannelName"]] = {
            "TrainingInputMode": channel.get("InputMode", mode),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        }
    instance = job.get("ResourceConfig", {}).get("InstanceType", "ml.m5.large")
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": [HOST]}
    resources = {
        "current_host": HOST,
        "current_instance_type": instance,
        "current_group_name": group["instance_group_name"],
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": "lo",
    }
    folder = "/opt/ml/input/config"
    hyperparameters = {key: layout.remap(value) for key, value in job.get("HyperParameters", {}).items()}
    _write(layout, f"{folder}/hyperparameters.json", hyperparameters)
    _write(layout, f"{folder}/inputdataconfig.json", channels)
    _write(layout, f"{folder}/resourceconfig.json", resources)
    if "CheckpointConfig" in job:
        _write(layout, f"{folder}/checkpointconfig.json", job["CheckpointConfig"])


def _processing_configuration(job: Mapping[str, Any]) -> dict[str, Any]:
    keep = (
        "ProcessingJobArn",
        "ProcessingJobName",
        "AppSpecification",
        "Environment",
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingResources",
        "RoleArn",
        "StoppingCondition",
    )
    return {name: job.get(name) for name in keep}
