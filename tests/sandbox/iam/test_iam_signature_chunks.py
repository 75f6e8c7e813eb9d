"""Bodies signed chunk by chunk."""

from __future__ import annotations

import hashlib

import pytest
from botocore.auth import S3SigV4Auth

from sandbox.iam.errors import NotAuthenticated
from sandbox.iam.signature import sign, verify
from sandbox.iam.signature_chunks import SIGNED, SIGNED_TRAILER, verify_chunks
from tests.sandbox.iam.test_iam_signature import SECRET, lookup, signed

EMPTY = hashlib.sha256(b"").hexdigest()


def chunked(pieces, seed, moment, scope, key, trailer=None):
    """A body as clients send it; `key`: string to sign → signature."""
    body, before = b"", seed
    for piece in (*pieces, b""):
        digest = hashlib.sha256(piece).hexdigest()
        before = key(f"AWS4-HMAC-SHA256-PAYLOAD\n{moment}\n{scope}\n{before}\n{EMPTY}\n{digest}")
        body += f"{len(piece):x};chunk-signature={before}\r\n".encode() + piece + (b"\r\n" if piece else b"")
    if trailer is None:
        return body + b"\r\n"
    text = "".join(f"{name}:{value}\n" for name, value in trailer.items())
    digest = hashlib.sha256(text.encode()).hexdigest()
    last = key(f"AWS4-HMAC-SHA256-TRAILER\n{moment}\n{scope}\n{before}\n{digest}")
    lines = [f"{name}:{value}" for name, value in trailer.items()] + [f"x-amz-trailer-signature:{last}"]
    return body + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def request(monkeypatch, declared, pieces, trailer=None):
    monkeypatch.setattr(S3SigV4Auth, "payload", lambda self, request: declared)
    method, path, query, headers, _ = signed("s3", "/b/k", method="PUT", body=b"abc")
    lower = {name.lower(): value for name, value in headers.items()}
    moment, seed = lower["x-amz-date"], lower["authorization"].rsplit("Signature=", 1)[1]
    scope = f"{moment[:8]}/eu-west-1/s3/aws4_request"

    def key(text):
        return sign(SECRET, moment[:8], "eu-west-1", "s3", text)

    return [method, path, query, headers, chunked(pieces, seed, moment, scope, key, trailer)]


PIECES = [b"a" * 70, b"b" * 30]
CRC = {"x-amz-checksum-crc32": "AAAAAA=="}


def refusal(asked) -> str:
    with pytest.raises(NotAuthenticated) as caught:
        verify(*asked, lookup)
    return caught.value.code


@pytest.mark.parametrize(("declared", "trailer"), [(SIGNED, None), (SIGNED_TRAILER, CRC)])
def test_chunks_and_trailers_that_are_signed_hold(monkeypatch, declared, trailer):
    assert verify(*request(monkeypatch, declared, PIECES, trailer), lookup)
    assert verify(*request(monkeypatch, declared, [], trailer), lookup)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"aaa", b"aab", "SignatureDoesNotMatch"),
        (b"bbb", b"bba", "SignatureDoesNotMatch"),
        (b"chunk-signature=", b"chunk-signature=0", "SignatureDoesNotMatch"),
        (b";chunk-signature", b";other", "SignatureDoesNotMatch"),
        (b"46;", b"47;", "IncompleteBody"),
        (b"46;", b"zz;", "IncompleteBody"),
        (b"46;", b"-1;", "IncompleteBody"),
        (b"\r\n0;", b"", "IncompleteBody"),
    ],
)
def test_whatever_is_changed_on_the_way_is_seen(monkeypatch, old, new, code):
    asked = request(monkeypatch, SIGNED, PIECES)
    assert old in asked[4]
    asked[4] = asked[4].replace(old, new, 1)
    assert refusal(asked) == code


def test_chunks_may_not_change_places_nor_be_left_out(monkeypatch):
    asked = request(monkeypatch, SIGNED, PIECES)
    swapped = request(monkeypatch, SIGNED, PIECES[::-1])[4]
    first = swapped[: swapped.index(b"\r\n0;")]
    assert refusal([*asked[:4], first + asked[4][asked[4].index(b"\r\n0;") :]]) == "SignatureDoesNotMatch"
    second = asked[4].index(b"\r\n1e;") + 2
    assert refusal([*asked[:4], asked[4][second:]]) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"AAAAAA==", b"BAAAAA=="), (b"x-amz-trailer-signature:", b"x-other:"), (b"-crc32:", b"-crc32c:")],
)
def test_trailers_are_signed(monkeypatch, old, new):
    asked = request(monkeypatch, SIGNED_TRAILER, PIECES, CRC)
    assert old in asked[4]
    asked[4] = asked[4].replace(old, new)
    assert refusal(asked) == "SignatureDoesNotMatch"


def test_the_example_of_the_documentation():
    # "Signature calculations for the authorization header: transferring a payload in multiple chunks".
    secret, scope = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524/us-east-1/s3/aws4_request"
    signatures = (
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    )
    pieces = (b"a" * 65536, b"a" * 1024, b"")
    body = b"".join(
        f"{len(piece):x};chunk-signature={signature}\r\n".encode() + piece + b"\r\n"
        for piece, signature in zip(pieces, signatures, strict=True)
    )
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"

    def key(text):
        return sign(secret, "20130524", "us-east-1", "s3", text)

    verify_chunks(body, SIGNED, seed, "20130524T000000Z", scope, key)


def test_s3_takes_no_other_word_for_the_payload(monkeypatch):
    monkeypatch.setattr(S3SigV4Auth, "payload", lambda self, request: "STREAMING-SOMETHING")
    assert refusal(signed("s3", "/b/k", method="PUT", body=b"abc")) == "InvalidArgument"
