"""Signature Version 4, verified.

Source: "AWS Signature Version 4 for API requests" in the IAM User Guide; codes and texts as the services
answer
(S3 in its own words, query services and JSON services in theirs).
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import time
from calendar import timegm
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

from sandbox.iam import signature_chunks
from sandbox.iam.errors import NotAuthenticated
from sandbox.iam.signature_claims import ALGORITHM, Claim, claim_of
from sandbox.iam.signature_refusals import bad_token, incomplete, mismatch, token_expired, unknown_key

SKEW = 15 * 60
"""Seconds by which a request's time may differ from ours."""

_SIGNED_BY_CHUNK = (signature_chunks.SIGNED, signature_chunks.SIGNED_TRAILER)
_NO_DIGEST = ("UNSIGNED-PAYLOAD", signature_chunks.UNSIGNED_TRAILER, *_SIGNED_BY_CHUNK)
_DIGEST = re.compile("[0-9a-fA-F]{64}")

LookupSecret = Callable[[str, "str | None"], str]
"""Secret key of (access key id, session token). Raises UnknownKey, BadToken or TokenExpired."""


class UnknownKey(Exception):
    """No active access key has this id."""


class BadToken(Exception):
    """The session token is missing or is not the one issued with this key."""


class TokenExpired(Exception):
    """Temporary credentials past their time."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request whose signature holds."""

    access_key: str
    region: str
    service: str
    session_token: str | None
    presigned: bool = False
    timestamp: float = 0.0


