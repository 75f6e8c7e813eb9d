"""Fleets: the model servers of one endpoint configuration, downloaded, extracted and started.

A fleet's plan is part of the endpoint's record, so a fleet can be started again after a restart without
asking for the model or configuration again (they may be gone). Its instances live in memory.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.identifiers import derived_id
from sandbox.engine.logs import LogStream
from sandbox.runtimes import EnvironmentFailed, UnknownImage, ensure, job_layout, runtime_of, serving_command
from sandbox.runtimes.layout import JobLayout
from sandbox.runtimes.serving.archive import BadArchive, extract
from sandbox.runtimes.serving.instance import Instance, NotHealthy
from sandbox.services.sagemaker.endpoint_records import RESTORE, Place
from sandbox.services.sagemaker.s3_uri import parse_s3_uri

log = logging.getLogger(__name__)

Plan = dict[str, Any]
SERVICE = "sagemaker.amazonaws.com"
HEALTH_SECONDS = 240.0
"""How long SageMaker waits for /ping where the configuration does not say."""
CHUNK = 2**20
SOCKET_PATH = 100
"""Bytes of a socket's path, a little below the kernel's limit of 108."""
DRAIN_SECONDS = 60.0
"""InvokeEndpoint's own limit for a container's answer: no request can be under way for longer."""


class FleetFailed(Exception):
    """The FailureReason of an endpoint."""


@dataclass
class RunningFleet:
    """Instances by variant name. `ended`: stopped for good; who still holds it starts nothing in it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    instances: dict[str, list[Instance]] = field(default_factory=dict)
    started: int = 0
    ended: bool = False


_RUNNING: weakref.WeakKeyDictionary[Engine, dict[str, RunningFleet]] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def running(engine: Engine, identifier: str) -> RunningFleet:
    """The fleet of an identifier; empty where it was never started in this process."""
    with _LOCK:
        return _RUNNING.setdefault(engine, {}).setdefault(identifier, RunningFleet())


def start(place: Place, plan: Plan) -> RunningFleet:
    """Brings every variant to its number of healthy instances. Raises FleetFailed."""
    try:
        return _start(place, plan)
    except FleetFailed:
        raise
    except Exception as error:
        # A fault of the sandbox itself must not leave an endpoint in progress for ever.
        log.exception("fleet %s of endpoint %s", plan["Id"], place.key)
        raise FleetFailed(f"The sandbox failed: {error!r}") from error


def _start(place: Place, plan: Plan) -> RunningFleet:
    fleet = running(place.engine, plan["Id"])
    with fleet.lock:
        if fleet.ended:
            raise FleetFailed("The fleet was stopped meanwhile.")
        missing = [
            (variant, index)
            for variant in plan["Variants"]
            for index in _free_indices(fleet, variant["VariantName"], variant["Count"])
        ]
        if not missing:
            return fleet
        for variant in {variant["VariantName"]: variant for variant, _ in missing}.values():
            _download(place, plan, variant)
        with ThreadPoolExecutor(len(missing)) as pool:
            futures = [pool.submit(_start_instance, place, plan, fleet, *item) for item in missing]
        # Those that came up beside one that did not belong to the fleet too: stopping it must find them.
        for (variant, _), future in zip(missing, futures, strict=True):
            if future.exception() is None:
                fleet.instances.setdefault(variant["VariantName"], []).append(future.result())
        for future in futures:
            future.result()
    return fleet


def _free_indices(fleet: RunningFleet, variant: str, count: int) -> range:
    alive = [instance for instance in fleet.instances.get(variant, []) if instance.alive]
    fleet.instances[variant] = alive
    return range(len(alive), count)


def shrink(place: Place, plan: Plan) -> list[Instance]:
    """Takes the instances above each variant's number out of the fleet; the caller drains them."""
    fleet = running(place.engine, plan["Id"])
    removed: list[Instance] = []
    with fleet.lock:
        for variant in plan["Variants"]:
            instances = fleet.instances.get(variant["VariantName"], [])
            removed += instances[variant["Count"] :]
            fleet.instances[variant["VariantName"]] = instances[: variant["Count"]]
    return removed


def stop(place: Place, identifier: str) -> None:
    """Ends a fleet once its requests are answered, and removes what it had on disk."""
    fleet = running(place.engine, identifier)
    with fleet.lock:
        fleet.ended = True
        instances = [instance for group in fleet.instances.values() for instance in group]
        fleet.instances.clear()
        drain(instances)
    with _LOCK:
        _RUNNING[place.engine].pop(identifier, None)
    shutil.rmtree(_folder(place, identifier), ignore_errors=True)


def drain(instances: list[Instance]) -> None:
    """Ends instances that no route leads to any more, each after its last answer."""
    if instances:
        with ThreadPoolExecutor(len(instances)) as pool:
            list(pool.map(lambda instance: instance.drain(DRAIN_SECONDS), instances))


