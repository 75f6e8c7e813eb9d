"""Seed code as zips: the same files give the same bytes on every machine, so a key can be their hash."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from template import hub

SEED_CODE = Path(__file__).resolve().parent.parent / "seed_code"

NOT_SEED = {"__pycache__", "node_modules", "build", "dist", "venv"}
"""Folders that tools leave behind. What starts with a dot is left out too, but for the names below."""
DOTFILES = {".gitignore", ".gitattributes", ".editorconfig", ".pre-commit-config.yaml", ".github"}
NOT_SEED_SUFFIXES = (".pyc", ".pyo", ".egg-info")

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: modification times are no content."""


@dataclass(frozen=True)
class Seed:
    """One folder of seed code: the first content of a repository."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def files(self) -> list[Path]:
        """Files of the seed in a fixed order. Raises FileNotFoundError when there are none."""
        files = sorted(
            (path for path in self.folder.rglob("*") if path.is_file() and self._belongs(path)),
            key=lambda path: path.relative_to(self.folder).as_posix(),
        )
        if not files:
            raise FileNotFoundError(f"{self.folder}: no seed code to publish")
        return files

    def _belongs(self, path: Path) -> bool:
        return all(
            part not in NOT_SEED
            and not part.endswith(NOT_SEED_SUFFIXES)
            and (not part.startswith(".") or part in DOTFILES)
            for part in path.relative_to(self.folder).parts
        )

    @cached_property
    def content(self) -> bytes:
        """The zip. Only names, bytes and the executable bit of files count."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in self.files():
                entry = zipfile.ZipInfo(path.relative_to(self.folder).as_posix(), date_time=EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3
                executable = path.stat().st_mode & 0o100
                entry.external_attr = (0o100755 if executable else 0o100644) << 16
                archive.writestr(entry, path.read_bytes())
        return buffer.getvalue()

    @property
    def digest(self) -> str:
        """SHA-256 of names, modes and bytes, not of the zip: compression differs from one zlib to another."""
        whole = hashlib.sha256()
        for path in self.files():
            executable = bool(path.stat().st_mode & 0o100)
            content = path.read_bytes()
            name = path.relative_to(self.folder).as_posix()
            whole.update(f"{name}\0{executable:d}\0{len(content)}\0".encode())
            whole.update(content)
        return whole.hexdigest()

    @property
    def key(self) -> str:
        return hub.seed_key(self.name, self.digest)


def seed(name: str) -> Seed:
    """The seed in `seed_code/{name}`."""
    return Seed(SEED_CODE / name)
