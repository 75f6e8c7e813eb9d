"""What changed a reference is told once, also by the next process where a kill came between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sandbox.services.events  # a listener of all events  # noqa: F401
from sandbox.engine import events, git
from sandbox.engine.engine import Engine, Settings
from sandbox.iam.principals import Principal
from sandbox.services.codecommit import pushes

ACCOUNT, REGION, NAME = "123456789012", "us-east-1", "told"
KEY = f"{ACCOUNT}/{REGION}/{NAME}"
USER = f"arn:aws:iam::{ACCOUNT}:user/engineer"
PRINCIPAL = Principal(kind="user", account=ACCOUNT, arn=USER, id="AIDA")


def commit(path: Path, branch: str) -> str:
    who = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    tree = git.run(["mktree"], path, data=b"").decode().strip()
    made = git.run(["commit-tree", tree, "-m", branch], path, environment=who).decode().strip()
    git.run(["update-ref", f"refs/heads/{branch}", made], path)
    return made


def told(engine: Engine) -> list[dict[str, Any]]:
    tasks = engine.store.items("engine/task")
    return [task["payload"]["detail"] for _, task in tasks if task["name"] == "events.listen"]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    # One listener of all events, whichever rooms other tests of this process have loaded.
    only = {
        name: one for name, one in events.LISTENERS.items() if name.startswith("sandbox.services.events.")
    }
    assert len(only) == 1
    monkeypatch.setattr(events, "LISTENERS", only)
    engine = Engine(Settings(tmp_path))
    engine.git.create(engine.git.path(ACCOUNT, REGION, NAME))
    arn = f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{NAME}"
    record = {"repositoryName": NAME, "repositoryId": "1", "Arn": arn}
    engine.records(ACCOUNT, REGION, "codecommit", "repository").put(NAME, record)
    return engine


def test_a_change_is_told_once(engine: Engine) -> None:
    with pushes.telling(engine, PRINCIPAL, REGION, NAME):
        made = commit(engine.git.path(ACCOUNT, REGION, NAME), "main")
    pushes.tell(engine, KEY, {})
    [detail] = told(engine)
    assert (detail["event"], detail["commitId"]) == ("referenceCreated", made)
    assert engine.tasks.pending(pushes.TELL) == []


def test_what_a_kill_left_untold_is_told_by_the_next_process(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(pushes, "_tell", lambda *_: None)
        with pushes.telling(engine, PRINCIPAL, REGION, NAME):
            first = commit(engine.git.path(ACCOUNT, REGION, NAME), "main")
    engine.store.close()
    following = Engine(Settings(tmp_path))
    assert following.tasks.pending(pushes.TELL) == [KEY] and told(following) == []
    # A further push comes first: neither change hides the other.
    with pushes.telling(following, PRINCIPAL, REGION, NAME):
        second = commit(following.git.path(ACCOUNT, REGION, NAME), "other")
    pushes.tell(following, KEY, {})
    details = told(following)
    assert [detail["commitId"] for detail in details] == [first, second]
    assert {detail["callerUserArn"] for detail in details} == {USER}


def test_a_block_that_fails_tells_what_it_changed(engine: Engine) -> None:
    with pytest.raises(RuntimeError), pushes.telling(engine, PRINCIPAL, REGION, NAME):
        commit(engine.git.path(ACCOUNT, REGION, NAME), "main")
        raise RuntimeError
    assert len(told(engine)) == 1
