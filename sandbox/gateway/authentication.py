"""Who sends a request: its signature verified, its principal found."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from sandbox.engine.http import Request
from sandbox.engine.operations import AwsError
from sandbox.iam import signature_v2
from sandbox.iam.errors import Refused
from sandbox.iam.principals import Principal, principal_of, secret_of
from sandbox.iam.principals.principal import service_principal
from sandbox.iam.signature import BadToken, TokenExpired, UnknownKey, verify, verify_git


@dataclass(frozen=True)
class Identity:
    principal: Principal
    region: str


def signing_name(request: Request, default: str | None = None) -> str:
    """The service that a request is signed for; AwsError for a request without a signature."""
    if signature_v2.is_presigned(request.query):
        return "s3"
    header = request.headers.get("authorization", "")
    if header.startswith("AWS4-") and "Credential=" in header:
        credential = header.split("Credential=", 1)[1].split(",", 1)[0]
    else:
        credential = parse_qs(request.query).get("X-Amz-Credential", [""])[0]
    scope = credential.split("/")
    if len(scope) >= 5:
        return scope[-2]
    if default is not None:
        return default
    if "x-amz-target" in request.headers:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", status=400)
    raise AwsError("AccessDenied", "Access Denied", status=403)


def authenticate(request: Request, region: str) -> Identity:
    """Verifies the signature (header or presigned); AwsError with the service's own code.

    `region`: of a signature that names none.
    """
    asked = (request.method, request.path, request.query, request.headers)
    try:
        if signature_v2.is_presigned(request.query):
            signed = signature_v2.verify_presigned(*asked, region, secret_of)
        else:
            signed = verify(*asked, request.body, secret_of)
        principal = principal_of(signed.access_key, signed.session_token)
    except Refused as error:
        raise AwsError(error.code, error.message, status=error.status) from error
    except (UnknownKey, BadToken, TokenExpired) as error:
        raise AwsError(
            "InvalidClientTokenId", "The security token included in the request is invalid.", status=403
        ) from error
    if request.service:
        return Identity(service_principal(request.service, principal.account), signed.region)
    if request.via:
        principal = _through(principal, request.via)
    return Identity(principal, signed.region)


def _through(principal: Principal, via: tuple[str, ...]) -> Principal:
    from dataclasses import replace

    return replace(principal, via=via)


def authenticate_git(user: str, password: str, path: str, regions: list[str], hosts: list[str]) -> Identity:
    """CodeCommit's git credentials: the user is an access key (and token), the password a signature."""
    access_key, _, token = user.partition("%")
    try:
        secret = secret_of(access_key, token or None)
        for region in regions:
            if verify_git(user, password, path, region, hosts, secret):
                return Identity(principal_of(access_key, token or None), region)
    except Refused as error:
        raise AwsError(error.code, error.message, status=403) from error
    except (UnknownKey, BadToken, TokenExpired) as error:
        raise AwsError(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        ) from error
    raise AwsError(
        "SignatureDoesNotMatch",
        "The git credential's signature does not match: is the clock or the region off?",
    )
