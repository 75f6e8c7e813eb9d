"""S3's upload by a form: its signed policy verified, then the PutObject that it stands for sent on.

Source: "POST Object" in the Amazon S3 API reference and "Creating a POST policy" in its user guide. IAM
decides the PutObject as that of whoever signed the policy.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import json
import time
from calendar import timegm
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from sandbox.engine.http import Request, Response
from sandbox.iam.errors import NotAuthenticated
from sandbox.iam.principals import secret_of
from sandbox.iam.signature import sign
from sandbox.iam.signature_refusals import mismatch
from sandbox.iam.signature_v2 import secret_of as secret_for_s3
from sandbox.iam.signature_v2 import sign_policy

UNSIGNED = ("x-amz-signature", "signature", "awsaccesskeyid", "file", "policy")
"""Fields that a policy need not speak of, beside those that begin with x-ignore-."""
HEADERS = ("cache-control", "content-type", "content-disposition", "content-encoding", "expires")
FORM = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature")
"""Fields of Amazon's that speak of the form and not of the object."""


@dataclass(frozen=True)
class Form:
    """`fields`: those before the file, by their names in lower case."""

    bucket: str
    fields: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Signer:
    access_key: str
    secret: str
    token: str | None
    region: str


def is_upload(request: Request) -> bool:
    """Whether a request is a form for a bucket: those carry their signature among their fields."""
    kind = request.headers.get("content-type", "")
    return (
        request.method == "POST"
        and kind.startswith("multipart/form-data")
        and "authorization" not in request.headers
        and len(request.path) > 1
    )


def answer(request: Request, region: str, handle: Callable[[Request], Response]) -> Response:
    """Verifies the form and sends its PutObject through `handle`.

    `region`: of a signature that names none.
    """
    try:
        form = _read(request)
        signer = _signer(form.fields, region)
        _check_policy(form)
    except NotAuthenticated as error:
        body = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        return Response(error.status, {"Content-Type": "application/xml"}, body.encode())
    stored = handle(_put(request, form, signer))
    return stored if stored.status >= 300 else _created(request, form, stored)


def _read(request: Request) -> Form:
    from werkzeug.formparser import FormDataParser

    parser = FormDataParser(max_form_memory_size=None)
    kind, _, options = request.headers["content-type"].partition(";")
    boundary = {"boundary": options.partition("boundary=")[2].partition(";")[0].strip().strip('"')}
    try:
        _, form, files = parser.parse(io.BytesIO(request.body), kind, len(request.body), boundary)
    except ValueError as error:
        text = "The body of your POST request is not well-formed multipart/form-data."
        raise NotAuthenticated("MalformedPOSTRequest", text, 400) from error
    file = files.get("file")
    if file is None:
        raise NotAuthenticated("InvalidArgument", "POST requires exactly one file upload per request.", 400)
    fields = {name.lower(): value for name, value in form.items()}
    if not fields.get("key"):
        text = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order"
        raise NotAuthenticated("InvalidArgument", f"{text} of the fields.", 400)
    fields["key"] = fields["key"].replace("${filename}", (file.filename or "").rpartition("/")[2])
    return Form(request.path.strip("/"), fields, file.read())


def _signer(fields: dict[str, str], region: str) -> Signer:
    """Who signed the policy, with either version of the signature."""
    policy, token = fields.get("policy"), fields.get("x-amz-security-token")
    if policy is None:
        raise NotAuthenticated("AccessDenied", "Access Denied", 403)  # no anonymous writes
    if "x-amz-signature" in fields:
        scope = fields.get("x-amz-credential", "").split("/")
        if len(scope) != 5 or scope[3:] != ["s3", "aws4_request"]:
            raise NotAuthenticated(
                "AuthorizationQueryParametersError",
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
                '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
                400,
            )
        access_key, region, given = scope[0], scope[2], fields["x-amz-signature"]
        secret = secret_for_s3(access_key, token, secret_of)
        expected = sign(secret, scope[1], region, "s3", policy)
    else:
        access_key, given = fields.get("awsaccesskeyid", ""), fields.get("signature", "")
        secret = secret_for_s3(access_key, token, secret_of)
        expected = sign_policy(secret, policy)
    if not hmac.compare_digest(expected, given):
        raise mismatch("s3")
    return Signer(access_key, secret, token, region)


