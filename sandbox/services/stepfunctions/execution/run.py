"""One execution in hand: its records, and writing to them together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.store import Records
from sandbox.services.stepfunctions.definition.machine import Machine, State, machine
from sandbox.services.stepfunctions.language import timestamps
from sandbox.services.stepfunctions.language.scope import Scope

SERVICE = "stepfunctions"
ROOT = "0"
ADVANCE = "stepfunctions.advance"

Branch = dict[str, Any]


class Over(Exception):
    """The execution or the branch has ended meanwhile: what was about to be written is void."""


@dataclass(frozen=True)
class Run:
    """`key`: the last part of the execution's ARN, `machine:name`."""

    engine: Engine
    account: str
    region: str
    key: str

    def records(self, kind: str) -> Records:
        return self.engine.records(self.account, self.region, SERVICE, kind)

    def execution(self) -> dict[str, Any]:
        """The execution's own record; KeyError where there is none."""
        record = self.records("execution").get(self.key)
        if record is None:
            raise KeyError(self.key)
        return record

    def details(self) -> dict[str, Any]:
        """What an execution was started with and never changes: definition, role, input, machine."""
        record = self.records("start").get(self.key)
        if record is None:
            raise KeyError(self.key)
        return record

    def machine(self) -> Machine:
        return machine(self.details()["definition"])

    def branch(self, identifier: str) -> Branch | None:
        """A branch that is still to be moved on; None once it or its execution has ended."""
        execution = self.records("execution").get(self.key)
        if execution is None or execution["status"] != "RUNNING":
            return None
        return self.records("branch").get(f"{self.key}|{identifier}")

    def state(self, branch: Branch) -> State:
        return self.machine().state(branch["scope"], branch["state"])

    def task_key(self, identifier: str) -> str:
        return f"{self.account}/{self.region}/{self.key}|{identifier}"

    def wake(self, identifier: str, after: float = 0.0) -> None:
        """Moves a branch on, now or after so many real seconds."""
        self.engine.tasks.submit(ADVANCE, self.task_key(identifier), after=after)

    @contextmanager
    def writing(self, branch: Branch) -> Iterator[None]:
        """A transaction that saves the branch at its end. Over where branch or execution have ended."""
        with self.engine.store.transaction():
            if self.branch(branch["id"]) is None:
                raise Over
            yield
            if not branch.get("gone"):
                self.records("branch").put(f"{self.key}|{branch['id']}", branch)

    def event(self, branch: Branch, kind: str, member: str | None = None, **details: Any) -> int:
        """Appends an event to the history, after the branch's last one; its id."""
        identifier = self.append(kind, branch["last"], member, details)
        branch["last"] = identifier
        return identifier

    def events(self) -> int:
        """How many events the history has."""
        return int((self.records("progress").get(self.key) or {"events": 0})["events"])

    def append(
        self, kind: str, previous: int, member: str | None = None, details: dict[str, Any] | None = None
    ) -> int:
        identifier = self.events() + 1
        event: dict[str, Any] = {
            "timestamp": self.engine.clock.now(),
            "type": kind,
            "id": identifier,
            "previousEventId": previous,
        }
        if member:
            event[member] = {name: item for name, item in (details or {}).items() if item is not None}
        self.records("history").put(f"{self.key}|{identifier:08d}", event)
        self.records("progress").put(self.key, {"events": identifier})
        return identifier

    def scope(self, branch: Branch, value: Any = None) -> Scope:
        """What expressions of the branch's state see; `$` is the state's input unless `value` is given."""
        return Scope(
            branch["input"] if value is None else value, self.context(branch), branch.get("variables", {})
        )

    def context(self, branch: Branch) -> dict[str, Any]:
        """The context object, as `$$` and `$states.context` show it."""
        details = self.details()
        execution: dict[str, Any] = {
            "Id": details["contextArn"],
            "Input": details["input"],
            "StartTime": timestamps.text(details["started"]),
            "Name": details["name"],
            "RoleArn": details["roleArn"],
            "RedriveCount": self.execution().get("redrives", 0),
        }
        redriven = self.execution().get("redriven")
        if redriven:
            execution["RedriveTime"] = timestamps.text(redriven)
        context: dict[str, Any] = {
            "Execution": execution,
            "StateMachine": {"Id": details["machineArn"], "Name": details["machineName"]},
            "State": {
                "Name": branch["state"],
                "EnteredTime": timestamps.text(branch.get("enteredAt", details["started"])),
                "RetryCount": sum(branch.get("retries", {}).values()),
            },
        }
        if branch.get("item"):
            context["Map"] = {"Item": branch["item"]}
        if branch.get("token"):
            context["Task"] = {"Token": branch["token"]}
        return context | details.get("context", {})


def run_of(engine: Engine, task_key: str) -> tuple[Run, str]:
    """The run and the branch that a task's key names."""
    account, region, rest = task_key.split("/", 2)
    key, _, identifier = rest.rpartition("|")
    return Run(engine, account, region, key), identifier
