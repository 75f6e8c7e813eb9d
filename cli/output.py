"""Documents on stdout as json, table or text, after `--query`."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any, TypeGuard

from cli.errors import USAGE, CliError

WIDE = 4096


def write(document: Any, *, output: str, query: str | None = None) -> None:
    """Print `document`; `query` is a JMESPath expression, as in the AWS CLI."""
    plain = _plain(document)
    if query:
        plain = _search(plain, query)
    if output == "json":
        print(json.dumps(plain, indent=2, ensure_ascii=False))
    elif output == "text":
        for row in text_rows(plain):
            print("\t".join(row))
    else:
        _table(plain)
    sys.stdout.flush()


def _search(document: Any, query: str) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(query, document)
    except JMESPathError as error:
        raise CliError(f"Bad value for --query {query}: {error}", code=USAGE) from error


def _plain(value: Any) -> Any:
    """Only what JSON knows."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone().isoformat(timespec="milliseconds")
    return value


def cell(value: Any) -> str:
    """One value in a table or line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={cell(item)}" for key, item in value.items())
    return str(value)


def _is_rows(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def text_rows(document: Any, name: str = "") -> list[list[str]]:
    """Tab-separated rows as the AWS CLI's text output: nested rows start with their key in upper case."""
    start = [name.upper()] if name else []
    if isinstance(document, dict):
        scalars = [cell(value) for value in document.values() if not isinstance(value, dict | list)]
        rows = [start + scalars] if scalars else []
        for key, value in document.items():
            if isinstance(value, dict | list):
                rows += text_rows(value, key)
        return rows
    if isinstance(document, list):
        if any(isinstance(item, dict | list) for item in document):
            return [row for item in document for row in text_rows(item, name)]
        return [start + [cell(item) for item in document]] if document else []
    return [start + [cell(document)]]


def _table(document: Any) -> None:
    from rich.console import Console

    # Whole values for whoever reads this by program or from a file; a terminal folds.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    if not isinstance(document, dict | list):
        console.print(cell(document), markup=False)
    elif _is_rows(document):
        console.print(_rows_table("", document))
    elif isinstance(document, list):
        for item in document:
            console.print(cell(item), markup=False)
    else:
        _sections(console, document)


def _sections(console: Any, document: dict[str, Any]) -> None:
    from rich.table import Table

    scalars = {key: value for key, value in document.items() if not _is_rows(value) and value not in ([], {})}
    if scalars:
        grid = Table.grid(padding=(0, 2))
        grid.add_column()
        grid.add_column(overflow="fold")
        for key, value in scalars.items():
            grid.add_row(_text(key, "bold"), _text(cell(value)))
        console.print(grid)
    for key, value in document.items():
        if _is_rows(value):
            console.print(_rows_table(key, value))
        elif value == []:
            console.print(_text(f"{key}: none", "dim"))


def _rows_table(title: str, rows: list[dict[str, Any]]) -> Any:
    from rich import box
    from rich.table import Table

    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell(row.get(column))) for column in columns))
    return table


def _text(value: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(value, style=style)