def _check_policy(form: Form) -> None:
    """NotAuthenticated where the policy has run out or the form is not one that it lets through."""
    try:
        policy = json.loads(base64.b64decode(form.fields["policy"]))
        expires = timegm(
            time.strptime(policy["expiration"].partition(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S")
        )
        conditions = policy["conditions"]
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAuthenticated("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.", 400) from error
    if time.time() > expires:
        raise _against("Policy expired.")
    told = form.fields | {"bucket": form.bucket}
    named = {"bucket"}
    for condition in conditions:
        rule = _rule(condition)
        if rule[0] == "content-length-range":
            _check_size(len(form.body), *rule[1:])
            continue
        operator, name, wanted = rule
        named.add(name)
        value = told.get(name, "")
        if not (value.startswith(wanted) if operator == "starts-with" else value == wanted):
            raise _against(f"Policy Condition failed: {json.dumps([operator, '$' + name, wanted])}")
    extra = [
        name for name in form.fields if name not in (*named, *UNSIGNED) and not name.startswith("x-ignore-")
    ]
    if extra:
        raise _against(f"Extra input fields: {', '.join(extra)}")


def _rule(condition: Any) -> tuple[Any, Any, Any]:
    """(operator, field or lowest, value or highest)."""
    if isinstance(condition, dict) and len(condition) == 1:
        ((name, value),) = condition.items()
        return "eq", name.lower(), str(value)
    if isinstance(condition, list) and len(condition) == 3 and isinstance(condition[0], str):
        operator = condition[0].lower()
        if operator == "content-length-range":
            return operator, int(condition[1]), int(condition[2])
        if operator in ("eq", "starts-with") and str(condition[1]).startswith("$"):
            return operator, condition[1][1:].lower(), str(condition[2])
    raise NotAuthenticated("InvalidPolicyDocument", "Invalid Policy: Invalid 'conditions' value.", 400)


def _check_size(size: int, low: int, high: int) -> None:
    if size > high:
        raise NotAuthenticated("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400)
    if size < low:
        raise NotAuthenticated(
            "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400
        )


def _against(reason: str) -> NotAuthenticated:
    return NotAuthenticated("AccessDenied", f"Invalid according to Policy: {reason}", 403)


def _put(request: Request, form: Form, signer: Signer) -> Request:
    """The PutObject, signed by who signed the policy."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {
        name: value
        for name, value in form.fields.items()
        if name in HEADERS or (name.startswith("x-amz-") and name not in FORM)
    }
    if "acl" in form.fields:
        headers["x-amz-acl"] = form.fields["acl"]
    if "tagging" in form.fields:
        headers["x-amz-tagging"] = _tagging(form.fields["tagging"])
    path = f"/{form.bucket}/{quote(form.fields['key'], safe='/-_.~')}"
    put = AWSRequest("PUT", f"http://{request.headers['host']}{path}", data=form.body, headers=headers)
    put.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(signer.access_key, signer.secret, signer.token), "s3", signer.region).add_auth(
        put
    )
    signed = {name.lower(): str(value) for name, value in put.headers.items()}
    signed |= {"host": request.headers["host"], "content-length": str(len(form.body))}
    return Request("PUT", path, "", signed, form.body, remote=request.remote)


def _tagging(document: str) -> str:
    """The XML of a form's tags as the header of a PutObject has them."""
    from xml.etree import ElementTree

    try:
        tags = ElementTree.fromstring(document).iter("Tag")
        return urlencode([(tag.findtext("Key", ""), tag.findtext("Value", "")) for tag in tags])
    except ElementTree.ParseError as error:
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        raise NotAuthenticated("MalformedXML", text, 400) from error


def _created(request: Request, form: Form, stored: Response) -> Response:
    key = form.fields["key"]
    etag = next((value for name, value in stored.headers.items() if name.lower() == "etag"), "")
    location = f"http://{request.headers['host']}/{form.bucket}/{quote(key, safe='')}"
    headers = {"ETag": etag, "Location": location}
    target = form.fields.get("success_action_redirect") or form.fields.get("redirect")
    if target:
        told = urlencode({"bucket": form.bucket, "key": key, "etag": etag})
        return Response(303, headers | {"Location": f"{target}{'&' if '?' in target else '?'}{told}"})
    status = form.fields.get("success_action_status")
    if status == "201":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<PostResponse><Location>{escape(location)}</Location><Bucket>{escape(form.bucket)}</Bucket>"
            f"<Key>{escape(key)}</Key><ETag>{escape(etag)}</ETag></PostResponse>"
        )
        return Response(201, headers | {"Content-Type": "application/xml"}, body.encode())
    return Response(200 if status == "200" else 204, headers)
