"""S3 on disk: every bucket and object that moto holds in memory, written before its request is answered.

One row an object key (all its versions), one a bucket without its objects and uploads; bodies are files named
by their digest, written first. What a request touched is told by its operation's parameters.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.state import uploads
from sandbox.state.uploads import Uploads
from sandbox.state.version import pin

Parameters = dict[str, Any]
Dump = Callable[[Any], bytes]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bucket (name TEXT PRIMARY KEY, region TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS object (
    bucket TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (bucket, key)
);
"""
_PARTITION = "aws"


class Objects:
    """Call `save` under moto's S3 lock, after the operation; `load` before the first request.

    `dump`: a pickler for what moto's records hold (see `snapshot`).
    """

    def __init__(self, folder: Path, account: str, dump: Dump) -> None:
        self._bodies = folder / "bodies"
        self._bodies.mkdir(parents=True, exist_ok=True)
        self._account = account
        self._dump = dump
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            folder / "objects.sqlite", check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        pin(self._connection, folder / "objects.sqlite")
        self._uploads = Uploads(self._connection, dump, self._version, self._restored)

    @property
    def _backend(self) -> Any:
        from moto.backends import get_backend

        backends: Any = get_backend
        return backends("s3")[self._account][_PARTITION]

    def save(self, operation: str, parameters: Parameters) -> None:
        """Writes what `operation` touched."""
        name = parameters.get("Bucket")
        if not name:
            return
        keys = _keys(operation, parameters)
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if not keys:
                    self._save_bucket(name)
                elif operation in uploads.OPERATIONS:
                    found = self._backend.buckets[name].multiparts
                    self._uploads.save(name, found, operation, parameters)
                if operation not in uploads.PARTS:
                    for key in keys:
                        self._save_object(name, key)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _save_bucket(self, name: str) -> None:
        bucket = self._backend.buckets.get(name)
        if bucket is None:
            self._connection.execute("DELETE FROM object WHERE bucket = ?", (name,))
            self._connection.execute("DELETE FROM bucket WHERE name = ?", (name,))
            self._uploads.forget(name)
            return
        state = {
            field: value for field, value in bucket.__dict__.items() if field not in ("keys", "multiparts")
        }
        content = self._dump(
            (type(bucket), state, self._backend.tagger.get_tag_dict_for_resource(bucket.arn))
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO bucket (name, region, content) VALUES (?, ?, ?)",
            (name, bucket.region_name, content),
        )

    def _save_object(self, name: str, key: str) -> None:
        bucket = self._backend.buckets.get(name)
        versions = bucket.keys.getlist(key) if bucket is not None else None
        if not versions:
            self._connection.execute("DELETE FROM object WHERE bucket = ? AND key = ?", (name, key))
            return
        content = self._dump([self._version(version) for version in versions])
        row = self._connection.execute(
            "SELECT sequence FROM object WHERE bucket = ? AND key = ?", (name, key)
        ).fetchone()
        sequence = row[0] if row else self._next()
        self._connection.execute(
            "INSERT OR REPLACE INTO object (bucket, key, sequence, content) VALUES (?, ?, ?, ?)",
            (name, key, sequence, content),
        )

    def _next(self) -> int:
        newest = self._connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM object").fetchone()
        return int(newest[0]) + 1

    def _version(self, version: Any) -> tuple[type, dict[str, Any], str | None, dict[str, str]]:
        """(class, state without the body, digest of the body, tags) of a version or delete marker."""
        if not hasattr(version, "__getstate__") or not hasattr(version, "_value_buffer"):
            return type(version), dict(version.__dict__), None, {}
        state = version.__getstate__()
        body = state.pop("value")
        state.pop("_body_digest", None)
        digest = version.__dict__.get("_body_digest")
        if digest is None:
            digest = version.__dict__["_body_digest"] = self._write_body(body)
        return type(version), state, digest, self._backend.tagger.get_tag_dict_for_resource(version.arn)

    def _write_body(self, body: bytes) -> str:
        digest = hashlib.sha256(body).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            draft = path.with_name(f"{digest}.{os.getpid()}.{threading.get_ident()}")
            draft.write_bytes(body)
            draft.rename(path)
        return digest

    def _path(self, digest: str) -> Path:
        return self._bodies / digest[:2] / digest

    def load(self) -> None:
        """Puts every bucket and object back, then drops the bodies that nothing holds any more."""
        from moto.s3.models import s3_backends

        backend = self._backend
        held: set[str] = set()
        rows = self._connection.execute("SELECT name, content FROM bucket").fetchall()
        for name, content in rows:
            kind, state, tags = pickle.loads(content)
            bucket = kind(name, self._account, state["region_name"])
            bucket.__dict__.update(state)
            backend.buckets[name] = bucket
            s3_backends.bucket_accounts[name] = (_PARTITION, self._account)
            self._tag(bucket.arn, tags)
        for name, key, content in self._connection.execute(
            "SELECT bucket, key, content FROM object ORDER BY sequence"
        ).fetchall():
            bucket = backend.buckets.get(name)
            if bucket is not None:
                versions = [self._restored(version, held) for version in pickle.loads(content)]
                bucket.keys.setlist(key, versions)
        self._uploads.load(backend.buckets, held)
        for path in self._bodies.glob("*/*"):
            if path.name not in held:
                path.unlink()

    def _restored(self, saved: tuple[Any, dict[str, Any], str | None, dict[str, str]], held: set[str]) -> Any:
        kind, state, digest, tags = saved
        version = kind.__new__(kind)
        if digest is None:
            version.__dict__.update(state)
            return version
        held.add(digest)
        version.__setstate__(state | {"value": self._path(digest).read_bytes()})
        version.__dict__["_body_digest"] = digest
        self._tag(version.arn, tags)
        return version

    def _tag(self, arn: str, tags: dict[str, str]) -> None:
        if tags:
            self._backend.tagger.tag_resource(arn, self._backend.tagger.convert_dict_to_tags_input(tags))

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _keys(operation: str, parameters: Parameters) -> list[str]:
    """The object keys that an operation wrote."""
    if operation == "DeleteObjects":
        return [item["Key"] for item in parameters["Delete"]["Objects"]]
    return [parameters["Key"]] if parameters.get("Key") is not None else []
