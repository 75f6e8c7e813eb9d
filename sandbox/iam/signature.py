"""Signature Version 4, verified.

Source: "AWS Signature Version 4 for API requests" in the IAM User Guide; codes and texts as the services
answer
(S3 in its own words, query services and JSON services in theirs).
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import time
from calendar import timegm
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

from sandbox.iam.errors import NotAuthenticated

SKEW = 15 * 60
"""Seconds by which a request's time may differ from ours."""

ALGORITHM = "AWS4-HMAC-SHA256"
QUERY_SERVICES = frozenset(
    [
        "iam",
        "sts",
        "cloudformation",
        "monitoring",
        "sns",
        "sqs",
        "ec2",
        "autoscaling",
        "elasticloadbalancing",
        "rds",
        "redshift",
        "elasticache",
    ]
)
"""Signing names of the services that answer in the words of the query protocol."""

_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-")
_REQUIRED = ("Credential", "SignedHeaders", "Signature")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

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


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says about its own signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    token: str | None
    expires: int | None


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
    claim = _claim(lower, query_string)
    moment = _check_time(claim, time.time() if now is None else now)
    try:
        secret = lookup_secret(claim.access_key, claim.token)
    except UnknownKey as error:
        raise _unknown_key(claim.service) from error
    except BadToken as error:
        raise _bad_token(claim.service) from error
    except TokenExpired as error:
        raise _token_expired(claim.service) from error
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
        raise _mismatch(claim.service)
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


def _claim(headers: Mapping[str, str], query_string: str) -> _Claim:
    authorization = headers.get("authorization", "")
    if authorization.startswith(ALGORITHM):
        return _header_claim(authorization, headers)
    if "X-Amz-Signature=" in query_string or "X-Amz-Algorithm=" in query_string:
        return _query_claim(query_string, headers)
    if authorization:
        raise _incomplete(
            "", f"Unsupported authorization: {authorization.split(' ', 1)[0]!r} is not {ALGORITHM}."
        )
    raise NotAuthenticated("MissingAuthenticationToken", "Missing Authentication Token", 403)


def _header_claim(authorization: str, headers: Mapping[str, str]) -> _Claim:
    fields = {}
    for item in authorization[len(ALGORITHM) :].split(","):
        name, _, value = item.strip().partition("=")
        fields[name] = value
    service = _service(fields.get("Credential", ""))
    missing = [name for name in _REQUIRED if not fields.get(name)]
    if missing:
        text = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise _incomplete(service, f"{text} Authorization={authorization.split('Signature=')[0]}")
    stamp = headers.get("x-amz-date") or _http_date(headers.get("date"))
    if not stamp:
        raise _incomplete(
            service, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    access_key, date, region, service = _credential(fields["Credential"])
    signed = tuple(fields["SignedHeaders"].lower().split(";"))
    token = headers.get("x-amz-security-token")
    _check_headers(service, signed, headers)
    return _Claim(access_key, date, region, service, signed, fields["Signature"], stamp, token, None)


def _query_claim(query_string: str, headers: Mapping[str, str]) -> _Claim:
    fields = {}
    for pair in query_string.split("&"):
        name, _, value = pair.partition("=")
        if name.startswith("X-Amz-"):
            fields[name] = unquote_plus(value)
    service = _service(fields.get("X-Amz-Credential", ""))
    names = (
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    )
    missing = [name for name in names if not fields.get(name)]
    if missing:
        raise _incomplete(service, f"AWS query-string parameters must include {', '.join(missing)}.")
    access_key, date, region, service = _credential(fields["X-Amz-Credential"])
    if fields["X-Amz-Algorithm"] != ALGORITHM or not fields["X-Amz-Expires"].isdigit():
        raise _incomplete(
            service, "X-Amz-Algorithm only supports AWS4-HMAC-SHA256 and X-Amz-Expires must be a number."
        )
    signed = tuple(fields["X-Amz-SignedHeaders"].lower().split(";"))
    _check_headers(service, signed, headers)
    return _Claim(
        access_key,
        date,
        region,
        service,
        signed,
        fields["X-Amz-Signature"],
        fields["X-Amz-Date"],
        fields.get("X-Amz-Security-Token"),
        min(int(fields["X-Amz-Expires"]), 7 * 24 * 3600),
    )


def _check_headers(service: str, signed: tuple[str, ...], headers: Mapping[str, str]) -> None:
    """Host must be signed, and so must every x-amz-* header: else a sender on the way could add one."""
    if "host" not in signed and ":authority" not in signed:
        raise _incomplete(
            service, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )
    loose = [name for name in headers if name.startswith("x-amz-") and name not in signed]
    if loose and service == "s3":
        raise NotAuthenticated(
            "AccessDenied",
            f"There were headers present in the request which were not signed: {', '.join(loose)}",
            403,
        )


def _credential(scope: str) -> tuple[str, str, str, str]:
    pieces = scope.split("/")
    if len(pieces) < 5 or pieces[-1] != "aws4_request":
        raise _incomplete(
            _service(scope),
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{scope}'",
        )
    return "/".join(pieces[:-4]), pieces[-4], pieces[-3], pieces[-2]


def _service(scope: str) -> str:
    pieces = scope.split("/")
    return pieces[-2] if len(pieces) >= 5 else ""


def _http_date(text: str | None) -> str | None:
    from email.utils import parsedate_to_datetime

    if not text:
        return None
    try:
        return parsedate_to_datetime(text).strftime("%Y%m%dT%H%M%SZ")
    except (TypeError, ValueError):
        return None


@functools.lru_cache(256)
def _epoch(stamp: str) -> float:
    return timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))


