"""Documents on stdout."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cli.errors import USAGE, CliError
from cli.output import write

DOCUMENT = {
    "Name": "bikes",
    "Count": 2,
    "Models": [
        {"Version": 2, "rmse": 40.123456789, "Status": None},
        {"Version": 1, "rmse": 41.0, "Commit": "abc"},
    ],
    "Empty": [],
}


def test_json_keeps_everything(capsys: pytest.CaptureFixture[str]) -> None:
    write(DOCUMENT | {"At": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}, output="json")
    document = json.loads(capsys.readouterr().out)
    assert document.pop("At").startswith("2026-01-0")
    assert document == DOCUMENT


def test_text_is_tab_separated_rows(capsys: pytest.CaptureFixture[str]) -> None:
    write(DOCUMENT, output="text")
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["bikes\t2", "MODELS\t2\t40.1235\t-", "MODELS\t1\t41\tabc"]


def test_table_shows_all_columns_of_all_rows_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    long = "arn:aws:sagemaker:us-east-1:123456789012:model-package/" + "x" * 200
    write(DOCUMENT | {"Arn": long}, output="table")
    out = capsys.readouterr().out
    assert long in out
    for text in ("Models", "Version", "rmse", "Status", "Commit", "40.1235", "abc", "Empty: none"):
        assert text in out


def test_markup_in_values_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    write({"Rows": [{"A": "[red]x[/red]"}], "B": "[bold]"}, output="table")
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out and "[bold]" in out


def test_query_selects(capsys: pytest.CaptureFixture[str]) -> None:
    write(DOCUMENT, output="text", query="Models[].Version")
    assert capsys.readouterr().out == "2\t1\n"
    write(DOCUMENT, output="json", query="Name")
    assert capsys.readouterr().out == '"bikes"\n'


def test_a_bad_query_is_wrong_usage() -> None:
    with pytest.raises(CliError) as caught:
        write(DOCUMENT, output="json", query="Models[")
    assert caught.value.code == USAGE
    assert "Models[" in caught.value.line
