"""S3 as boto3 and a plain HTTP client speak to it: presigned URLs and forms, checksums, parts, paginators."""

from __future__ import annotations

import base64
import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from sandbox.gateway import digests
from sandbox.state import certificates
from tests.sandbox_process import SandboxProcess

BUCKET = "sagemaker-clients-objects"


@pytest.fixture(scope="module")
def s3(sandbox: SandboxProcess) -> Iterator[Any]:
    client = sandbox.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.get_waiter("bucket_exists").wait(Bucket=BUCKET)
    yield client


def ask(url: str, data: bytes | None = None, method: str | None = None, **headers: str) -> tuple[int, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, named, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_presigned_urls(sandbox: SandboxProcess, s3: Any, version: str | None) -> None:
    client = sandbox.client("s3", signature_version=version)
    where = {"Bucket": BUCKET, "Key": f"a folder/{version}+ü"}
    put = client.generate_presigned_url("put_object", Params=where)
    assert ("X-Amz-Signature" in put) == (version is not None)
    assert ask(put, b"data", "PUT", Content_Type="")[0] == 200
    get = client.generate_presigned_url("get_object", Params=where | {"ResponseContentType": "text/x-mine"})
    assert ask(get) == (200, b"data")
    assert ask(get, method="DELETE")[0] == 403
    status, body = ask(get.replace("a%20folder", "b%20folder"))
    assert status == 403 and b"SignatureDoesNotMatch" in body
    gone = client.generate_presigned_url("get_object", Params=where, ExpiresIn=-1)
    status, body = ask(gone)
    assert status in (400, 403), body
    # The URL may what its principal may.
    poor = sandbox.client("s3", "team", signature_version=version)
    status, body = ask(poor.generate_presigned_url("put_object", Params=where), b"", "PUT", Content_Type="")
    assert status == 403 and b"AccessDenied" in body


def test_presigned_urls_of_a_role(sandbox: SandboxProcess, s3: Any) -> None:
    import json

    import boto3

    iam, name = sandbox.client("iam"), "clients-presigning"
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=_policy(allow))
    s3.put_object(Bucket=BUCKET, Key="of-a-role", Body=b"seen")
    caller = _user_who_may(sandbox, "sts:AssumeRole", role)
    issued = caller.client("sts", endpoint_url=sandbox.url).assume_role(RoleArn=role, RoleSessionName="urls")
    keys = issued["Credentials"]
    for version in (None, "s3v4"):
        client = boto3.client(
            "s3",
            endpoint_url=sandbox.url,
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            config=Config(signature_version=version),
        )
        url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "of-a-role"})
        assert ask(url) == (200, b"seen")
        form = client.generate_presigned_post(BUCKET, "form")
        assert post(form)[0] == 403  # it may read
        assert json.dumps(form["fields"]).count("oken") == 1


def _policy(statement: dict[str, Any]) -> str:
    import json

    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _user_who_may(sandbox: SandboxProcess, action: str, resource: str) -> Any:
    import boto3

    iam, name = sandbox.client("iam"), "clients-" + action.partition(":")[2].lower()
    iam.create_user(UserName=name)
    allow = _policy({"Effect": "Allow", "Action": action, "Resource": resource})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=allow)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")


def post(form: dict[str, Any], body: bytes = b"posted", **more: str) -> tuple[int, bytes]:
    """The form as a browser sends it."""
    edge = "----edge"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (form["fields"] | more).items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    data = b"".join(parts) + f"{head}Content-Type: text/plain\r\n\r\n".encode() + body
    kind = f"multipart/form-data; boundary={edge}"
    return ask(form["url"], data + f"\r\n--{edge}--\r\n".encode(), Content_Type=kind)


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_forms(sandbox: SandboxProcess, s3: Any, version: str | None) -> None:
    client = sandbox.client("s3", signature_version=version)
    fields = {"success_action_status": "201", "Content-Type": "text/x-mine", "x-amz-meta-a": "b"}
    form = client.generate_presigned_post(
        BUCKET,
        "forms/${filename}",
        Fields=fields,
        Conditions=[
            {"success_action_status": "201"},
            ["starts-with", "$Content-Type", "text/"],
            {"x-amz-meta-a": "b"},
            ["content-length-range", 1, 20],
        ],
    )
    status, body = post(form)
    assert status == 201 and b"<Key>forms/a.txt</Key>" in body, body
    stored = s3.get_object(Bucket=BUCKET, Key="forms/a.txt")
    assert stored["Body"].read() == b"posted"
    assert (stored["ContentType"], stored["Metadata"]) == ("text/x-mine", {"a": "b"})
    for code, refused in (
        (b"EntityTooLarge", post(form, b"x" * 21)),
        (b"EntityTooSmall", post(form, b"")),
        (b"Extra input fields: acl", post(form, acl="private")),
        (b"Policy Condition failed", post(form, **{"Content-Type": "image/png"})),
        (b"SignatureDoesNotMatch", post(form, policy=base64.b64encode(b"{}").decode())),
        (b"Policy expired", post(client.generate_presigned_post(BUCKET, "k", ExpiresIn=-5))),
        (b"s3:PutObject", post(sandbox.client("s3", "team").generate_presigned_post(BUCKET, "k"))),
    ):
        assert refused[0] in (400, 403) and code in refused[1], (code, refused)