def _stamp(moment: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))


def _check_time(claim: _Claim, now: float) -> float:
    try:
        moment = _epoch(claim.time)
    except ValueError as error:
        raise _incomplete(
            claim.service, f"Date must be in ISO-8601 'basic format'. Got '{claim.time}'."
        ) from error
    if claim.date != claim.time[:8]:
        raise _mismatch(
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
    raise _mismatch(claim.service, text)


def _payload(headers: Mapping[str, str], body: bytes | str | None, claim: _Claim) -> str:
    """The payload hash that was signed, held against the body where it is one."""
    declared = headers.get("x-amz-content-sha256")
    if claim.expires is not None and claim.service == "s3":
        return declared or "UNSIGNED-PAYLOAD"
    if declared is not None and declared.startswith(_UNSIGNED):
        return declared
    actual = body if isinstance(body, str) else hashlib.sha256(body or b"").hexdigest()
    if declared is not None and declared != actual:
        if claim.service == "s3":
            text = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise NotAuthenticated("XAmzContentSHA256Mismatch", text, 400)
        raise _mismatch(claim.service)
    return actual


def _json(service: str) -> bool:
    return service != "s3" and service not in QUERY_SERVICES


def _incomplete(service: str, text: str) -> NotAuthenticated:
    if service == "s3":
        return NotAuthenticated(
            "AuthorizationHeaderMalformed", f"The authorization header is malformed; {text}", 400
        )
    return NotAuthenticated(
        "IncompleteSignatureException" if _json(service) else "IncompleteSignature", text, 400
    )


def _mismatch(service: str, text: str = _MISMATCH) -> NotAuthenticated:
    if service == "s3" and text is _MISMATCH:
        text = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method."
        )
    if _json(service):
        return NotAuthenticated("InvalidSignatureException", text, 400)
    return NotAuthenticated("SignatureDoesNotMatch", text, 403)


def _unknown_key(service: str) -> NotAuthenticated:
    if service == "s3":
        text = "The AWS Access Key Id you provided does not exist in our records."
        return NotAuthenticated("InvalidAccessKeyId", text, 403)
    return _invalid_token(service)


def _bad_token(service: str) -> NotAuthenticated:
    if service == "s3":
        return NotAuthenticated("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    return _invalid_token(service)


def _invalid_token(service: str) -> NotAuthenticated:
    text = "The security token included in the request is invalid."
    if _json(service):
        return NotAuthenticated("UnrecognizedClientException", text, 400)
    return NotAuthenticated("InvalidClientTokenId", text, 403)


def _token_expired(service: str) -> NotAuthenticated:
    if service == "s3":
        return NotAuthenticated("ExpiredToken", "The provided token has expired.", 400)
    text = "The security token included in the request is expired"
    if _json(service):
        return NotAuthenticated("ExpiredTokenException", text, 400)
    return NotAuthenticated("ExpiredToken", text, 403)
