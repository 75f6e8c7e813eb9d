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
        name = asked.first("Name") or ""
        return _with_tags(
            asked, Check(action, (asked.arn("secretsmanager", f"secret:{name}-{secrets.token_hex(3)}"),))
        )
    identifier = asked.first("SecretId")
    if identifier is None:
        if operation == "ValidateResourcePolicy":
            return [Check(action, ("*",))]
        raise Unmapped(action, "the request names no secret")
    found = asked.locate("secretsmanager", "secret", identifier) if asked.locate else None
    return [Check(action, (found or identifier,))]


def _with_tags(asked: Asked, check: Check) -> list[Check]:
    """Tags given to a new secret need the permission to tag it."""
    if not asked.params.get("Tags"):
        return [check]
    return [check, Check("secretsmanager:TagResource", check.resources)]
