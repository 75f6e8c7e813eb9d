"""AWS's own managed policies (`arn:aws:iam::aws:policy/…`), as moto carries them.

There are more than a thousand: each becomes a record when a request first names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

PREFIX = "arn:aws:iam::aws:policy/"


def named(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The ARNs of AWS's managed policies in a request."""
    return frozenset(_arns(parameters))


def _arns(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith(PREFIX):
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _arns(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _arns(item)


def provide(account: str, arns: frozenset[str]) -> None:
    """Makes records of these policies in IAM; one that AWS does not have stays unknown. Under IAM's lock."""
    from sandbox.iam.principals.records import PARTITION, iam_backend

    backend = iam_backend(account)
    lacking = [arn for arn in arns if arn not in backend.managed_policies]
    if not lacking:
        return
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy

    published = json.loads(aws_managed_policies_data)
    for arn in lacking:
        name = arn.rsplit("/", 1)[-1]
        data = published.get(name)
        if data is None:
            continue
        policy = AWSManagedPolicy.from_data(name, account, PARTITION, data)
        if policy.arn == arn:
            backend.managed_policies[arn] = policy
