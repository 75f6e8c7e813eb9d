"""Bodies that are signed chunk by chunk (`Content-Encoding: aws-chunked`).

Source: "Signature calculations for the authorization header: transferring a payload in multiple chunks", and
the same "including trailing headers", in the S3 API reference. Each chunk's signature covers the one before
it, the first that of the request's header.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from sandbox.iam.errors import NotAuthenticated
from sandbox.iam.signature_refusals import mismatch

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = f"{SIGNED}-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_EMPTY = hashlib.sha256(b"").hexdigest()
_TRAILER_SIGNATURE = b"x-amz-trailer-signature"

Sign = Callable[[str], str]
"""String to sign → signature, with the request's key."""


def verify_chunks(body: bytes, declared: str, seed: str, moment: str, scope: str, sign: Sign) -> None:
    """Raises NotAuthenticated where a chunk's or the trailer's signature does not hold, or one is lacking.

    `seed`: the signature of the request's header; `moment` and `scope` as that was signed with.
    """
    before, position = seed, 0
    while True:
        size, signature, start = _head(body, position)
        data = body[start : start + size]
        if len(data) < size or (size and body[start + size : start + size + 2] != b"\r\n"):
            raise _cut_short()
        digests = f"{_EMPTY}\n{hashlib.sha256(data).hexdigest()}"
        expected = sign(f"AWS4-HMAC-SHA256-PAYLOAD\n{moment}\n{scope}\n{before}\n{digests}")
        if not hmac.compare_digest(expected, signature):
            raise mismatch("s3")
        before, position = signature, start + size + (2 if size else 0)
        if size == 0:
            break
    if declared == SIGNED_TRAILER:
        _verify_trailer(body[position:], f"AWS4-HMAC-SHA256-TRAILER\n{moment}\n{scope}\n{before}", sign)


def _head(body: bytes, position: int) -> tuple[int, str, int]:
    """(size, signature, where the data starts) of the chunk at a position."""
    end = body.find(b"\r\n", position)
    line = body[position:end] if end >= 0 else b""
    size, _, extension = line.partition(b";")
    name, _, signature = extension.strip().partition(b"=")
    try:
        length = int(size, 16)
    except ValueError as error:
        raise _cut_short() from error
    if length < 0:
        raise _cut_short()
    if name != b"chunk-signature":
        raise mismatch("s3")
    return length, signature.decode("latin-1"), end + 2


def _verify_trailer(rest: bytes, head: str, sign: Sign) -> None:
    lines = [line for line in rest.split(b"\r\n") if line]
    signature, signed = "", b""
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == _TRAILER_SIGNATURE:
            signature = value.strip().decode("latin-1")
        else:
            signed += name.strip().lower() + b":" + value.strip() + b"\n"
    expected = sign(f"{head}\n{hashlib.sha256(signed).hexdigest()}")
    if not hmac.compare_digest(expected, signature):
        raise mismatch("s3")


def _cut_short() -> NotAuthenticated:
    return NotAuthenticated("IncompleteBody", "The request body terminated unexpectedly", 400)
