"""Records: order, prefixes, transactions."""

from __future__ import annotations

import contextlib
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


def colours(record: Record) -> list[str]:
    found: list[str] = record["colours"]
    return found


def test_records_are_found_by_what_they_hold(store: Store) -> None:
    records = Records(store, "things")
    records.put("a", {"colours": ["red", "blue"]})
    records.put("b", {"colours": ["red"]})
    assert records.keys_where(colours, "red") == ["a", "b"]
    assert records.where(colours, "blue", "red") == [{"colours": ["red", "blue"]}, {"colours": ["red"]}]
    assert records.where(colours, "green") == []
    records.put("a", {"colours": ["green"]})
    records.delete("b")
    assert records.keys_where(colours, "red") == [] and records.keys_where(colours, "green") == ["a"]


def test_looking_for_a_value_reads_no_other_record(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    records, read = Records(store, "things"), []
    for number in range(50):
        records.put(str(number), {"colours": [str(number)]})
    assert records.keys_where(colours, "7") == ["7"]

    def counted(record: Record) -> list[str]:
        read.append(record)
        return colours(record)

    assert records.keys_where(counted, "7") == ["7"] and len(read) == 50
    records.put("7", {"colours": ["8"]})
    assert records.keys_where(counted, "8") == ["8", "7"] and len(read) == 51


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abc"), st.lists(st.sampled_from("xyz"), max_size=2)),
        st.tuples(st.just("delete"), st.sampled_from("abc"), st.just([])),
        st.tuples(st.sampled_from(["begin", "end", "fail"]), st.just(""), st.just([])),
    ),
    max_size=30,
)


@given(_steps)
def test_an_index_says_what_a_search_of_all_records_would(
    steps: list[tuple[str, str, list[str]]],
) -> None:
    """Also of what was written in a transaction that failed, or in one inside of another."""
    store = Store(":memory:")
    records, blocks = Records(store, "things"), []

    def check() -> None:
        for value in "xyz":
            wanted = sorted(key for key, record in store.items("things") if value in colours(record))
            assert sorted(records.keys_where(colours, value)) == wanted

    for what, key, held in steps:
        if what == "put":
            records.put(key, {"colours": held})
        elif what == "delete":
            records.delete(key)
        elif what == "begin":
            block = store.transaction()
            block.__enter__()
            blocks.append(block)
        elif blocks and what == "end":
            blocks.pop().__exit__(None, None, None)
        elif blocks:
            error = RuntimeError()
            with contextlib.suppress(RuntimeError):
                blocks.pop().__exit__(RuntimeError, error, None)
        check()
    while blocks:
        blocks.pop().__exit__(None, None, None)
    check()
    store.close()
