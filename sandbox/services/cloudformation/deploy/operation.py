"""What every phase of a stack operation works with."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError
from sandbox.services.cloudformation.resources import handler_of
from sandbox.services.cloudformation.resources.handler import Handler, Request, ResourceFailed
from sandbox.services.cloudformation.resources.waiting import wake
from sandbox.services.cloudformation.schema.registry import Schema
from sandbox.services.cloudformation.stack import dynamic
from sandbox.services.cloudformation.stack.outline import Outline, schema_of
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.template.evaluate import Place
from sandbox.services.cloudformation.template.parameters import Values
from sandbox.services.cloudformation.template.sections import parse

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.engine.engine import Engine

SERVICE_PRINCIPAL = "cloudformation.amazonaws.com"
_RUNNING: dict[str, threading.Event] = {}


def session_of(engine: Engine, identity: Record, region: str) -> Session:
    """The principal a stack acts as: its role, else the caller of the operation."""
    if identity.get("RoleARN"):
        return engine.clients.role(
            identity["RoleARN"], service=SERVICE_PRINCIPAL, session_name="AWSCloudFormation", region=region
        )
    return engine.clients.of_access_key(
        identity["AccessKey"], region, via=SERVICE_PRINCIPAL, chain=tuple(identity["Via"])
    )


def stop_phase(engine: Engine, stack_id: str) -> None:
    """Makes the phase that runs on a stack give up its waits and start nothing new.

    Call inside the transaction that asks for it: the stop takes effect with the commit, so that it reaches
    the phase that the transaction saw, never one that begins after it.
    """

    def stop() -> None:
        event = _RUNNING.get(stack_id)
        if event is not None:
            event.set()
            wake()

    engine.store.after_commit(stop)


class Operation:
    """One run of the task of a stack. `stop` is set when the phase must end early."""

    def __init__(self, engine: Engine, stacks: Stacks, stack_id: str) -> None:
        self.engine = engine
        self.stacks = stacks
        self.stack_id = stack_id
        self.stop = threading.Event()

    def close(self) -> None:
        _RUNNING.pop(self.stack_id, None)

    def next_phase(self) -> str | None:
        """The stack's status, None where the stack is gone; what it asks for starts unstopped.

        One transaction: a stop is for the phase whose status its own transaction saw.
        """
        with self.engine.store.transaction():
            stack = self.stacks.stacks.get(self.stack_id)
            self.stop = threading.Event()
            _RUNNING[self.stack_id] = self.stop
        return stack["StackStatus"] if stack else None

    @property
    def stack(self) -> Record:
        stack = self.stacks.stacks.get(self.stack_id)
        if stack is None:
            raise LookupError(f"stack {self.stack_id} is gone")
        return stack

    @cached_property
    def place(self) -> Place:
        return self.stacks.place(self.stack)

    def session(self) -> Session:
        return session_of(self.engine, self.stack["Identity"], self.stacks.region)

    def stored(self, reference: str) -> str:
        return dynamic.values_of(self.session)(reference)

    def outline(self, deployed: Record) -> Outline:
        """The template of a `Current` or `Target`, under the values it is deployed with."""
        template = parse(deployed.get("Processed") or deployed["TemplateBody"])
        values = Values(
            deployed["Parameters"],
            deployed["ResolvedParameters"],
            {name: item["Type"] for name, item in template.parameters.items()},
        )
        return Outline(template, values, self.place)

    def schema(self, type_name: str) -> Schema:
        return schema_of(type_name, self.stacks.region)

    def handler(self, type_name: str) -> Handler:
        handler = handler_of(type_name)
        if handler is None:
            raise ResourceFailed(f"{type_name} is not implemented by the sandbox")
        return handler

    def request(self, record: Record, **members: Any) -> Request:
        """The request to a handler about the resource of a record."""
        given: dict[str, Any] = {
            "properties": record.get("Properties") or {},
            "tags": record.get("Tags") or {},
            "physical_id": record.get("PhysicalResourceId") or "",
            "attributes": record.get("Attributes") or {},
        }
        session = self.session()
        session.handles(record["ResourceType"])
        return Request(
            engine=self.engine,
            session=session,
            place=self.place,
            type=record["ResourceType"],
            logical_id=record["LogicalResourceId"],
            token=record["Token"],
            stop=self.stop,
            phase=self.stack.get("Phase") or "",
            **(given | members),
        )


def expected_failures() -> tuple[type[Exception], ...]:
    """What a handler may raise that makes its resource fail; anything else is a fault of the sandbox."""
    from botocore.exceptions import BotoCoreError, ClientError

    from sandbox.services.cloudformation.resources.handler import Stopped
    from sandbox.services.cloudformation.schema.validate import Invalid

    return (ClientError, BotoCoreError, AwsError, ResourceFailed, Stopped, Invalid)
