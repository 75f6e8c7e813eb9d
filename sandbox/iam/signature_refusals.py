"""How services refuse a signature: S3, the query services and the JSON services, each in its own words."""

from __future__ import annotations

from sandbox.iam.errors import NotAuthenticated

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

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


def _json(service: str) -> bool:
    return service != "s3" and service not in QUERY_SERVICES


def incomplete(service: str, text: str) -> NotAuthenticated:
    if service == "s3":
        return NotAuthenticated(
            "AuthorizationHeaderMalformed", f"The authorization header is malformed; {text}", 400
        )
    return NotAuthenticated(
        "IncompleteSignatureException" if _json(service) else "IncompleteSignature", text, 400
    )


def mismatch(service: str, text: str = _MISMATCH) -> NotAuthenticated:
    if service == "s3" and text is _MISMATCH:
        text = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method."
        )
    if _json(service):
        return NotAuthenticated("InvalidSignatureException", text, 400)
    return NotAuthenticated("SignatureDoesNotMatch", text, 403)


def unknown_key(service: str) -> NotAuthenticated:
    if service == "s3":
        text = "The AWS Access Key Id you provided does not exist in our records."
        return NotAuthenticated("InvalidAccessKeyId", text, 403)
    return _invalid_token(service)


def bad_token(service: str) -> NotAuthenticated:
    if service == "s3":
        return NotAuthenticated("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    return _invalid_token(service)


def _invalid_token(service: str) -> NotAuthenticated:
    text = "The security token included in the request is invalid."
    if _json(service):
        return NotAuthenticated("UnrecognizedClientException", text, 400)
    return NotAuthenticated("InvalidClientTokenId", text, 403)


def token_expired(service: str) -> NotAuthenticated:
    if service == "s3":
        return NotAuthenticated("ExpiredToken", "The provided token has expired.", 400)
    text = "The security token included in the request is expired"
    if _json(service):
        return NotAuthenticated("ExpiredTokenException", text, 400)
    return NotAuthenticated("ExpiredToken", text, 403)
