"""The policies that a simulation is about: those handed in, and those of a user, group or role.

Source: "Testing IAM policies with the IAM policy simulator" in the IAM User Guide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from json.decoder import JSONDecoder
from typing import Any

from sandbox.engine.operations import AwsError
from sandbox.iam.documents import Document, MalformedPolicy, parse
from sandbox.iam.principals.records import default_document, iam_backend, role_of


@dataclass(frozen=True)
class Source:
    """One policy: its text, how the simulator names it, and its SourcePolicyType."""

    id: str
    kind: str
    text: str

    @property
    def document(self) -> Document:
        return parse(self.text, self.id)

    def spans(self) -> list[tuple[int, int]]:
        """Where each statement starts and ends in the text."""
        return _spans(self.text)


def inputs(texts: list[str] | None, name: str = "PolicyInputList", kind: str = "none") -> list[Source]:
    """Policies of a request's list; AwsError InvalidInput for one that is none."""
    found = [Source(f"{name}.{number}", kind, text) for number, text in enumerate(texts or [], 1)]
    for source in found:
        try:
            source.spans()
            parse(source.text, source.id)
        except (MalformedPolicy, ValueError) as error:
            text = f"Invalid Input {source.id}: it is not a policy in JSON."
            raise AwsError("InvalidInput", text, status=400) from error
    return found


@dataclass(frozen=True)
class Subject:
    """An entity with the policies that apply to it. `boundary`: its permissions boundary."""

    arn: str
    sources: list[Source]
    boundary: list[Source]


def subject(account: str, arn: str) -> Subject:
    """The user, group or role that an ARN names, a user with the policies of its groups. NoSuchEntity."""
    backend = iam_backend(account)
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    name = name.rsplit("/", 1)[-1]
    holder: Any = None
    if kind == "user":
        holder = backend.users.get(name)
    elif kind == "group":
        holder = backend.groups.get(name)
    elif kind == "role":
        holder = role_of(account, arn)
    if holder is None or holder.arn != arn:
        raise AwsError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", status=404)
    sources = _of(holder, kind)
    if kind == "user":
        for group in list(backend.groups.values()):
            if holder in group.users:
                sources += _of(group, "group")
    boundary = backend.managed_policies.get(getattr(holder, "permissions_boundary_arn", None))
    return Subject(arn, sources, [] if boundary is None else [_managed(boundary)])


def _of(holder: Any, kind: str) -> list[Source]:
    own = [Source(f"{kind}_{holder.name}_{name}", kind, text) for name, text in list(holder.policies.items())]
    return own + [_managed(item) for item in list(holder.managed_policies.values())]


def _managed(item: Any) -> Source:
    kind = "aws-managed" if ":iam::aws:" in item.arn else "user-managed"
    return Source(item.name, kind, default_document(item))


def _spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each statement. ValueError for what is no JSON object with a Statement."""
    decoder, at = JSONDecoder(), _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("no object")
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == "Statement":
            return _elements(decoder, text, at)
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at : at + 1] == "," else at
    raise ValueError("no Statement")


def _elements(decoder: JSONDecoder, text: str, at: int) -> list[tuple[int, int]]:
    if text[at] != "[":
        return [(at, decoder.raw_decode(text, at)[1])]
    found, at = [], _skip(text, at + 1)
    while text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        found.append((at, end))
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def statements(source: Source) -> list[dict[str, Any]]:
    """The statements as they are written."""
    body = json.loads(source.text)["Statement"]
    return list(body) if isinstance(body, list) else [body]