def test_objects_of_any_type(s3: Any) -> None:
    """The door parses heads as those of mail: types that mean something to mail are none of its business."""
    for kind in ("multipart/form-data; boundary=x", "multipart/mixed", "message/rfc822", "message/http"):
        s3.put_object(Bucket=BUCKET, Key="typed", Body=b"x", ContentType=kind)
        assert s3.head_object(Bucket=BUCKET, Key="typed")["ContentType"] == kind


def test_digests_are_held_against_the_body(s3: Any) -> None:
    body = os.urandom(1000) + b"end"
    for algorithm, digest in digests.ALGORITHMS.items():
        if algorithm in ("md5", "sha512"):
            continue
        right = base64.b64encode(digest(body)).decode()
        member = "Checksum" + algorithm.upper()
        answer = s3.put_object(Bucket=BUCKET, Key="digest", Body=body, **{member: right})
        assert answer[member] == right
        with pytest.raises(ClientError, match="BadDigest.*did not match the calculated checksum"):
            s3.put_object(Bucket=BUCKET, Key="other", Body=body + b"!", **{member: right})
        with pytest.raises(ClientError, match="InvalidRequest"):
            s3.put_object(Bucket=BUCKET, Key="other", Body=body, **{member: "AA=="})
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    s3.put_object(Bucket=BUCKET, Key="digest", Body=body, ContentMD5=md5)
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"", ContentMD5=md5)
    with pytest.raises(ClientError, match="InvalidDigest"):
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"", ContentMD5="AA==")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key="other")


def test_check_values_of_the_cyclic_redundancy_checks() -> None:
    """The catalogue's values for the nine digits (reveng.sourceforge.io/crc-catalogue)."""
    found = {name: digests.ALGORITHMS[name](b"123456789").hex() for name in ("crc32", "crc32c", "crc64nvme")}
    assert found == {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


def test_the_transfer_manager_in_parts(s3: Any, tmp_path: Path) -> None:
    body = os.urandom(20 * 2**20 + 7)
    (tmp_path / "up").write_bytes(body)
    s3.upload_file(str(tmp_path / "up"), BUCKET, "parts", Config=TransferConfig(max_concurrency=4))
    head = s3.head_object(Bucket=BUCKET, Key="parts", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-3"') and head["ContentLength"] == len(body)
    s3.download_file(BUCKET, "parts", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == body
    s3.copy({"Bucket": BUCKET, "Key": "parts"}, BUCKET, "copied")
    assert s3.head_object(Bucket=BUCKET, Key="copied")["ContentLength"] == len(body)


def test_trailers_over_tls(sandbox: SandboxProcess, s3: Any) -> None:
    """Over TLS, boto3 sends a body in chunks with its checksum behind it."""
    trusted = str(certificates.authority(sandbox.state))
    secure = sandbox.session("root").client(
        "s3", endpoint_url=sandbox.url.replace("http:", "https:"), verify=trusted
    )
    sent: list[Any] = []
    secure.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request.headers))
    body = os.urandom(300_000)
    answer = secure.put_object(Bucket=BUCKET, Key="trailer", Body=body)
    assert sent[0]["X-Amz-Trailer"] == b"x-amz-checksum-crc32" or "crc32" in str(sent[0]["X-Amz-Trailer"])
    stored = secure.get_object(Bucket=BUCKET, Key="trailer", ChecksumMode="ENABLED")
    assert stored["Body"].read() == body and stored.get("ContentEncoding", "") == ""
    assert stored["ChecksumCRC32"] == answer["ChecksumCRC32"]


def test_chunks_that_are_not_whole_are_refused() -> None:
    body = b"3\r\nabc\r\n2;chunk-signature=x\r\nde\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n"
    assert digests.decoded(body) == (b"abcde", {"x-amz-checksum-crc32": "AA=="})
    for cut in (body[:6], body[:20], b"zz\r\n", b""):
        with pytest.raises(Exception, match="IncompleteBody"):
            digests.decoded(cut)


def test_waiters_and_paginators(s3: Any) -> None:
    for index in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"page/{index}")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="page/", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["Contents"]) for page in pages] == [2, 2, 1]
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="page/0")
    once = {"Delay": 1, "MaxAttempts": 1}
    s3.get_waiter("object_not_exists").wait(Bucket=BUCKET, Key="none", WaiterConfig=once)
    s3.get_waiter("bucket_not_exists").wait(Bucket="clients-none", WaiterConfig=once)
    with pytest.raises(WaiterError, match="Max attempts"):
        s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="none", WaiterConfig=once)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_modes_of_retrying(sandbox: SandboxProcess, mode: str) -> None:
    client = sandbox.client("sts", retries={"mode": mode, "max_attempts": 2})
    assert client.get_caller_identity()["Arn"].endswith(":root")