def verify(
    method: str,
    raw_path: str,
    query_string: str,
    headers: Mapping[str, str],
    body_or_hash: bytes | str | None,
    lookup_secret: LookupSecret,
    *,
    now: float | None = None,
) -> Signed:
    """Verifies a request signed in its header or presigned in its query.

    `raw_path`: as on the wire, percent-encoding untouched. `body_or_hash`: the body, or its SHA-256 in hex.
    Raises NotAuthenticated with the code that the called service uses.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    claim = claim_of(lower, query_string)
    moment = _check_time(claim, time.time() if now is None else now)
    try:
        secret = lookup_secret(claim.access_key, claim.token)
    except UnknownKey as error:
        raise unknown_key(claim.service) from error
    except BadToken as error:
        raise bad_token(claim.service) from error
    except TokenExpired as error:
        raise token_expired(claim.service) from error
    payload = _payload(lower, body_or_hash, claim)
    request = "\n".join(
        (
            method.upper(),
            canonical_path(raw_path, claim.service),
            canonical_query(query_string, presigned=claim.expires is not None),
            *(f"{name}:{_trimmed(lower.get(name, ''))}" for name in claim.signed_headers),
            "",
            ";".join(claim.signed_headers),
            payload,
        )
    )
    scope = f"{claim.date}/{claim.region}/{claim.service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    expected = sign(
        secret, claim.date, claim.region, claim.service, f"{ALGORITHM}\n{claim.time}\n{scope}\n{digest}"
    )
    if not hmac.compare_digest(expected, claim.signature):
        raise mismatch(claim.service)
    if payload in _SIGNED_BY_CHUNK and claim.expires is None:
        signs = functools.partial(sign, secret, claim.date, claim.region, claim.service)
        body = body_or_hash if isinstance(body_or_hash, bytes) else b""
        signature_chunks.verify_chunks(body, payload, claim.signature, claim.time, scope, signs)
    return Signed(
        claim.access_key, claim.region, claim.service, claim.token, claim.expires is not None, moment
    )


def verify_git(
    user: str,
    password: str,
    path: str,
    region: str,
    hosts: Collection[str],
    secret: str,
    *,
    now: float | None = None,
) -> bool:
    """Whether a CodeCommit git credential (as the AWS CLI's credential helper makes it) holds.

    The password is a time and the signature of `GIT`, the path and one of `hosts`; it is good for 15 minutes.
    """
    stamp, _, given = password.partition("Z")
    try:
        moment = _epoch(stamp + "Z")
    except ValueError:
        return False
    if not user or abs((time.time() if now is None else now) - moment) > SKEW:
        return False
    scope = f"{stamp[:8]}/{region}/codecommit/aws4_request"
    for host in hosts:
        digest = hashlib.sha256(f"GIT\n{path}\n\nhost:{host}\n\nhost\n".encode()).hexdigest()
        expected = sign(secret, stamp[:8], region, "codecommit", f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}")
        if hmac.compare_digest(expected, given):
            return True
    return False


def git_user(user: str) -> tuple[str, str | None]:
    """(access key id, session token) of the user name that git sends."""
    access_key, _, token = user.partition("%")
    return access_key, token or None


def sign(secret: str, date: str, region: str, service: str, text: str) -> str:
    return hmac.new(_key(secret, date, region, service), text.encode(), hashlib.sha256).hexdigest()


@functools.lru_cache(1024)
def _key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def canonical_path(raw_path: str, service: str) -> str:
    """S3 signs the path as it is encoded on the wire; every other service normalises and encodes it again."""
    from botocore.utils import normalize_url_path

    if service in ("s3", "s3-object-lambda", "s3-outposts"):
        return quote(
            unquote(raw_path or "/", errors="surrogateescape"), safe="/-_.~", errors="surrogateescape"
        )
    return quote(normalize_url_path(raw_path or "/"), safe="/~")


def canonical_query(query_string: str, *, presigned: bool) -> str:
    """Pairs decoded, encoded as AWS does, and sorted; a presigned request leaves its signature out."""
    if not query_string:
        return ""
    pairs = []
    for pair in query_string.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        name, value = _encoded(name), _encoded(value)
        if not (presigned and name == "X-Amz-Signature"):
            pairs.append((name, value))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    if text.isalnum() and text.isascii():
        return text
    return quote(unquote_plus(text, errors="surrogateescape"), safe="-_.~", errors="surrogateescape")


def _trimmed(value: str) -> str:
    return " ".join(value.split())


@functools.lru_cache(256)
def _epoch(stamp: str) -> float:
    return timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))


def _stamp(moment: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))


def _check_time(claim: Claim, now: float) -> float:
    try:
        moment = _epoch(claim.time)
    except ValueError as error:
        raise incomplete(
            claim.service, f"Date must be in ISO-8601 'basic format'. Got '{claim.time}'."
        ) from error
    if claim.date != claim.time[:8]:
        raise mismatch(
            claim.service, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date."
        )
    if claim.expires is not None and now > moment + claim.expires:
        if claim.service == "s3":
            raise NotAuthenticated("AccessDenied", "Request has expired", 403)
        raise NotAuthenticated("RequestExpired", "Request has expired.", 400)
    early, late = moment > now + SKEW, claim.expires is None and moment < now - SKEW
    if not early and not late:
        return moment
    if claim.service == "s3":
        text = "The difference between the request time and the current time is too large."
        raise NotAuthenticated("RequestTimeTooSkewed", text, 403)
    if early:
        limit = f"{_stamp(now + SKEW)} ({_stamp(now)} + 15 min.)"
        text = f"Signature not yet current: {claim.time} is still later than {limit}"
    else:
        limit = f"{_stamp(now - SKEW)} ({_stamp(now)} - 15 min.)"
        text = f"Signature expired: {claim.time} is now earlier than {limit}"
    raise mismatch(claim.service, text)


def _payload(headers: Mapping[str, str], body: bytes | str | None, claim: Claim) -> str:
    """The payload hash that was signed, held against the body where it is one."""
    declared = headers.get("x-amz-content-sha256")
    if claim.expires is not None and claim.service == "s3":
        return declared or "UNSIGNED-PAYLOAD"
    if declared in _NO_DIGEST:
        return declared
    if declared is not None and claim.service == "s3" and not _DIGEST.fullmatch(declared):
        text = f"x-amz-content-sha256 must be {', '.join(_NO_DIGEST)} or a valid sha256 value."
        raise NotAuthenticated("InvalidArgument", text, 400)
    actual = body if isinstance(body, str) else hashlib.sha256(body or b"").hexdigest()
    if declared is not None and declared != actual:
        if claim.service == "s3":
            text = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise NotAuthenticated("XAmzContentSHA256Mismatch", text, 400)
        raise mismatch(claim.service)
    return actual
