"""Kinds of records that differ in their members only: made, described, changed, listed, deleted alike."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker import tags
from sandbox.services.sagemaker.listing import filter_by_request, paged, sort

Record = dict[str, Any]
NOT_FOUND, IN_USE, CONFLICT, INVALID = (
    "ResourceNotFound",
    "ResourceInUse",
    "ConflictException",
    "ValidationException",
)


def _nothing(call: Call, record: Record) -> Record:
    return {}


def _allowed(call: Call, record: Record) -> None:
    return None


@dataclass(frozen=True)
class Kind:
    """`noun`: as in CreateImage. `listed`: its plural in the list operation, `summaries`: the list's member.

    `made`: further members of a new record; `deletable` raises AwsError for a record that must stay.
    `under`: the member that names what it lives in. `equals`: filters of the list, member → record's member.
    `missing`, `exists`: error codes. `context`: whether CreatedBy and LastModifiedBy are told.
    """

    noun: str
    stem: str
    listed: str
    summaries: str
    name: str = ""
    arn: str = ""
    missing: str = NOT_FOUND
    exists: str = IN_USE
    under: str = ""
    equals: Mapping[str, str] = field(default_factory=dict)
    made: Callable[[Call, Record], Record] = _nothing
    changed: Callable[[Call, Record], Record] = _nothing
    deletable: Callable[[Call, Record], None] = _allowed
    changes: bool = True
    context: bool = False

    @property
    def name_member(self) -> str:
        return self.name or f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        return self.arn or f"{self.noun}Arn"

    def key(self, request: Mapping[str, Any]) -> str:
        own = str(request[self.name_member])
        return f"{request[self.under]}/{own}" if self.under else own

    def records(self, call: Call) -> Any:
        return call.records(f"kept/{self.stem}")


def find(call: Call, kind: Kind, key: str, code: str = "") -> Record:
    """The record of a name; AwsError in `code`, else the kind's, where there is none."""
    record: Record | None = kind.records(call).get(key)
    if record is None:
        arn = call.arn(f"{kind.stem}/{key.lower()}")
        raise AwsError(code or kind.missing, f'Could not find {kind.noun} "{arn}".')
    return record


@functools.cache
def members(name: str, direction: str, inside: str = "") -> frozenset[str]:
    """The members of an operation's `input_shape` or `output_shape`, or of the items of a list in it."""
    from moto.core.utils import get_service_model

    shape = getattr(get_service_model("sagemaker").operation_model(name), direction)
    if inside:
        shape = shape.members[inside].member
    return frozenset(shape.members) if shape is not None else frozenset()


def shown(record: Record, name: str, inside: str = "") -> Record:
    """The members of a record that the answer of an operation has."""
    known = members(name, "output_shape", inside)
    return {member: value for member, value in record.items() if member in known}


def create(call: Call, kind: Kind, request: Record) -> Record:
    """Makes a record; AwsError where one of its name exists. Gives the record."""
    key = kind.key(request)
    arn = call.arn(f"{kind.stem}/{key.lower()}")
    now = call.engine.clock.now()
    with call.engine.store.transaction():
        if kind.records(call).get(key) is not None:
            raise AwsError(kind.exists, f"{kind.noun} {arn} already exists.")
        record: Record = {member: value for member, value in request.items() if member != "Tags"}
        record |= {kind.arn_member: arn, "CreationTime": now, "LastModifiedTime": now}
        if kind.context:
            record |= {"CreatedBy": _user(call), "LastModifiedBy": _user(call)}
        record |= kind.made(call, record)
        kind.records(call).put(kind.key(record), record)
        tags.put(call, record[kind.arn_member], request.get("Tags"))
    return record


def change(call: Call, kind: Kind, request: Record) -> Record:
    """Puts the given members over a record; gives it."""
    with call.engine.store.transaction():
        record = find(call, kind, kind.key(request))
        record |= request | {"LastModifiedTime": call.engine.clock.now()}
        if kind.context:
            record["LastModifiedBy"] = _user(call)
        record |= kind.changed(call, record)
        kind.records(call).put(kind.key(record), record)
    return record


def remove(call: Call, kind: Kind, request: Record) -> Record:
    with call.engine.store.transaction():
        record = find(call, kind, kind.key(request))
        kind.deletable(call, record)
        kind.records(call).delete(kind.key(record))
        tags.forget(call, record[kind.arn_member])
    return record


def _user(call: Call) -> Record:
    from sandbox.services.sagemaker.users import user_context

    return user_context(call)


_OTHER_NAMES = {"Created": "CreationTime", "ModifiedTime": "LastModifiedTime"}
"""How some list operations call the bounds of times."""


def listing(call: Call, kind: Kind, request: Record) -> Record:
    """The answer of a list operation."""
    operation_name = f"List{kind.listed}"
    asked = dict(request)
    for short, full in _OTHER_NAMES.items():
        for end in ("After", "Before"):
            if f"{short}{end}" in asked:
                asked[f"{full}{end}"] = asked.pop(f"{short}{end}")
    asked["NameContains"] = asked.get("NameContains") or asked.get(f"{kind.noun}NameContains")
    found = filter_by_request(kind.records(call).list(), asked, kind.name_member)
    for member, its in kind.equals.items():
        if request.get(member) is not None:
            found = [record for record in found if record.get(its) == request[member]]
    by = request.get("SortBy") or "CreationTime"
    member = {"Name": kind.name_member, "CREATION_TIME": "CreationTime", "IMAGE_NAME": kind.name_member}.get(
        by, by
    )
    order = (request.get("SortOrder") or "Descending").capitalize()
    ordered = sort(found, lambda record: record.get(member) or record["CreationTime"], order, "Descending")
    items = [shown(record, operation_name, kind.summaries) for record in ordered]
    return paged(kind.summaries, items, request)


def serve(kind: Kind) -> None:
    """Registers the operations of a kind."""

    @operation("sagemaker", f"Create{kind.noun}", record_only=True)
    def create_operation(call: Call, **request: Any) -> Record:
        return shown(create(call, kind, request), f"Create{kind.noun}")

    @operation("sagemaker", f"Describe{kind.noun}", record_only=True)
    def describe_operation(call: Call, **request: Any) -> Record:
        return shown(find(call, kind, kind.key(request)), f"Describe{kind.noun}")

    @operation("sagemaker", f"Delete{kind.noun}", record_only=True)
    def delete_operation(call: Call, **request: Any) -> Record:
        return shown(remove(call, kind, request), f"Delete{kind.noun}")

    @operation("sagemaker", f"List{kind.listed}", record_only=True)
    def list_operation(call: Call, **request: Any) -> Record:
        return listing(call, kind, request)

    if kind.changes:

        @operation("sagemaker", f"Update{kind.noun}", record_only=True)
        def update_operation(call: Call, **request: Any) -> Record:
            return shown(change(call, kind, request), f"Update{kind.noun}")