def _folder(place: Place, identifier: str) -> Path:
    return place.engine.folder("endpoints", identifier)


def _archive(place: Place, plan: Plan, variant: Plan) -> Path:
    return _folder(place, plan["Id"]) / f"{variant['VariantName']}.tar.gz"


def _session(place: Place, plan: Plan) -> Any:
    from sandbox.engine.operations import AwsError

    role = plan["Role"]
    try:
        return place.engine.clients.role(
            role, service=SERVICE, session_name="SageMaker", region=place.region, source_arn=place.arn
        )
    except AwsError as error:
        raise FleetFailed(f"The role {role} cannot be assumed by {SERVICE}: {error.message}") from error


def _download(place: Place, plan: Plan, variant: Plan) -> None:
    """Gets the model data once a variant, as the execution role."""
    from botocore.exceptions import ClientError

    url = variant["Container"].get("ModelDataUrl")
    target = _archive(place, plan, variant)
    if not url or target.exists():
        return
    bucket, key = parse_s3_uri(url)
    partial = target.with_suffix(".part")
    try:
        body = _session(place, plan).client("s3").get_object(Bucket=bucket, Key=key)["Body"]
        with partial.open("wb") as file:
            for chunk in body.iter_chunks(CHUNK):
                file.write(chunk)
    except ClientError as error:
        raise FleetFailed(
            f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure '
            "that there is an object located at the URL and that the role passed to CreateModel has "
            "permissions to download the object."
        ) from error
    partial.rename(target)


def _start_instance(place: Place, plan: Plan, fleet: RunningFleet, variant: Plan, index: int) -> Instance:
    name, container = variant["VariantName"], variant["Container"]
    try:
        runtime = runtime_of(container["Image"])
        environment = ensure(runtime)
    except (UnknownImage, EnvironmentFailed) as error:
        raise FleetFailed(str(error)) from error
    with _LOCK:
        fleet.started += 1
        serial = fleet.started
    layout = _lay_out(place, plan, variant, serial)
    session = _session(place, plan)
    isolated = plan.get("NetworkIsolation", {}).get(name, False)
    variables = {} if isolated else session.environment()
    identifier = derived_id(plan["Id"], name, str(serial), length=17, prefix="i-")
    stream = f"{name}/{identifier}"
    with ExitStack() as stack:
        lines = LogStream(session, f"/aws/sagemaker/Endpoints/{place.name}", stream, create_group=True)
        stack.enter_context(lines)
        socket = _socket_file(place, identifier, stack) if isolated else None
        instance = Instance(
            place.engine.processes,
            f"endpoint/{place.key}/{plan['Id']}/{name}/{serial}",
            lambda ready: serving_command(
                runtime.framework,
                container,
                layout,
                environment,
                ready=ready,
                variables=variables,
                socket=socket,
            ),
            lines.write,
            on_death=lambda: place.engine.tasks.submit(RESTORE, place.key),
            on_end=stack.pop_all().close,
        )
    _wait_healthy(instance, variant)
    return instance


def _socket_file(place: Place, identifier: str, stack: ExitStack) -> Path:
    """A file for a model server's socket, removed with the server; sockets need a short path."""
    path = place.engine.folder("sockets") / identifier
    if len(os.fsencode(path)) > SOCKET_PATH:
        folder = Path(tempfile.mkdtemp(prefix="endpoint-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder / "socket"
    # A killed sandbox leaves the file of the same instance behind.
    path.unlink(missing_ok=True)
    stack.callback(path.unlink, missing_ok=True)
    return path


def _wait_healthy(instance: Instance, variant: Plan) -> None:
    try:
        instance.wait_healthy(variant.get("HealthSeconds", HEALTH_SECONDS))
    except NotHealthy as error:
        instance.stop()
        last = str(error).strip().rpartition("\n")[2]
        raise FleetFailed(
            f"The primary container for production variant {variant['VariantName']} did not pass the ping "
            f"health check. Please check CloudWatch logs for this endpoint."
            + (f" The last line there: {last}" if last else "")
        ) from error


def _lay_out(place: Place, plan: Plan, variant: Plan, serial: int) -> JobLayout:
    """An /opt/ml for one instance, the model extracted in it."""
    folder = _folder(place, plan["Id"]) / f"{variant['VariantName']}-{serial}"
    shutil.rmtree(folder, ignore_errors=True)
    layout = job_layout(folder)
    archive = _archive(place, plan, variant)
    if archive.exists():
        try:
            extract(archive, layout.model)
        except BadArchive as error:
            url = variant["Container"]["ModelDataUrl"]
            raise FleetFailed(
                f'Failed to extract model data archive for container "container_1" from URL "{url}". Please '
                f"ensure that the object located at the URL is a valid tar.gz archive. ({error})"
            ) from error
    return layout
