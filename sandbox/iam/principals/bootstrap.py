"""The account's first users: created once, their keys kept in moto's records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources

from sandbox.iam.principals import records

PRINCIPALS = ("admin", "team", "engineer", "approver")
"""Users of a fresh account, each with the customer-managed policy `sagemaker-projects-<name>`."""

POLICY_PREFIX = "sagemaker-projects-"


@dataclass(frozen=True)
class Credentials:
    access_key: str
    secret_key: str


def policy_document(name: str) -> str:
    """The policy of one of the four principals, as JSON text."""
    return resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")


def bootstrap(account: str) -> dict[str, Credentials]:
    """Creates users, policies, keys and the root user's key where they are missing; returns all credentials.

    A policy document that changed with a new version of the sandbox becomes the policy's new default version.
    """
    backend = records.iam_backend(account)
    found = {"root": _root(account, backend)}
    for name in PRINCIPALS:
        _policy(account, backend, name)
        if name not in backend.users:
            backend.create_user(region_name="us-east-1", user_name=name, path="/", tags=[])
        user = backend.users[name]
        arn = _arn(account, name)
        if arn not in user.managed_policies:
            backend.attach_user_policy(arn, name)
        keys = [key for key in user.access_keys if key.status == "Active"] or [
            backend.create_access_key(name)
        ]
        found[name] = Credentials(keys[0].access_key_id, keys[0].secret_access_key)
    return found


def _arn(account: str, name: str) -> str:
    return f"arn:{records.PARTITION}:iam::{account}:policy/{POLICY_PREFIX}{name}"


def _policy(account: str, backend: object, name: str) -> None:
    document = json.dumps(json.loads(policy_document(name)))
    existing = backend.managed_policies.get(_arn(account, name))  # type: ignore[attr-defined]
    if existing is None:
        backend.create_policy(  # type: ignore[attr-defined]
            description="", path="/", policy_document=document, policy_name=POLICY_PREFIX + name, tags=[]
        )
    elif records.default_document(existing) != document:
        version = next(item for item in existing.versions if item.version_id == existing.default_version_id)
        version.document = document


def _root(account: str, backend: object) -> Credentials:
    """The root user's key: an access key of no user and no role."""
    from moto.iam.models import AccessKey

    keys = backend.access_keys  # type: ignore[attr-defined]
    for key in keys.values():
        if key.user_name is None and key.role_arn is None:
            return Credentials(key.access_key_id, key.secret_access_key)
    key = AccessKey(user_name=None, prefix="AKIA", account_id=account)  # type: ignore[abstract]
    keys[key.access_key_id] = key
    return Credentials(key.access_key_id, key.secret_access_key)
