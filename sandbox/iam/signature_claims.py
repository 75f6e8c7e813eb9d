"""What a request says about its own signature, in its Authorization header or in its query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from sandbox.iam.errors import NotAuthenticated
from sandbox.iam.signature_refusals import incomplete

ALGORITHM = "AWS4-HMAC-SHA256"
_REQUIRED = ("Credential", "SignedHeaders", "Signature")


@dataclass(frozen=True, slots=True)
class Claim:
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


def claim_of(headers: Mapping[str, str], query_string: str) -> Claim:
    authorization = headers.get("authorization", "")
    if authorization.startswith(ALGORITHM):
        return _header_claim(authorization, headers)
    if "X-Amz-Signature=" in query_string or "X-Amz-Algorithm=" in query_string:
        return _query_claim(query_string, headers)
    if authorization:
        raise incomplete(
            "", f"Unsupported authorization: {authorization.split(' ', 1)[0]!r} is not {ALGORITHM}."
        )
    raise NotAuthenticated("MissingAuthenticationToken", "Missing Authentication Token", 403)


def _header_claim(authorization: str, headers: Mapping[str, str]) -> Claim:
    fields = {}
    for item in authorization[len(ALGORITHM) :].split(","):
        name, _, value = item.strip().partition("=")
        fields[name] = value
    service = _service(fields.get("Credential", ""))
    missing = [name for name in _REQUIRED if not fields.get(name)]
    if missing:
        text = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise incomplete(service, f"{text} Authorization={authorization.split('Signature=')[0]}")
    stamp = headers.get("x-amz-date") or _http_date(headers.get("date"))
    if not stamp:
        raise incomplete(
            service, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    access_key, date, region, service = _credential(fields["Credential"])
    signed = tuple(fields["SignedHeaders"].lower().split(";"))
    token = headers.get("x-amz-security-token")
    _check_headers(service, signed, headers)
    return Claim(access_key, date, region, service, signed, fields["Signature"], stamp, token, None)


def _query_claim(query_string: str, headers: Mapping[str, str]) -> Claim:
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
        raise incomplete(service, f"AWS query-string parameters must include {', '.join(missing)}.")
    access_key, date, region, service = _credential(fields["X-Amz-Credential"])
    if fields["X-Amz-Algorithm"] != ALGORITHM or not fields["X-Amz-Expires"].isdigit():
        raise incomplete(
            service, "X-Amz-Algorithm only supports AWS4-HMAC-SHA256 and X-Amz-Expires must be a number."
        )
    signed = tuple(fields["X-Amz-SignedHeaders"].lower().split(";"))
    _check_headers(service, signed, headers)
    return Claim(
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
        raise incomplete(service, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
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
        raise incomplete(
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
