"""Where a request ends: read strictly, since what two readers take differently can be smuggled past one.

Sources: RFC 9112, sections 3.2, 5, 6.3 and 7.1. AWS's limits of a request's size by service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import (
    MultipartInvariantViolationDefect,
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
)
from email.message import Message
from typing import IO

LARGEST_BODY = 5 * 2**30
"""Bytes of one request: S3's largest single PUT, and more than CodeCommit's largest push."""
BODIES = {
    "ecr": 30 * 2**20,
    "lambda": 70_167_211,
    "sagemaker": 25 * 2**20,
    "s3": LARGEST_BODY,
    "codecommit": 25 * 2**20,
}
"""By the name a request is signed for: bytes that it may carry. Operations refuse less where AWS does."""
BODY = 10 * 2**20
"""…and of every other service: more than the largest of their requests."""

_OF_BODIES = (NoBoundaryInMultipartDefect, StartBoundaryNotFoundDefect, MultipartInvariantViolationDefect)
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_PIECE = 1 << 20
_TRAILERS = 64
_DRAINED = 256 * 2**20


class BadRequest(Exception):
    """The request cannot be read; the message is for its sender."""

    status = 400


class TooLarge(BadRequest):
    """It carries more than its service takes."""

    status = 413


def check(path: str, headers: Message) -> None:
    """BadRequest for a head that could be read in two ways."""
    if not path.startswith("/"):
        raise BadRequest("the request line must name a path")
    # The parser is one of mail, and misses the parts that a form's or a message's type promises.
    defects = [defect for defect in headers.defects if not isinstance(defect, _OF_BODIES)]
    rest = headers.get_payload()
    if defects or (isinstance(rest, str) and rest):
        raise BadRequest("a header line is malformed")
    for name, value in headers.items():
        if "\n" in value or "\r" in value or "\0" in value:
            raise BadRequest(f"header {name} goes on in another line")
    for name in ("host", "content-length", "transfer-encoding", "authorization"):
        if len(headers.get_all(name, [])) > 1:
            raise BadRequest(f"header {name} is there more than once")
    coding = headers.get("Transfer-Encoding")
    if coding is not None and coding.strip().lower() != "chunked":
        raise BadRequest(f"transfer coding {coding} is not known")
    if coding is not None and "Content-Length" in headers:
        raise BadRequest("Content-Length and Transfer-Encoding exclude each other")
    length = headers.get("Content-Length")
    if length is not None and not re.fullmatch("[0-9]{1,18}", length):
        raise BadRequest("Content-Length is not a number")


def limit(headers: Message) -> int:
    """Bytes that the request may carry, by the service that its signature is for."""
    scope = headers.get("Authorization", "").partition("Credential=")[2].split(",", 1)[0].split("/")
    if len(scope) < 5:  # presigned, a form, or nothing that is let in
        return LARGEST_BODY
    return BODIES.get(scope[-2], BODY)


def pieces(source: IO[bytes], headers: Message, most: int) -> Iterator[bytes]:
    """The body; BadRequest where it breaks off or is no chunked body, TooLarge where it is too long."""
    if "Transfer-Encoding" in headers:
        yield from _chunks(source, most)
        return
    left = int(headers.get("Content-Length", "0"))
    if left > most:
        raise TooLarge(f"this request may carry {most} bytes at most")
    while left > 0:
        piece = source.read(min(left, _PIECE))
        if not piece:
            raise BadRequest("the body ended early")
        left -= len(piece)
        yield piece


def whole(source: IO[bytes], headers: Message, most: int) -> bytes:
    """The body in one piece of memory, not in two while it is put together."""
    if "Transfer-Encoding" in headers:
        return b"".join(_chunks(source, most))
    length = int(headers.get("Content-Length", "0"))
    if length > most:
        raise TooLarge(f"this request may carry {most} bytes at most")
    body = source.read(length)  # reads into the memory that it returns
    if len(body) < length:
        raise BadRequest("the body ended early")
    return body


def drain(source: IO[bytes], headers: Message) -> None:
    """Reads what a client will send before it looks at the answer, up to a limit."""
    left = min(int(headers.get("Content-Length", "0")), _DRAINED)
    while left > 0 and (piece := source.read(min(left, _PIECE))):
        left -= len(piece)


def _chunks(source: IO[bytes], most: int) -> Iterator[bytes]:
    total = 0
    while True:
        line = source.readline(256)
        size = line.split(b";", 1)[0].strip(b" \t\r\n")
        if not line.endswith(b"\r\n") or not _SIZE.fullmatch(size):
            raise BadRequest("a chunk's size is not a number")
        left = int(size, 16)
        total += left
        if total > most:
            raise TooLarge(f"this request may carry {most} bytes at most")
        if left == 0:
            break
        while left > 0:
            piece = source.read(min(left, _PIECE))
            if not piece:
                raise BadRequest("the body ended early")
            left -= len(piece)
            yield piece
        if source.readline(3) != b"\r\n":
            raise BadRequest("a chunk does not end where it says")
    for _ in range(_TRAILERS):
        if not source.readline(65536).strip():
            return
    raise BadRequest("too many trailers")
