"""Things gathered for a moment and then handed over: metrics of invocations, captured data.

Each is in a file before its request is answered, and a durable task hands the files over: a killed sandbox
loses none. It costs a request one write; the task is queued once for all that come until it runs.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import task

log = logging.getLogger(__name__)

TASK = "sagemaker-runtime.gathered"
Json = dict[str, Any]
HandOver = Callable[[Engine, str, list[Json]], None]
"""`(engine, id, items)`: the same id where a killed sandbox had begun to hand over the same items."""
KINDS: dict[str, tuple[float, HandOver]] = {}
"""By name: seconds for which things are gathered, and what takes them."""
_GATHERERS: weakref.WeakKeyDictionary[Engine, dict[str, _Gatherer]] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def gathered(name: str, seconds: float) -> Callable[[HandOver], HandOver]:
    """Registers what takes the things gathered under a name."""

    def register(function: HandOver) -> HandOver:
        KINDS[name] = (seconds, function)
        return function

    return register


def add(engine: Engine, name: str, item: Json) -> None:
    """Keeps one thing; costs microseconds. A disk that is full stands in the way of no answer."""
    try:
        first = _of(engine, name).add(item)
    except OSError:
        log.exception("%s could not be kept", name)
        return
    if first:
        engine.tasks.submit(TASK, name, after=KINDS[name][0])


@task(TASK)
def hand_over(engine: Engine, key: str, payload: Json) -> None:
    for file in _of(engine, key).closed():
        # A kill may have cut the last line off: its request was not answered.
        lines = file.read_bytes().split(b"\n")[:-1]
        if lines:
            KINDS[key][1](engine, file.stem, [json.loads(line) for line in lines])
        file.unlink()


class _Gatherer:
    """The files of one name. Files of an earlier process are handed over with this one's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None

    def add(self, item: Json) -> bool:
        """Whether it is the first of its file."""
        line = json.dumps(item, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            first = self._file is None
            if self._file is None:
                self._file = (self._folder / f"{uuid.uuid4()}.jsonl").open("ab", buffering=0)
            self._file.write(line)
        return first

    def closed(self) -> list[Path]:
        """All files, to none of which anything is added any more."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            return sorted(self._folder.glob("*.jsonl"), key=lambda file: file.stat().st_mtime_ns)


def _of(engine: Engine, name: str) -> _Gatherer:
    with _LOCK:
        mine = _GATHERERS.setdefault(engine, {})
        if name not in mine:
            mine[name] = _Gatherer(engine.folder("gathered", name))
        return mine[name]
