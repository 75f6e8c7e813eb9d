"""S3's older signature in a URL or a form, verified: boto3 still presigns with it in us-east-1.

Source: "Signing and authenticating REST requests (AWS signature version 2)" and "Browser-based uploads using
POST (AWS signature version 2)" in the Amazon S3 user guide. Requests signed with it in a header are refused:
no client that is kept up sends them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from sandbox.iam.errors import NotAuthenticated
from sandbox.iam.signature import BadToken, LookupSecret, Signed, TokenExpired, UnknownKey
from sandbox.iam.signature_refusals import bad_token, mismatch, token_expired, unknown_key


def is_presigned(query: str) -> bool:
    """Whether a query carries this signature."""
    return (
        "AWSAccessKeyId=" in query
        and {"AWSAccessKeyId", "Signature", "Expires"} <= dict(_pairs(query)).keys()
    )


def verify_presigned(
    method: str,
    raw_path: str,
    query: str,
    headers: Mapping[str, str],
    region: str,
    lookup_secret: LookupSecret,
    *,
    now: float | None = None,
) -> Signed:
    """Verifies a presigned request; the signature names no region, so `region` is the one it is taken for.

    `headers`: names in lower case. Raises NotAuthenticated with S3's codes.
    """
    fields = dict(_pairs(query))
    access_key, expires = fields["AWSAccessKeyId"], fields["Expires"]
    # A presigned URL carries as a query what a request would carry as a header.
    signed = {
        name: value
        for source in (headers, {name.lower(): value for name, value in fields.items()})
        for name, value in source.items()
        if name.startswith("x-amz-") or name in ("content-md5", "content-type")
    }
    token = signed.get("x-amz-security-token")
    secret = secret_of(access_key, token, lookup_secret)
    if not expires.isdigit():
        raise NotAuthenticated(
            "AccessDenied", "Invalid date (should be seconds since epoch): " + expires, 403
        )
    if not hmac.compare_digest(
        _signature(secret, method, raw_path, query, signed, expires), fields["Signature"]
    ):
        raise mismatch("s3")
    if (time.time() if now is None else now) > int(expires):
        raise NotAuthenticated("AccessDenied", "Request has expired", 403)
    return Signed(access_key, region, "s3", token, presigned=True)


def secret_of(access_key: str, token: str | None, lookup_secret: LookupSecret) -> str:
    """Raises NotAuthenticated as S3 does for a key that is not known or no longer good."""
    try:
        return lookup_secret(access_key, token)
    except UnknownKey as error:
        raise unknown_key("s3") from error
    except BadToken as error:
        raise bad_token("s3") from error
    except TokenExpired as error:
        raise token_expired("s3") from error


def sign_policy(secret: str, policy: str) -> str:
    """The signature of a POST policy (in base64)."""
    return base64.b64encode(hmac.digest(secret.encode(), policy.encode(), hashlib.sha1)).decode()


def _signature(
    secret: str, method: str, raw_path: str, query: str, signed: Mapping[str, str], expires: str
) -> str:
    from botocore.auth import HmacV1Auth

    custom = [f"{name}:{signed[name].strip()}" for name in sorted(signed) if name.startswith("x-amz-")]
    # The signer's list of arguments that name a sub-resource is used, and its form of them.
    resource = HmacV1Auth(None).canonical_resource(urlsplit(f"{raw_path}?{query}"))
    lines = (method.upper(), signed.get("content-md5", ""), signed.get("content-type", ""), expires)
    text = "\n".join((*lines, *custom, resource))
    return sign_policy(secret, text)


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)
