"""Identifiers of AWS's form."""

from __future__ import annotations

import hashlib
import secrets
import string

ALPHABET = string.ascii_lowercase + string.digits


def random_id(length: int = 13, prefix: str = "") -> str:
    """`prefix` and so many random lower-case letters and digits (`prod-7ksk3aq2qhmou`)."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def derived_id(*parts: str, length: int = 13, prefix: str = "") -> str:
    """The same for the same parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return prefix + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])
