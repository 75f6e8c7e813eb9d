"""Secrets Manager: a secret is authorized by its whole ARN, whatever the request calls it.

A secret that is yet to be made has its random end already when CreateSecret is decided; one that does not
exist is what the request calls it, so that only `*` allows to be told so.
"""

from __future__ import annotations

import secrets

from sandbox.iam.actions.check import Asked, Check, Unmapped

_WITHOUT = frozenset(("BatchGetSecretValue", "GetRandomPassword", "ListSecrets"))


def checks(asked: Asked) -> list[Check]:
    operation = asked.operation
    action = f"secretsmanager:{operation}"
    if operation in _WITHOUT:
        return [Check(action, ("*",))]
    if operation == "CreateSecret":
        name = f"secret:{asked.first('Name') or ''}-{secrets.token_hex(3)}"
        return [Check(action, (asked.arn("secretsmanager", name),))]
    identifier = asked.first("SecretId")
    if identifier is None:
        if operation == "ValidateResourcePolicy":
            return [Check(action, ("*",))]
        raise Unmapped(action, "the request names no secret")
    found = asked.locate("secretsmanager", "secret", identifier) if asked.locate else None
    return [Check(action, (found or identifier,))]
