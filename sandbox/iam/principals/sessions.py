"""Role sessions: what moto does not keep of AssumeRole is kept on its own record."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.iam.principals import records
from sandbox.iam.principals.changes import changing

_PRUNE_AT = 256
_left: dict[str, int] = {}
"""Sessions that the last pruning of an account left: it is not looked through again before there are twice as
many."""


def open_session(
    role_arn: str,
    session_name: str,
    *,
    region: str,
    duration: int = 3600,
    policy: str | None = None,
    policy_arns: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    transitive: Sequence[str] = (),
    source_identity: str | None = None,
) -> Any:
    """Issues temporary credentials of a role (moto's AssumedRole: access_key_id, secret_access_key,
    session_token, expiration, arn, user_id). Whether the caller may is decided before, in `gate` or
    `trust`. `transitive`: keys of the tags that sessions opened with this one keep."""
    account = role_arn.split(":")[4]
    backend = records.sts_backend(account)
    with changing("iam", "sts"):
        if len(backend.assumed_roles) >= max(_PRUNE_AT, 2 * _left.get(account, 0)):
            _prune(account, backend)
            _left[account] = len(backend.assumed_roles)
        session = backend.assume_role(
            region_name=region,
            role_session_name=session_name,
            role_arn=role_arn,
            policy=policy,
            duration=duration,
            external_id=None,
        )
        session.policy_arns = tuple(policy_arns)
        session.tags = dict(tags or {})
        session.transitive = tuple(transitive)
        session.source_identity = source_identity
        session.issued = time.time()
    return session


def _prune(account: str, backend: Any) -> None:
    """Drops sessions long past their time, so that a sandbox that runs for days does not grow.

    An hour's grace keeps the answer ExpiredToken for those that have just run out.
    """
    limit = time.time() - 3600
    kept = [session for session in backend.assumed_roles if records.epoch(session.expiration) > limit]
    if len(kept) == len(backend.assumed_roles):
        return
    keys = records.iam_backend(account).access_keys
    for key in list(keys.values()):
        if getattr(key, "temporary", None) is not None and key.temporary.expiration <= limit:
            del keys[key.access_key_id]
    for session in backend.assumed_roles:
        if records.epoch(session.expiration) <= limit:
            keys.pop(session.access_key_id, None)
    backend.assumed_roles[:] = kept
    records.forget_sessions()
