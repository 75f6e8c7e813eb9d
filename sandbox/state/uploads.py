"""Multipart uploads on disk: one row an upload, one a part, so that a part costs what it holds alone."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS upload (
    bucket TEXT NOT NULL, id TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (bucket, id)
);
CREATE TABLE IF NOT EXISTS part (
    bucket TEXT NOT NULL, upload TEXT NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (bucket, upload, number)
);
"""
PARTS = frozenset({"UploadPart", "UploadPartCopy"})
OPERATIONS = PARTS | {"CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload"}
"""The operations of S3 that touch uploads."""


class Uploads:
    """`kept` and `restored` turn an object of moto's into what is written and back (its body is a file)."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        dump: Callable[[Any], bytes],
        kept: Callable[[Any], Any],
        restored: Callable[[Any, set[str]], Any],
    ) -> None:
        self._connection = connection
        self._dump = dump
        self._kept = kept
        self._restored = restored
        connection.executescript(SCHEMA)

    def save(self, name: str, uploads: dict[str, Any], operation: str, parameters: dict[str, Any]) -> None:
        """Writes what `operation` did to the `uploads` of a bucket, within the caller's transaction."""
        if operation in PARTS:
            upload, number = parameters["UploadId"], int(parameters["PartNumber"])
            content = self._dump(self._kept(uploads[upload].parts[number]))
            self._connection.execute(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?)", (name, upload, number, content)
            )
            return
        rows = self._connection.execute("SELECT id FROM upload WHERE bucket = ?", (name,)).fetchall()
        known = {row[0] for row in rows}
        for identifier in uploads.keys() - known:
            upload = uploads[identifier]
            state = {field: value for field, value in upload.__dict__.items() if field not in _OF_PARTS}
            self._connection.execute(
                "INSERT INTO upload VALUES (?, ?, ?)", (name, identifier, self._dump((type(upload), state)))
            )
        for identifier in known - uploads.keys():
            self._connection.execute("DELETE FROM upload WHERE bucket = ? AND id = ?", (name, identifier))
            self._connection.execute("DELETE FROM part WHERE bucket = ? AND upload = ?", (name, identifier))

    def forget(self, name: str) -> None:
        """Drops the uploads of a bucket that is gone."""
        self._connection.execute("DELETE FROM upload WHERE bucket = ?", (name,))
        self._connection.execute("DELETE FROM part WHERE bucket = ?", (name,))

    def load(self, buckets: dict[str, Any], held: set[str]) -> None:
        """Puts uploads and their parts back; adds the digests of the parts' bodies to `held`."""
        rows = self._connection.execute("SELECT bucket, id, content FROM upload").fetchall()
        for name, identifier, content in rows:
            if name not in buckets:
                continue
            kind, state = pickle.loads(content)
            upload = kind.__new__(kind)
            upload.__dict__.update(state, parts={}, partlist=[])
            buckets[name].multiparts[identifier] = upload
        rows = self._connection.execute("SELECT bucket, upload, number, content FROM part ORDER BY number")
        for name, identifier, number, content in rows.fetchall():
            upload = buckets[name].multiparts.get(identifier) if name in buckets else None
            if upload is not None:
                upload.parts[number] = self._restored(pickle.loads(content), held)
                upload.partlist.append(number)


_OF_PARTS = ("parts", "partlist")
