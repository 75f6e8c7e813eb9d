"""MD5 digests by which SDKs verify that messages arrived as they were sent.

Source: "Calculating the MD5 message digest for message attributes" in the SQS Developer Guide
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any


def of_body(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: dict[str, dict[str, Any]]) -> str | None:
    """Of message attributes in botocore's form (binary values as bytes); None where there are none."""
    if not attributes:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        _add(digest, name.encode())
        _add(digest, attribute["DataType"].encode())
        if attribute.get("StringValue") is not None:
            digest.update(b"\x01")
            _add(digest, attribute["StringValue"].encode())
        else:
            digest.update(b"\x02")
            _add(digest, attribute["BinaryValue"])
    return digest.hexdigest()


def _add(digest: Any, data: bytes) -> None:
    digest.update(struct.pack(">I", len(data)))
    digest.update(data)
