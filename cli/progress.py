"""What a person reads while waiting, on stderr: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """Lines about what goes on. `stage` brackets a part that takes long and remembers its seconds."""

    def __init__(self, *, quiet: bool = False) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.quiet = quiet
        self.seconds: dict[str, float] = {}
        self._status: Any = None
        self._stage = ""
        self._started = time.monotonic()

    def line(self, text: str, style: str = "dim") -> None:
        """Something happened."""
        if self.quiet:
            return
        from rich.text import Text

        self.console.print(Text(f"    {text}" if self._stage else text, style=style))

    def now(self, text: str) -> None:
        """What is being waited for: replaces itself on a terminal, unseen elsewhere."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(f"{self._stage}: {text}"))

    @contextmanager
    def stage(self, key: str, title: str) -> Iterator[None]:
        """One part; its seconds are kept under `key`."""
        from rich.text import Text

        self._stage, started = title, time.monotonic()
        live = self.console.is_terminal and not self.quiet
        if not self.quiet:
            self.console.print(Text(f"{'▸' if _unicode() else '>'} {title}", style="bold"))
        if live:
            self._status = self.console.status(Text(title), spinner="dots" if _unicode() else "line")
            self._status.start()
        done = False
        try:
            yield
            done = True
        finally:
            self.seconds[key] = round(time.monotonic() - started, 2)
            if self._status is not None:
                self._status.stop()
                self._status = None
            if not self.quiet:
                mark, style = (
                    (("✓" if _unicode() else "ok"), "green")
                    if done
                    else (("✗" if _unicode() else "x"), "red")
                )
                self.console.print(Text(f"{mark} {title}  {self.seconds[key]:.1f} s", style=style))
            self._stage = ""

    @property
    def total(self) -> float:
        """Seconds since this was made."""
        return time.monotonic() - self._started


def _unicode() -> bool:
    encoding = (getattr(sys.stderr, "encoding", None) or "ascii").lower()
    return encoding.startswith("utf")
