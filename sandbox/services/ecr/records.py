"""The records of repositories, and how requests name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import POLICIES, TAGS, AwsError

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.operations import Call

Record = dict[str, Any]
KIND = "repository"
"""Records by name: the API's Repository under `Repository`, and `Policy`, `Lifecycle`, `Tags`."""


def find(call: Call, name: str, registry: str | None = None) -> Record:
    """The record of a repository; AwsError RepositoryNotFoundException where there is none."""
    record = call.records(KIND).get(name) if registry in (None, call.account) else None
    if record is None:
        raise AwsError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id "
            f"'{registry or call.account}'",
        )
    return record


def by_arn(call: Call, arn: str) -> tuple[str, Record]:
    """(name, record) of a repository by ARN."""
    name = arn.partition(":repository/")[2]
    if arn != call.arn(f"repository/{name}"):
        raise AwsError(
            "InvalidParameterException",
            "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'",
        )
    return name, find(call, name)


def answer(call: Call, name: str, **members: Any) -> Record:
    return {"registryId": call.account, "repositoryName": name, **members}


def _record(engine: Engine, account: str, region: str, arn: str) -> Record:
    return engine.records(account, region, "ecr", KIND).get(arn.partition(":repository/")[2]) or {}


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    return dict(_record(engine, account, region, arn).get("Tags", {}))


def _policy(engine: Engine, account: str, region: str, arn: str) -> str | None:
    return _record(engine, account, region, arn).get("Policy")


TAGS["ecr"] = _tags
POLICIES["ecr"] = _policy
