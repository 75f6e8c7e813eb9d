"""What is gathered for a moment, metrics and captured data, outlives a sandbox that is killed meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.engine import Engine, Settings
from sandbox.services.sagemaker_runtime import background


def test_what_a_killed_sandbox_had_gathered_is_handed_over_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[tuple[str, list[dict[str, Any]]]] = []
    done = threading.Event()

    def take(_: Engine, identifier: str, items: list[dict[str, Any]]) -> None:
        handed.append((identifier, items))
        done.set()

    monkeypatch.setitem(background.KINDS, "test", (0.05, take))
    killed = Engine(Settings(tmp_path))
    for number in range(3):
        background.add(killed, "test", {"n": number})
    [file] = (tmp_path / "gathered" / "test").iterdir()
    with file.open("ab") as torn:
        torn.write(b'{"n": 3')
    after = Engine(Settings(tmp_path))
    after.start()
    assert done.wait(20)
    assert handed == [(file.stem, [{"n": 0}, {"n": 1}, {"n": 2}])]
    done.clear()
    background.add(after, "test", {"n": 4})
    assert done.wait(20)
    assert handed[1][1] == [{"n": 4}]
    after.stop()


def test_a_hand_over_that_fails_is_done_again_under_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifiers: list[str] = []
    done = threading.Event()

    def take(_: Engine, identifier: str, items: list[dict[str, Any]]) -> None:
        identifiers.append(identifier)
        if len(identifiers) == 1:
            raise OSError("the disk is full")
        done.set()

    monkeypatch.setitem(background.KINDS, "test", (0.0, take))
    engine = Engine(Settings(tmp_path))
    engine.start()
    background.add(engine, "test", {"n": 0})
    assert done.wait(20)
    assert identifiers[0] == identifiers[1]
    engine.stop()
