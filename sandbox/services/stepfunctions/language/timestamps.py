"""RFC 3339 timestamps as the Amazon States Language reads and writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})")


def parse(value: Any) -> float | None:
    """Epoch seconds; None for what is no timestamp."""
    if not isinstance(value, str) or not _FORM.fullmatch(value):
        return None
    text = re.sub(r"\.(\d+)", lambda match: "." + match[1][:6].ljust(6, "0"), value)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def text(seconds: float) -> str:
    """`2024-01-02T03:04:05.678Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
