"""`#{namespace.name}` in action and rule configurations.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.services.codepipeline.action_types import VARIABLE

Namespaces = Mapping[str, Mapping[str, str]]


class UnresolvedVariable(Exception):
    """A reference that names no variable of this execution."""


def resolve(text: str, namespaces: Namespaces) -> str:
    """`text` with every reference replaced by its value; values are not searched again."""
    parts: list[str] = []
    position = 0
    for match in VARIABLE.finditer(text):
        namespace, name = match.groups()
        if name not in namespaces.get(namespace, {}):
            raise UnresolvedVariable(f"{namespace}.{name}")
        parts += [text[position : match.start()], namespaces[namespace][name]]
        position = match.end()
    return "".join([*parts, text[position:]])


def resolve_all(configuration: Mapping[str, str], namespaces: Namespaces) -> dict[str, str]:
    return {name: resolve(value, namespaces) for name, value in configuration.items()}
