"""What a handler of a resource type is, and what it is asked."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.services.cloudformation.schema.validate import Invalid

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.engine.engine import Engine
    from sandbox.services.cloudformation.template.evaluate import Place

HANDLERS: dict[str, Handler] = {}


class ResourceFailed(Exception):
    """A resource that its service could not bring to the wanted state; the message says why.

    `made`: what is there all the same, and is deleted when the stack turns back.
    """

    code: ClassVar[str] = "NotStabilized"

    def __init__(self, message: str, made: Made | None = None) -> None:
        super().__init__(message)
        self.made = made


class Taken(ResourceFailed):
    """A name that a resource of somebody else has."""

    code = "AlreadyExists"


class Said(ResourceFailed):
    """A failure whose words are the status reason as they stand."""


class Stopped(Exception):
    """The wait for a resource was given up because its stack's operation is being stopped."""

    def __init__(self, made: Made | None = None) -> None:
        super().__init__()
        self.made = made


@dataclass(frozen=True)
class Made:
    """A resource as its handler left it: its physical id and the values of Fn::GetAtt."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    no_echo: bool = False
    """The attributes are shown nowhere."""


@dataclass(frozen=True)
class Request:
    """One resource to create, update or delete. `token`: the same for every attempt of one creation.

    `properties` are validated and typed by the schema; `tags` are all that the resource shall carry.
    `resumed`: an earlier attempt was cut off and may have reached the service. `phase`: names the phase of
    the stack's operation (forward, back, cleanup), the same after a crash.
    """

    engine: Engine
    session: Session
    place: Place
    type: str
    logical_id: str
    token: str
    stop: threading.Event
    properties: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    previous: dict[str, Any] = field(default_factory=dict)
    previous_tags: dict[str, str] = field(default_factory=dict)
    physical_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False
    phase: str = ""
    content: str | None = None
    """What the resource is to be made of again (`Handler.content`), where a rollback brings it back."""

    def client(self, service: str) -> Any:
        return self.session.client(service)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.place.region}:{self.place.account}:{resource}"

    def name(self, given: str, *, limit: int = 255, lower: bool = False) -> str:
        """The property `given`, or a name made as CloudFormation makes them: stack-resource-random."""
        if given in self.properties:
            return self.properties[given]
        digest = hashlib.sha256(f"{self.place.stack_id}|{self.logical_id}|{self.token}".encode()).digest()
        suffix = base64.b32encode(digest).decode()[:12]
        room = limit - len(suffix) - 2
        stack = self.place.stack_name[: max(room // 2, room - len(self.logical_id))]
        logical = self.logical_id[: room - len(stack)]
        name = f"{stack}-{logical}-{suffix}"
        return name.lower() if lower else name

    def changed(self, *names: str) -> bool:
        """Whether any of these properties differs from what was deployed."""
        return any(self.properties.get(name) != self.previous.get(name) for name in names)

    @property
    def tags_added(self) -> dict[str, str]:
        return {key: value for key, value in self.tags.items() if self.previous_tags.get(key) != value}

    @property
    def tags_removed(self) -> list[str]:
        return [key for key in self.previous_tags if key not in self.tags]


class Handler:
    """Creates, updates and deletes resources of one type.

    Every method may be run again for the same request after a crash. `refused` names the properties that
    the sandbox does not implement: they fail validation instead of being dropped.
    """

    type: ClassVar[str]
    refused: ClassVar[frozenset[str]] = frozenset()
    record_only: ClassVar[bool] = False
    """The resource is kept and listed, and nothing in the sandbox acts on it."""
    replaces: ClassVar[bool] = False
    """`update` may answer with another physical id: the resource has a successor."""
    always: ClassVar[bool] = False
    """Every update of the stack asks the resource: it knows of changes that its properties do not tell."""
    updatable: ClassVar[frozenset[str] | None] = None
    """Properties that `update` changes in place; None: all that are not create-only."""

    def check(self, logical_id: str, properties: dict[str, Any]) -> None:
        """Raises Invalid for properties that the sandbox does not implement."""
        faults = [
            f"#: key [{name}] is not implemented by the sandbox for {self.type}"
            for name in sorted(properties)
            if name in self.refused
        ]
        if faults:
            raise Invalid(logical_id, faults)

    def check_update(self, request: Request) -> None:
        """Raises ResourceFailed for a change that `update` does not make."""
        if self.updatable is None:
            return
        names = {*request.properties, *request.previous} - self.updatable - {"Tags"}
        changed = sorted(name for name in names if request.changed(name))
        if changed:
            raise ResourceFailed(
                f"Updating {', '.join(changed)} of {self.type} is not implemented by the sandbox"
            )

    def content(self, request: Request) -> str | None:
        """What makes the resource what it is besides its properties, for a rollback to bring back."""
        return None

    def create(self, request: Request) -> Made:
        raise NotImplementedError

    def update(self, request: Request) -> Made:
        """In-place update; types whose every property is create-only never get here but for tags."""
        raise ResourceFailed(f"{self.type} cannot be updated")

    def delete(self, request: Request) -> None:
        """Deletes; a resource that is already gone is no error."""
        raise NotImplementedError

    def wait(self, request: Request, made: Made) -> Made:
        """Blocks until the resource is usable; called after create and update."""
        return made


@contextmanager
def left_behind(made: Made) -> Iterator[None]:
    """Around what follows a creation: where it fails, `made` is there all the same, and is deleted when the
    stack turns back."""
    try:
        yield
    except Exception as error:
        if getattr(error, "made", None) is None:
            error.made = made  # type: ignore[attr-defined]
        raise


def resource_type(name: str) -> Any:
    """Registers a Handler class for a resource type."""

    def register(kind: type[Handler]) -> type[Handler]:
        kind.type = name
        HANDLERS[name] = kind()
        return kind

    return register
