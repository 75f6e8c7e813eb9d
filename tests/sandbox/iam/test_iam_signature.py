"""Signatures, against requests that botocore signed."""

from __future__ import annotations

import string
import time
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from sandbox.iam.errors import NotAuthenticated
from sandbox.iam.signature import BadToken, TokenExpired, UnknownKey, verify, verify_git

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
HOST = "127.0.0.1:4566"


def lookup(access_key, token):
    match access_key, token:
        case "AKIAGOOD", None:
            return SECRET
        case "ASIAGOOD", "token":
            return SECRET
        case "ASIAOLD", _:
            raise TokenExpired(access_key)
        case "ASIAGOOD", _:
            raise BadToken(access_key)
    raise UnknownKey(access_key)


def signed(
    service,
    path="/",
    query="",
    *,
    method="POST",
    body=b"{}",
    key="AKIAGOOD",
    token=None,
    secret=SECRET,
    headers=None,
    expires=None,
):
    """(method, path, query, headers, body) as botocore signs and sends it."""
    url = f"http://{HOST}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, data=body, headers={"Host": HOST, **(headers or {})})
    credentials = Credentials(key, secret, token)
    if expires is not None:
        signer = (S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth)(
            credentials, service, "eu-west-1", expires=expires
        )
    else:
        signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "eu-west-1")
    signer.add_auth(request)
    parts = urlsplit(request.url)
    return [method, parts.path, parts.query, dict(request.headers.items()), body]


def code(*request, **more):
    with pytest.raises(NotAuthenticated) as caught:
        verify(*request, lookup, **more)
    return caught.value.code


names = st.text(string.ascii_letters + string.digits + "-_.~ +/%&=é☃'()*!,;:@$", min_size=1, max_size=20)


@given(
    st.lists(names, max_size=4),
    st.dictionaries(names, names, max_size=4),
    st.binary(max_size=40),
    st.sampled_from(["s3", "sagemaker", "iam"]),
)
def test_what_botocore_signs_holds(path, query, body, service):
    wire_path = "/" + "/".join(quote(part, safe="/~") for part in path)
    wire_query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query.items()
    )
    request = signed(service, wire_path, wire_query, body=body, token="token", key="ASIAGOOD")
    found = verify(*request, lookup)
    assert (found.access_key, found.region, found.service, found.session_token) == (
        "ASIAGOOD",
        "eu-west-1",
        service,
        "token",
    )


@given(st.lists(names, min_size=1, max_size=3), st.sampled_from(["s3", "sagemaker"]))
def test_what_botocore_presigns_holds(path, service):
    wire_path = "/" + "/".join(quote(part, safe="/~") for part in path)
    request = signed(service, wire_path, "x=1", method="GET", body=b"", expires=60)
    assert verify(*request, lookup).presigned


@pytest.mark.parametrize("service", ["s3", "sagemaker", "iam"])
@pytest.mark.parametrize("change", ["method", "path", "query", "header", "body", "secret"])
def test_anything_changed_breaks_it(service, change):
    request = signed(
        service,
        "/a",
        "x=1",
        headers={"X-Amz-Target": "T.Op"},
        secret="other" if change == "secret" else SECRET,
    )
    if change == "method":
        request[0] = "PUT"
    elif change == "path":
        request[1] = "/b"
    elif change == "query":
        request[2] = "x=2"
    elif change == "header":
        request[3]["X-Amz-Target"] = "T.Other"
    elif change == "body":
        request[4] = b"[]"
    expected = "InvalidSignatureException" if service == "sagemaker" else "SignatureDoesNotMatch"
    if (service, change) == ("s3", "body"):
        expected = "XAmzContentSHA256Mismatch"
    assert code(*request) == expected


def test_the_body_may_come_as_its_hash():
    import hashlib

    request = signed("sagemaker", body=b"abc")
    request[4] = hashlib.sha256(b"abc").hexdigest()
    assert verify(*request, lookup)


@pytest.mark.parametrize(
    "declared",
    ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"],
)
def test_unsigned_and_streamed_bodies(declared, monkeypatch):
    monkeypatch.setattr(S3SigV4Auth, "payload", lambda self, request: declared)
    request = signed("s3", "/b/k", method="PUT", body=b"abc")
    request[4] = b"something else"
    assert verify(*request, lookup)


