"""Versions of products. A published version never changes: who provisioned it can rely on what it is.

A template's bytes include its seeds' hashes, so a changed seed is a changed template. Raise the version here
with every change that is published.
"""

import hashlib
import re

CURRENT = {"model": "1.0.0"}
"""Version of each template in these sources."""

DEVELOPMENT = "-dev."
RELEASE_PATTERN = re.compile(r"^\d+\.\d+\.\d+$")
VERSION_PATTERN = re.compile(r"^\d+\.\d+\.\d+(-dev\.[0-9a-f]{12})?$")


class VersionConflict(Exception):
    """A version that was published with other bytes."""

    def __init__(self, template: str, version: str, published: str, offered: str) -> None:
        super().__init__(
            f"{template} {version} is published with sha256 {published}, these sources give {offered}: "
            f"a published version never changes; raise the version of {template!r} in template/versions.py"
        )
        self.published = published
        self.offered = offered


def digest(body: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def refuse_changed(template: str, version: str, published: bytes, offered: bytes) -> None:
    """Raise VersionConflict, naming both hashes, unless the bytes are the same."""
    if published != offered:
        raise VersionConflict(template, version, digest(published), digest(offered))


def development_version(template: str, sources: str) -> str:
    """A version for work in progress, named by its sources' hash: it never conflicts, and is not kept."""
    return f"{CURRENT[template]}{DEVELOPMENT}{sources[:12]}"


def is_release(version: str) -> bool:
    return RELEASE_PATTERN.match(version) is not None


def order(version: str) -> tuple[int, ...]:
    """Sorting key: numbers as numbers."""
    return tuple(int(number) for number in version.partition("-")[0].split("."))


def offered_versions(published: list[str], current: str) -> list[str]:
    """Versions that the product offers: every release ever published, oldest first, and the current one last.

    A version that leaves the product is deleted for those who have it, so releases stay.
    Raises ValueError for a name that is no version.
    """
    if VERSION_PATTERN.match(current) is None:
        raise ValueError(f"{current!r} is not a version such as 1.2.3")
    releases = sorted({version for version in published if is_release(version)} - {current}, key=order)
    return [*releases, current]
