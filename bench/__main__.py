"""`python -m bench [--only NAME…] [--quick] [--json] [--set-up]`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback

from bench.measure import Failed, Result
from bench.report import as_json, table

BENCHMARKS = ("start", "gateway", "steps", "endpoint", "synthesis", "loop")
SET_UP = "set_up"
WIDTH = 140
"""Characters of a line that is written to a file."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="fewest rounds: seconds, and less certain")
    parser.add_argument("--json", action="store_true", help="JSON on stdout instead of the table")
    parser.add_argument(
        "--set-up", action="store_true", help="only the set-up of a fresh copy with cold caches (minutes)"
    )
    arguments = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # nothing measured here may reach an account
    results: list[Result] = []
    for name in (SET_UP,) if arguments.set_up else arguments.only:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            results += importlib.import_module(f"bench.{name}").run(quick=arguments.quick)
        except Exception as error:  # noqa: BLE001 - one benchmark that fails hides no other's result
            traceback.print_exc()
            results.append(Failed(name, f"{type(error).__name__}: {error}"))
    if arguments.json:
        print(as_json(results))
    else:
        from rich.console import Console

        console = Console()
        console.width = max(console.width, 0 if console.is_terminal else WIDTH)
        console.print(table(results))


if __name__ == "__main__":
    main()
