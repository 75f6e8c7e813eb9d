"""Temporary credentials of users and of federated users: what GetSessionToken and GetFederationToken issue.

Source: "Requesting temporary security credentials" in the IAM User Guide. They are kept on moto's access key.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.iam.principals import records
from sandbox.iam.principals.changes import changing


@dataclass
class Temporary:
    """`user_name` None: the account's root. `federated`: name of the federated user, None for the user.

    Times are seconds since the epoch.
    """

    user_name: str | None
    session_token: str
    issued: float
    expiration: float
    federated: str | None = None
    policies: tuple[str, ...] = ()
    policy_arns: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)


def issue(
    account: str,
    user_name: str | None,
    *,
    duration: int,
    federated: str | None = None,
    policy: str | None = None,
    policy_arns: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> Any:
    """moto's access key (access_key_id, secret_access_key), its `temporary` filled."""
    from moto.sts.utils import random_session_token

    now = time.time()
    with changing("iam"):
        key = records.iam_backend(account).create_temp_access_key()
        key.temporary = Temporary(
            user_name,
            random_session_token(),
            now,
            now + duration,
            federated,
            (policy,) if policy else (),
            tuple(policy_arns),
            dict(tags or {}),
        )
    return key
