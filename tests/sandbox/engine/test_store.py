"""Records: order, prefixes, transactions."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.operations import AwsError
from sandbox.engine.pagination import page
from sandbox.engine.store import Record, Records, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records.sqlite")


def test_a_replaced_record_keeps_its_place(store: Store) -> None:
    records = Records(store, "things")
    for key in ("b", "a", "c"):
        records.put(key, {"key": key})
    records.put("b", {"key": "b", "again": True})
    assert records.keys() == ["b", "a", "c"]
    assert records.list()[0] == {"key": "b", "again": True}


def test_prefixes_are_literal_and_case_sensitive(store: Store) -> None:
    records = Records(store, "things")
    for key in ("a_1/x", "a%1/x", "aB1/x", "A_1/x", "a_1/y"):
        records.put(key, {})
    assert records.keys("a_1/") == ["a_1/x", "a_1/y"]


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    records = Records(store, "things")
    called: list[str] = []
    with pytest.raises(RuntimeError), store.transaction():
        records.put("a", {})
        store.after_commit(lambda: called.append("a"))
        with store.transaction():
            records.put("b", {})
        raise RuntimeError
    assert records.keys() == [] and called == []


def test_a_failed_nested_transaction_takes_back_its_own_writes_only(store: Store) -> None:
    records = Records(store, "things")
    called: list[str] = []
    with store.transaction():
        records.put("a", {})
        store.after_commit(lambda: called.append("a"))
        with pytest.raises(RuntimeError), store.transaction():
            records.put("b", {})
            store.after_commit(lambda: called.append("b"))
            raise RuntimeError
        records.put("c", {})
    assert records.keys() == ["a", "c"] and called == ["a"]


def test_a_commit_that_fails_leaves_nothing_and_the_next_transaction_works(store: Store) -> None:
    records = Records(store, "things")
    called: list[str] = []
    store._connection.executescript(
        "PRAGMA foreign_keys=ON; CREATE TABLE parent (id INTEGER PRIMARY KEY);"
        "CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
    )
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        records.put("a", {})
        store.after_commit(lambda: called.append("a"))
        store._connection.execute("INSERT INTO child VALUES (1)")
    with store.transaction():
        records.put("b", {})
    assert records.keys() == ["b"] and called == []


def test_callbacks_run_once_all_is_committed(store: Store, tmp_path: Path) -> None:
    records = Records(store, "things")
    seen: list[object] = []
    with store.transaction():
        records.put("a", {"n": 1})
        store.after_commit(lambda: seen.append(Store(tmp_path / "records.sqlite").get("things", "a")))
        assert seen == []
    assert seen == [{"n": 1}]


def test_records_survive_another_process_opening_the_file(store: Store, tmp_path: Path) -> None:
    Records(store, "things").put("a", {"é": [1, None, True]})
    assert Records(Store(tmp_path / "records.sqlite"), "things").get("a") == {"é": [1, None, True]}


@given(st.lists(st.integers(), max_size=50), st.integers(1, 20))
def test_pages_give_every_item_once_in_order(items: list[int], limit: int) -> None:
    seen: list[int] = []
    token = None
    while True:
        part, token = page(items, token, limit)
        assert len(part) <= limit
        seen += part
        if token is None:
            break
    assert seen == items


@given(st.text(min_size=1))
def test_a_foreign_token_is_refused(token: str) -> None:
    with pytest.raises(AwsError) as caught:
        page([1, 2, 3], token, error="InvalidNextToken")
    assert caught.value.code == "InvalidNextToken"


def test_a_view_is_made_anew_when_its_records_have_changed(tmp_path: Path) -> None:
    store, made = Store(tmp_path / "records"), []

    def names(records: list[Record]) -> list[str]:
        made.append(len(records))
        return [record["name"] for record in records]

    store.put("rule", "a", {"name": "a"})
    assert store.view("rule", names) == store.view("rule", names) == ["a"]
    store.put("other", "b", {"name": "b"})
    assert store.view("rule", names) == ["a"] and made == [1]
    with pytest.raises(KeyError), store.transaction():
        store.put("rule", "b", {"name": "b"})
        assert store.view("rule", names) == ["a", "b"]
        raise KeyError
    assert store.view("rule", names) == ["a"]
    store.delete("rule", "a")
    assert store.view("rule", names) == []