@pytest.mark.parametrize(
    ("service", "unknown", "token", "expired"),
    [
        ("s3", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken"),
        ("iam", "InvalidClientTokenId", "InvalidClientTokenId", "ExpiredToken"),
        ("sagemaker", "UnrecognizedClientException", "UnrecognizedClientException", "ExpiredTokenException"),
    ],
)
def test_keys_and_tokens(service, unknown, token, expired):
    assert code(*signed(service, key="AKIANOBODY")) == unknown
    assert code(*signed(service, key="ASIAGOOD", token="other")) == token
    assert code(*signed(service, key="ASIAGOOD")) == token
    assert code(*signed(service, key="ASIAOLD", token="token")) == expired


@pytest.mark.parametrize("offset", [-16 * 60, 16 * 60])
@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("s3", "RequestTimeTooSkewed"),
        ("iam", "SignatureDoesNotMatch"),
        ("sagemaker", "InvalidSignatureException"),
    ],
)
def test_clock_skew(service, expected, offset):
    request = signed(service)
    assert verify(*request, lookup, now=time.time() + offset * 0.9)
    assert code(*request, now=time.time() + offset) == expected


def test_presigned_urls_run_out():
    assert (
        code(*signed("s3", "/b/k", method="GET", body=b"", expires=60), now=time.time() + 70)
        == "AccessDenied"
    )
    assert (
        code(*signed("sagemaker", "/x", method="GET", body=b"", expires=60), now=time.time() + 70)
        == "RequestExpired"
    )
    assert verify(*signed("s3", "/b/k", method="GET", body=b"", expires=3600), lookup, now=time.time() + 3500)


def test_no_signature_and_half_a_signature():
    assert code("GET", "/", "", {"Host": HOST}, b"") == "MissingAuthenticationToken"
    request = signed("iam")
    request[3]["Authorization"] = request[3]["Authorization"].split(", Signature")[0]
    assert code(*request) == "IncompleteSignature"
    request = signed("sagemaker")
    del request[3]["X-Amz-Date"]
    assert code(*request) == "IncompleteSignatureException"
    assert code("GET", "/", "", {"Authorization": "Basic abc"}, b"") == "IncompleteSignatureException"


def test_a_date_that_is_none():
    request = signed("sagemaker")
    request[3]["X-Amz-Date"] = "yesterday"
    assert code(*request) == "IncompleteSignatureException"
    request = signed("iam")
    request[3]["X-Amz-Date"] = "20200101T000000Z"
    assert code(*request) == "SignatureDoesNotMatch"


def test_host_must_be_signed():
    request = signed("sagemaker")
    request[3]["Authorization"] = request[3]["Authorization"].replace("host;", "")
    assert code(*request) == "IncompleteSignatureException"


def test_s3_refuses_headers_added_on_the_way():
    request = signed("s3", "/b/k", method="PUT")
    request[3]["x-amz-acl"] = "public-read"
    assert code(*request) == "AccessDenied"


def git_password(path, host, region="eu-west-1", secret=SECRET, at=None):
    """As the AWS CLI's credential helper makes it (awscli.customizations.codecommit)."""
    request = AWSRequest(method="GIT", url=f"https://{host}{path}")
    request.context["timestamp"] = time.strftime("%Y%m%dT%H%M%S", time.gmtime(at))
    signer = SigV4Auth(Credentials("AKIAGOOD", secret), "codecommit", region)
    text = signer.string_to_sign(request, f"GIT\n{path}\n\nhost:{host}\n\nhost\n")
    return f"{request.context['timestamp']}Z{signer.signature(text, request)}"


def test_git_credentials():
    path, hosts = "/v1/repos/r", ["git-codecommit.eu-west-1.amazonaws.com", HOST]
    for host in hosts:
        assert verify_git("AKIAGOOD", git_password(path, host), path, "eu-west-1", hosts, SECRET)
    good = git_password(path, HOST)
    assert not verify_git("AKIAGOOD", good, "/v1/repos/other", "eu-west-1", hosts, SECRET)
    assert not verify_git("AKIAGOOD", good, path, "eu-west-2", hosts, SECRET)
    assert not verify_git("AKIAGOOD", good, path, "eu-west-1", ["elsewhere"], SECRET)
    assert not verify_git("AKIAGOOD", good, path, "eu-west-1", hosts, "other")
    assert not verify_git(
        "AKIAGOOD", git_password(path, HOST, at=time.time() - 1000), path, "eu-west-1", hosts, SECRET
    )
    assert not verify_git("AKIAGOOD", "nonsense", path, "eu-west-1", hosts, SECRET)
