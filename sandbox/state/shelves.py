"""Where moto's backends keep their records: dictionaries, here called shelves.

A shelf is a dictionary of a backend, the tags of its tagger, or a dictionary inside a record that grows on
its own (the streams of a log group). What is on no shelf belongs to the backend itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Shelf = dict[Any, Any]
Place = tuple[str, ...]
"""The way from a backend to a shelf: attributes of objects, keys of dictionaries."""

NESTED = {"ssm": ("_resource_tags",)}
"""Attributes that are dictionaries of shelves."""
INSIDE = {("logs", "groups"): "streams"}
"""(service, shelf) → the attribute of its records that is a shelf of its own."""
GROWING = {"LogStream": "events"}
"""Class of a record → its list to which things are only added: what is new is written, not all of it."""
LEFT_OUT = {"iam": ("aws_managed_policies", "policy_arn_regex")}
"""Attributes that every backend makes for itself."""


def shelves(service: str, backend: Any) -> Iterator[tuple[Place, Shelf]]:
    """The shelves of a backend, without those inside records."""
    from moto.utilities.tagging_service import TaggingService

    nested = NESTED.get(service, ())
    for attribute, value in vars(backend).items():
        if attribute in nested:
            for name, shelf in list(value.items()):
                yield (attribute, name), shelf
        elif isinstance(value, dict):
            yield (attribute,), value
        elif isinstance(value, TaggingService):
            yield (attribute, "tags"), value.tags


def kept(service: str, place: Place, record: Any) -> bool:
    """Whether a record of a shelf is kept with it: the keys of role sessions are kept with their sessions."""
    return (service, place) != ("iam", ("access_keys",)) or record.role_arn is None


def at(backend: Any, place: Place) -> Shelf:
    """The shelf at a place."""
    found = backend
    for step in place:
        found = found[step] if isinstance(found, dict) else getattr(found, step)
    shelf: Shelf = found
    return shelf


def put(backend: Any, place: Place, shelf: Shelf) -> None:
    """Puts another shelf at a place."""
    holder = at(backend, place[:-1])
    if isinstance(holder, dict):
        holder[place[-1]] = shelf
    else:
        setattr(holder, place[-1], shelf)


def inside(service: str, place: Place) -> str | None:
    """The attribute of the records of a shelf that is a shelf itself."""
    return INSIDE.get((service, place[0])) if len(place) == 1 else None


def rest(service: str, backend: Any) -> dict[str, Any]:
    """What a backend holds on no shelf."""
    from moto.utilities.tagging_service import TaggingService

    left_out = LEFT_OUT.get(service, ())
    return {
        name: value
        for name, value in vars(backend).items()
        if name not in left_out and not isinstance(value, dict | TaggingService)
    }


def names(key: Any, record: Any) -> set[str]:
    """What requests call a record by."""
    found = {key, *(getattr(record, each, None) for each in ("name", "arn", "id"))}
    texts = {each for each in found if isinstance(each, str)}
    aliases = getattr(record, "aliases", None)
    return texts | {tail(text) for text in texts} | (set(aliases) if isinstance(aliases, dict) else set())


def mentioned(parameters: Any) -> Iterator[str]:
    """Every name that a request's parameters may mean."""
    if isinstance(parameters, str):
        if len(parameters) <= 2048:
            yield parameters
            yield tail(parameters)
    elif isinstance(parameters, dict):
        for value in parameters.values():
            yield from mentioned(value)
    elif isinstance(parameters, list):
        for value in parameters:
            yield from mentioned(value)


def tail(name: str) -> str:
    """The last part of an ARN or a path."""
    return name.rpartition("/")[2] if "/" in name else name.rpartition(":")[2]
