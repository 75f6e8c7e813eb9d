"""A model.tar.gz, extracted where a model server finds it."""

from __future__ import annotations

from pathlib import Path

from sandbox.engine.archives import BadArchive, Limits, extract_tar

__all__ = ["BadArchive", "extract"]

MAXIMUM_BYTES = 8 * 2**30
MAXIMUM_FILES = 100_000


def extract(archive: Path, folder: Path) -> None:
    """See engine.archives.extract_tar."""
    extract_tar(archive, folder, Limits(MAXIMUM_BYTES, MAXIMUM_FILES))
