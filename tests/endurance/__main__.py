"""`make endurance`: kills, a crowd, a hundred projects; prints what was found and fails where a limit is broken.

`python -m tests.endurance [--only kills|crowd|hundred] [--kills N] [--seed N] [--projects N] [--commits N]
[--hundred N]`
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.endurance import crowd, hundred
from tests.endurance.killed_loop import KilledLoop, failed_tasks, server_errors
from tests.endurance.killing import STAGES, Kill, plan
from tests.endurance.machine import busy, load
from tests.endurance.patient import PatientSandbox
from tests.sandbox_process import SandboxProcess

KILLS_A_LOOP = 8
RECOVERY_SECONDS = 5.0
"""Median, from the restart to an answer; on a machine that is busy with other things, of CPU."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance")
    parser.add_argument("--only", choices=("kills", "crowd", "hundred"))
    parser.add_argument("--kills", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--projects", type=int, default=20)
    parser.add_argument("--commits", type=int, default=3)
    parser.add_argument("--hundred", type=int, default=100)
    arguments = parser.parse_args()
    parts = [arguments.only] if arguments.only else ["kills", "crowd", "hundred"]
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="endurance-", ignore_cleanup_errors=True) as folder:
        for part in parts:
            place = Path(folder) / part
            place.mkdir()
            if part == "kills":
                wrong += _kills(place, arguments.seed, arguments.kills)
            elif part == "crowd":
                wrong += _crowd(place, arguments.projects, arguments.commits)
            else:
                wrong += _hundred(place, arguments.hundred)
    for line in wrong:
        print(f"NOT HELD  {line}")
    sys.exit(bool(wrong))


def _say(text: str) -> None:
    print(text, flush=True)


def _kills(folder: Path, seed: int, wanted: int) -> list[str]:
    kills: list[Kill] = []
    wrong: list[str] = []
    loops = 0
    while len(kills) < wanted:
        place = folder / str(loops)
        place.mkdir()
        sandbox = PatientSandbox(place / "state")
        try:
            count = min(KILLS_A_LOOP, wanted - len(kills))
            loop = KilledLoop(sandbox, place, seed + loops, plan(seed + loops, count))
            began = time.monotonic()
            loop.run()
            kills += loop.kills
            wrong += [f"lost: {line}" for line in loop.lost]
            wrong += [f"doubled: {line}" for line in loop.doubled]
            wrong += [f"task set aside: {line}" for line in failed_tasks(sandbox)]
            wrong += [f"log: {line}" for line in server_errors(sandbox)]
            seconds = time.monotonic() - began
            _say(f"loop {loops}, seed {seed + loops}: {len(loop.kills)} kills, {seconds:.0f} s, {load()}")
        finally:
            sandbox.stop()
        loops += 1
    _report(kills, wrong)
    healthy = statistics.median(kill.cpu if busy() else kill.healthy for kill in kills)
    if healthy > RECOVERY_SECONDS:
        wrong.append(f"median recovery {healthy:.1f} s, limit {RECOVERY_SECONDS} s")
    return wrong


def _report(kills: list[Kill], wrong: list[str]) -> None:
    _say(f"\n{'stage':12}{'kills':>6}  {'answering':>10}{'serving':>10}  under way")
    for stage in STAGES:
        of_stage = [kill for kill in kills if kill.stage == stage]
        if of_stage:
            under_way = sorted({task for kill in of_stage for task in kill.tasks})
            serving = [kill.serving for kill in of_stage if kill.serving is not None]
            seconds = statistics.median(kill.healthy for kill in of_stage)
            shown = f"{statistics.median(serving):8.1f} s" if serving else f"{'-':>10}"
            _say(f"{stage:12}{len(of_stage):6}  {seconds:8.1f} s{shown}  {', '.join(under_way)}")
    by = {kind: sum(kill.point.by == kind for kill in kills) for kind in ("commit", "answer", "time")}
    _say(f"{len(kills)} kills: " + ", ".join(f"{count} by {kind}" for kind, count in by.items()))
    _spread("answering again", [kill.healthy for kill in kills])
    _spread("answering again, CPU", [kill.cpu for kill in kills])
    _spread("serving again", [kill.serving for kill in kills if kill.serving is not None])
    lost = sum(line.startswith("lost") for line in wrong)
    doubled = sum(line.startswith("doubled") for line in wrong)
    _say(f"lost {lost}, doubled {doubled}; {load()}\n")


def _spread(what: str, seconds: list[float]) -> None:
    if seconds:
        ordered = sorted(seconds)
        late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        _say(
            f"{what}: median {statistics.median(ordered):.1f} s, p95 {late:.1f} s, longest {ordered[-1]:.1f} s"
        )


def _crowd(folder: Path, projects: int, commits: int) -> list[str]:
    sandbox = SandboxProcess(folder / "state")
    try:
        result = crowd.run(sandbox, folder, hundred.published(sandbox), projects, commits)
    finally:
        sandbox.stop()
    _say(
        f"{projects} projects, {commits} commits each at once: {result.executions} executions in "
        f"{result.seconds:.0f} s (provisioned in {result.provision_seconds:.0f} s), "
        f"{result.megabytes:.0f} MB at most; {load()}\n"
    )
    if result.megabytes > crowd.MEGABYTES:
        result.wrong.append(f"memory {result.megabytes:.0f} MB, cap {crowd.MEGABYTES:.0f} MB")
    return result.wrong


def _hundred(folder: Path, projects: int) -> list[str]:
    def shown(number: int, seconds: float) -> None:
        if number % 10 == 0:
            _say(f"project {number}: {seconds:.1f} s, {load()}")

    result = hundred.run(folder, projects, shown)
    for name, of in hundred.MEASURES.items():
        first = statistics.median(of(cost) for cost in result.fresh)
        last = statistics.median(of(cost) for cost in result.crowded[-len(result.fresh) :])
        alone = statistics.median(of(cost) for cost in result.crowded[1 : hundred.SAMPLE])
        _say(
            f"{projects} projects, {name} to provision: the last {last:.2f}, in turn with a fresh sandbox's "
            f"first {first:.2f}: {result.ratio(of):.2f} (minutes before, this one's first took {alone:.2f})"
        )
    for name, (before, after) in result.looks.items():
        _say(f"{name:34}{before * 1000:8.1f} ms, with all {after * 1000:8.1f} ms")
    _say(
        f"start with {projects} projects: {result.start[0]:.1f} s ({result.start[1]:.1f} s of CPU); "
        f"{result.megabytes:.0f} MB; {load()}\n"
    )
    return hundred.slower(result)


if __name__ == "__main__":
    main()
