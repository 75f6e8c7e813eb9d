"""A build's record: phases, status, and the events that tell of their changes.

Source of the events: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.store import Records

SERVICE = "codebuild"
ORDER = (
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
)


def process_key(build_id: str) -> str:
    """Under which the build's process group runs."""
    return f"codebuild/{build_id}"


class BuildRecord:
    """One build as the API shows it (`shape`), and what only the service knows (`settings`).

    settings: `artifacts`, `secondaryArtifacts` (ProjectArtifacts), `stop` and `attempts` (runs begun).
    """

    def __init__(self, engine: Engine, account: str, region: str, build_id: str) -> None:
        self.engine = engine
        self.account = account
        self.region = region
        self.id = build_id
        self._records = engine.records(account, region, SERVICE, "build")
        self._stops = engine.records(account, region, SERVICE, "stop")
        record = self._records.get(build_id)
        if record is None:
            raise LookupError(build_id)
        self.shape: dict[str, Any] = record["shape"]
        self.settings: dict[str, Any] = record["settings"]

    @classmethod
    def create(
        cls, engine: Engine, account: str, region: str, shape: dict[str, Any], settings: dict[str, Any]
    ) -> BuildRecord:
        """Submits a build: its first phase is over, it waits in the queue."""
        records = engine.records(account, region, SERVICE, "build")
        records.put(shape["id"], {"shape": shape | {"phases": []}, "settings": settings})
        build = cls(engine, account, region, shape["id"])
        build.begin("SUBMITTED")
        build.complete("SUCCEEDED")
        build.begin("QUEUED")
        build.state_changed()
        return build

    @property
    def stop_requested(self) -> bool:
        return self._stops.get(self.id) is not None

    def request_stop(self) -> None:
        self._stops.put(self.id, {})

    def save(self) -> None:
        self._records.put(self.id, {"shape": self.shape, "settings": self.settings})

    def begin(self, phase: str) -> None:
        """Enters a phase."""
        self.shape["phases"].append({"phaseType": phase, "startTime": self.engine.clock.now()})
        self.shape["currentPhase"] = phase
        self.save()

    def complete(self, status: str, code: str = "", message: str = "") -> None:
        """Ends the current phase; its contexts say why."""
        phase = self.shape["phases"][-1]
        phase["phaseStatus"] = status
        phase["endTime"] = self.engine.clock.now()
        phase["durationInSeconds"] = int(phase["endTime"] - phase["startTime"])
        phase["contexts"] = [{"statusCode": code, "message": message}]
        with self.engine.store.transaction():
            self.save()
            self._put_event("CodeBuild Build Phase Change", self._phase_detail(phase))

    def rewind(self) -> None:
        """Forgets all phases after QUEUED: the build is run from its start once more."""
        self.shape["phases"] = [p for p in self.shape["phases"] if p["phaseType"] in ("SUBMITTED", "QUEUED")]

    def finish(self, status: str) -> None:
        """The build is over."""
        now = self.engine.clock.now()
        self.shape |= {
            "buildStatus": status,
            "buildComplete": True,
            "endTime": now,
            "currentPhase": "COMPLETED",
        }
        self.shape["phases"].append({"phaseType": "COMPLETED", "startTime": now})
        with self.engine.store.transaction():
            self.save()
            self._stops.delete(self.id)
            self.state_changed()

    def state_changed(self) -> None:
        contexts = [
            p.get("contexts", []) for p in self.shape["phases"] if p.get("phaseStatus") != "SUCCEEDED"
        ]
        self._put_event(
            "CodeBuild Build State Change",
            {
                "build-status": self.shape["buildStatus"],
                "project-name": self.shape["projectName"],
                "build-id": self.shape["arn"],
                "additional-information": self._information(),
                "current-phase": self.shape["currentPhase"],
                "current-phase-context": _contexts(contexts[0] if contexts else []),
                "version": "1",
            },
        )

    def _put_event(self, detail_type: str, detail: dict[str, Any]) -> None:
        self.engine.events.put(
            self.account,
            self.region,
            source="aws.codebuild",
            detail_type=detail_type,
            resources=[self.shape["arn"]],
            detail=detail,
        )

    def _phase_detail(self, phase: dict[str, Any]) -> dict[str, Any]:
        return {
            "completed-phase": phase["phaseType"],
            "project-name": self.shape["projectName"],
            "build-id": self.shape["arn"],
            "completed-phase-context": _contexts(phase["contexts"]),
            "additional-information": self._information(),
            "completed-phase-status": phase["phaseStatus"],
            "completed-phase-duration-seconds": phase["durationInSeconds"],
            "version": "1",
            "completed-phase-start": _moment(phase["startTime"]),
            "completed-phase-end": _moment(phase["endTime"]),
        }

    def _information(self) -> dict[str, Any]:
        shape = self.shape
        environment, logs = shape["environment"], shape["logs"]
        information: dict[str, Any] = {
            "environment": {
                "image": environment["image"],
                "privileged-mode": environment.get("privilegedMode", False),
                "compute-type": environment["computeType"],
                "type": environment["type"],
                "environment-variables": environment.get("environmentVariables", []),
            },
            "timeout-in-minutes": shape["timeoutInMinutes"],
            "build-complete": shape["buildComplete"],
            "initiator": shape["initiator"],
            "build-start-time": _moment(shape["startTime"]),
            "build-number": float(shape["buildNumber"]),
            "source": {"type": shape["source"]["type"], "location": shape["source"].get("location", "")},
            "logs": {
                "group-name": logs.get("groupName"),
                "stream-name": logs.get("streamName"),
                "deep-link": logs.get("deepLink"),
            },
            "phases": [_phase_information(phase) for phase in shape["phases"]],
            "queued-timeout-in-minutes": float(shape["queuedTimeoutInMinutes"]),
        }
        if shape.get("sourceVersion"):
            information["source-version"] = shape["sourceVersion"]
        if shape.get("artifacts", {}).get("location"):
            names = {"location": "location", "md5sum": "md5sum", "sha256sum": "sha256sum"}
            artifact = shape["artifacts"]
            information["artifact"] = {
                name: artifact[member] for name, member in names.items() if member in artifact
            }
        if shape.get("exportedEnvironmentVariables"):
            information["exported-environment-variables"] = shape["exportedEnvironmentVariables"]
        return information


def running_builds(records: Records, project: str) -> int:
    """How many builds of a project are not complete."""
    return sum(not record["shape"]["buildComplete"] for record in records.list(f"{project}:"))


def _phase_information(phase: dict[str, Any]) -> dict[str, Any]:
    information: dict[str, Any] = {
        "phase-type": phase["phaseType"],
        "start-time": _moment(phase["startTime"]),
    }
    if "phaseStatus" in phase:
        information |= {
            "phase-context": [_context(c) for c in phase["contexts"]],
            "end-time": _moment(phase["endTime"]),
            "duration-in-seconds": phase["durationInSeconds"],
            "phase-status": phase["phaseStatus"],
        }
    return information


def _contexts(contexts: list[dict[str, str]]) -> str:
    return json.dumps([_context(context) for context in contexts])


def _context(context: dict[str, str]) -> str:
    return f"{context['statusCode']}: {context['message']}"


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%b} {moment.day}, {moment.year} {int(f'{moment:%I}')}:{moment:%M:%S %p}"
