"""`make fuzz FUZZ_ARGS="--rounds 50 --only codebuild --seed 7"`: exits 1 where an answer is wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.sandbox.fuzz import run
from tests.sandbox.fuzz.sender import Sender
from tests.sandbox_process import SandboxProcess


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--rounds", type=int, default=20, help="requests of each kind to each operation")
    parser.add_argument("--minutes", type=float, default=30.0, help="stop after")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", action="append", default=[], help="part of service:Operation; may be repeated"
    )
    parser.add_argument("--without-moto", action="store_true", help="operations of our own alone")
    parser.add_argument("--codes", action="store_true", help="print how each operation answered")
    arguments = parser.parse_args()
    names = run.ours() | (set() if arguments.without_moto else run.of_moto())
    if arguments.only:
        names = set().union(*(run.one_of(names, text) for text in arguments.only))
    end = time.monotonic() + 60 * arguments.minutes
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as folder:
        process = SandboxProcess(Path(folder))
        try:
            report = run.fuzz(
                Sender(process),
                names,
                seed=arguments.seed,
                rounds=arguments.rounds,
                going_on=lambda: time.monotonic() < end,
            )
        finally:
            process.stop()
    if arguments.codes:
        for (name, code), count in sorted(report.codes.items()):
            print(f"{name:60} {code:45} {count}")
    for line in report.lines():
        print(line)
    for line in report.missing:
        print(f"not made beforehand: {line}")
    print(
        f"{report.sent} requests to {len(names)} operations, {len(report.succeeded)} of them with success at"
        f" least once; {len(report.found)} kinds of faults"
    )
    return 1 if report.found else 0


if __name__ == "__main__":
    sys.exit(main())
