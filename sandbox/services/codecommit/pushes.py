"""What a push or a commit made through the API changed: told to EventBridge as CodeCommit does.

Event forms: "Monitoring CodeCommit events in Amazon EventBridge", CodeCommit user guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import task
from sandbox.iam.principals import Principal

TELL = "codecommit.tell"
UNTOLD = 10.0
"""Seconds after which a change that is still untold is looked for: its sandbox was killed meanwhile."""
_KINDS = {"refs/heads/": "branch", "refs/tags/": "tag"}


@contextmanager
def telling(engine: Engine, principal: Principal, region: str, repository: str) -> Iterator[None]:
    """One "CodeCommit Repository State Change" event for each reference that the block changes.

    git moves references in its own files: what they were is written down first, so that a change is told
    although the sandbox is killed between the change and the event. One writer a repository.
    """
    key = f"{principal.account}/{region}/{repository}"
    path = engine.git.path(principal.account, region, repository)
    with engine.git.lock(path):
        _tell(engine, key)
        untold = {"before": engine.git.refs(path), "caller": principal.caller_arn}
        with engine.store.transaction():
            engine.records(principal.account, region, "codecommit", "untold").put(repository, untold)
            engine.tasks.submit(TELL, key, after=UNTOLD)
        try:
            yield
        finally:
            _tell(engine, key)


@task(TELL)
def tell(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    account, region, repository = key.split("/")
    with engine.git.lock(engine.git.path(account, region, repository)):
        _tell(engine, key)


def _tell(engine: Engine, key: str) -> None:
    account, region, repository = key.split("/")
    records = engine.records(account, region, "codecommit", "repository")
    open_changes = engine.records(account, region, "codecommit", "untold")
    untold, metadata = open_changes.get(repository), records.get(repository)
    if untold is None:
        return
    before = untold["before"]
    after = engine.git.refs(engine.git.path(account, region, repository)) if metadata else before
    with engine.store.transaction():
        open_changes.delete(repository)
        engine.tasks.cancel(TELL, key)
        if metadata is None or before == after:
            return
        records.put(repository, metadata | {"lastModifiedDate": engine.clock.now()})
        for ref in sorted(before.keys() | after.keys()):
            if before.get(ref) != after.get(ref):
                engine.events.put(
                    account,
                    region,
                    source="aws.codecommit",
                    detail_type="CodeCommit Repository State Change",
                    resources=[metadata["Arn"]],
                    detail=_detail(ref, before.get(ref), after.get(ref), metadata, untold["caller"]),
                )


def _detail(
    ref: str, old: str | None, new: str | None, metadata: dict[str, Any], caller: str
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
        "callerUserArn": caller,
    }
    if new:
        detail["commitId"] = new
    if old:
        detail["oldCommitId"] = old
    return detail
