"""Runs actions on a graph: each node after all it waits for, independent ones side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

WORKERS = 8


def run_in_order(
    edges: Mapping[str, list[str]],
    action: Callable[[str], bool],
    *,
    stop: threading.Event | None = None,
    keep_going: bool = False,
) -> list[str]:
    """Runs `action` on every node; returns those that failed (answered False).

    After a failure nothing new starts and `stop` is set for those running, unless `keep_going`: then only
    what waits for the failed node is left out. An exception of an action is raised once all have ended.
    """
    left = {name: {item for item in wanted if item in edges} for name, wanted in edges.items()}
    running: dict[Future[bool], str] = {}
    failed: list[str] = []
    raised: list[BaseException] = []
    with ThreadPoolExecutor(min(WORKERS, max(len(left), 1)), thread_name_prefix="stack") as pool:
        while True:
            halted = bool(raised) or (bool(failed) and not keep_going) or (stop is not None and stop.is_set())
            if not halted:
                for name in [name for name, wanted in left.items() if not wanted]:
                    del left[name]
                    running[pool.submit(action, name)] = name
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                error = future.exception()
                if error is not None:
                    raised.append(error)
                elif future.result():
                    for wanted in left.values():
                        wanted.discard(name)
                    continue
                else:
                    failed.append(name)
                if stop is not None and not keep_going:
                    stop.set()
    if raised:
        raise raised[0]
    return failed


def reversed_edges(edges: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """For every node those that wait for it: the order of deletion."""
    result: dict[str, list[str]] = {name: [] for name in edges}
    for name, wanted in edges.items():
        for item in wanted:
            if item in result:
                result[item].append(name)
    return result
