"""What one version of moto wrote, another one may not read: its classes are what is on disk."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def pin(connection: sqlite3.Connection, path: Path) -> None:
    """RuntimeError for the records of another version of moto."""
    import moto

    connection.execute("CREATE TABLE IF NOT EXISTS written_by (version TEXT NOT NULL)")
    found = connection.execute("SELECT version FROM written_by").fetchone()
    if found is None:
        connection.execute("INSERT INTO written_by VALUES (?)", (moto.__version__,))
    elif found[0] != moto.__version__:
        raise RuntimeError(
            f"{path} was written with moto {found[0]}, not {moto.__version__}: install that version again, "
            "or give up what is kept with `mlops sandbox reset`"
        )
