"""What a push or a commit made through the API changed: told to EventBridge as CodeCommit does.

Event forms: "Monitoring CodeCommit events in Amazon EventBridge", CodeCommit user guide.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.iam.principals import Principal

_KINDS = {"refs/heads/": "branch", "refs/tags/": "tag"}


def record(
    engine: Engine,
    principal: Principal,
    region: str,
    repository: str,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    """One "CodeCommit Repository State Change" event for each reference that differs."""
    records = engine.records(principal.account, region, "codecommit", "repository")
    with engine.store.transaction():
        metadata = records.get(repository)
        if metadata is None:
            return
        records.put(repository, metadata | {"lastModifiedDate": engine.clock.now()})
        for ref in sorted(before.keys() | after.keys()):
            if before.get(ref) != after.get(ref):
                detail = _detail(ref, before.get(ref), after.get(ref), metadata, principal)
                engine.events.put(
                    principal.account,
                    region,
                    source="aws.codecommit",
                    detail_type="CodeCommit Repository State Change",
                    resources=[metadata["Arn"]],
                    detail=detail,
                )


def _detail(
    ref: str, old: str | None, new: str | None, metadata: dict[str, Any], principal: Principal
) -> dict[str, Any]:
    prefix = next((prefix for prefix in _KINDS if ref.startswith(prefix)), "")
    event = "referenceCreated" if old is None else "referenceDeleted" if new is None else "referenceUpdated"
    detail = {
        "event": event,
        "repositoryName": metadata["repositoryName"],
        "repositoryId": metadata["repositoryId"],
        "referenceType": _KINDS.get(prefix, "branch"),
        "referenceName": ref.removeprefix(prefix),
        "referenceFullName": ref,
        "callerUserArn": principal.caller_arn,
    }
    if new:
        detail["commitId"] = new
    if old:
        detail["oldCommitId"] = old
    return detail
