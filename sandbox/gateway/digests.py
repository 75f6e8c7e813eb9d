"""What S3 is told of a body's digest, held against the body: Content-MD5 and the x-amz-checksum-… headers.

Source: "Checking object integrity" in the Amazon S3 user guide. moto stores what it is told.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import replace

from sandbox.engine.http import Request
from sandbox.engine.operations import AwsError

PREFIX = "x-amz-checksum-"
SETTINGS = ("algorithm", "mode", "type")
"""What else x-amz-checksum-… may say."""
NAMED = "x-amz-sdk-checksum-algorithm"


def checked(operation: str, request: Request) -> Request:
    """The request, its body held against its digests; AwsError InvalidDigest or BadDigest.

    moto keeps a checksum if the request names its algorithm as well, which it need not.
    """
    headers = request.headers
    told = [name for name in headers if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in SETTINGS]
    expected = [name.strip() for name in headers.get("x-amz-trailer", "").lower().split(",") if name.strip()]
    # The checksum of a multipart upload's completion is that of the object.
    if operation == "CompleteMultipartUpload" or not (told or expected or "content-md5" in headers):
        return request
    if "content-md5" in headers:
        _check_md5(headers["content-md5"], request.body)
    body, trailers = request.body, {name: headers[name] for name in told}
    if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        body, trailing = decoded(body)
        _check_length(headers, body)
        trailers |= trailing
    if any(name not in trailers for name in expected):
        text = "The request contained trailing data that was not well-formed or did not conform to our "
        raise AwsError("MalformedTrailerError", f"{text}published schema.", status=400)
    algorithms = [name.removeprefix(PREFIX) for name in trailers if name.startswith(PREFIX)]
    for algorithm in algorithms:
        _check_checksum(algorithm, trailers[PREFIX + algorithm], body)
    if not algorithms or NAMED in headers:
        return request
    return replace(request, headers=headers | {NAMED: algorithms[0].upper()})


def decoded(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The object's bytes and the trailing headers of a body in chunks (`Content-Encoding: aws-chunked`)."""
    pieces, position = [], 0
    try:
        while True:
            end = body.index(b"\r\n", position)
            size = int(body[position:end].split(b";")[0], 16)
            position = end + 2
            if size == 0:
                break
            piece = body[position : position + size]
            if len(piece) < size or body[position + size : position + size + 2] != b"\r\n":
                raise ValueError(position)
            pieces.append(piece)
            position += size + 2
    except ValueError as error:
        raise AwsError(
            "IncompleteBody",
            "The request body terminated unexpectedly",
            status=400,
        ) from error
    trailers = {}
    for line in body[position:].decode("latin-1").split("\r\n"):
        name, separator, value = line.partition(":")
        if separator:
            trailers[name.strip().lower()] = value.strip()
    return b"".join(pieces), trailers


def _check_length(headers: dict[str, str], body: bytes) -> None:
    length = headers.get("x-amz-decoded-content-length")
    if length is None:
        raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", status=411)
    if length != str(len(body)):
        raise AwsError(
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
            status=400,
        )


def _check_md5(stated: str, body: bytes) -> None:
    if len(_bytes(stated)) != 16:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", status=400)
    if hashlib.md5(body, usedforsecurity=False).digest() != _bytes(stated):
        raise AwsError(
            "BadDigest", "The Content-MD5 you specified did not match what we received.", status=400
        )


def _check_checksum(algorithm: str, stated: str, body: bytes) -> None:
    function = ALGORITHMS.get(algorithm)
    if function is None:
        raise AwsError(
            "NotImplemented", f"The sandbox does not compute checksums of algorithm {algorithm}.", status=400
        )
    digest = function(body)
    if len(_bytes(stated)) != len(digest):
        raise AwsError("InvalidRequest", f"Value for {PREFIX}{algorithm} header is invalid.", status=400)
    if digest != _bytes(stated):
        raise AwsError(
            "BadDigest",
            f"The {algorithm.upper()} you specified did not match the calculated checksum.",
            status=400,
        )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _crc32(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "big")


def _reflected_crc(body: bytes, polynomial: int, width: int) -> bytes:
    """CRC of reflected bits, begun and ended with all ones; four bytes a step, by one table for each pair."""
    ones = (1 << width) - 1
    near, far = _tables(polynomial)
    crc, whole = ones, len(body) & ~3
    for word in memoryview(body)[:whole].cast("I"):
        crc ^= word
        crc = far[crc & 0xFFFF] ^ near[(crc >> 16) & 0xFFFF] ^ (crc >> 32)
    for byte in body[whole:]:
        crc = _step(crc ^ byte, polynomial, 8)
    return (crc ^ ones).to_bytes(width // 8, "big")


@functools.cache
def _tables(polynomial: int) -> tuple[list[int], list[int]]:
    """What two bytes become once they have passed, and once two more have."""
    bytes_ = [_step(value, polynomial, 8) for value in range(256)]
    near = [0] * 65536
    for value in range(65536):
        crc = value
        for _ in range(2):
            crc = bytes_[crc & 0xFF] ^ (crc >> 8)
        near[value] = crc
    far = [near[crc & 0xFFFF] ^ (crc >> 16) for crc in near]
    return near, far


def _step(crc: int, polynomial: int, bits: int) -> int:
    for _ in range(bits):
        crc = (crc >> 1) ^ (polynomial if crc & 1 else 0)
    return crc


ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": _crc32,
    "crc32c": lambda body: _reflected_crc(body, 0x82F63B78, 32),
    "crc64nvme": lambda body: _reflected_crc(body, 0x9A6C9329AC4BC9B5, 64),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "sha512": lambda body: hashlib.sha512(body).digest(),
    "md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
}
