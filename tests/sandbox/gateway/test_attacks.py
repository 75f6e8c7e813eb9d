"""Requests that no client sends: through sockets, byte by byte."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


def raw(sandbox: SandboxProcess, data: bytes, *, more: bool = False) -> tuple[int, bytes]:
    """Status and whole answer to these bytes; 0 where the connection was closed without a word.

    `more`: the request is not over, the connection stays open for writing.
    """
    with closing(socket.create_connection(("127.0.0.1", sandbox.running.port), timeout=30)) as connection:
        connection.sendall(data)
        if not more:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
                if more and b"\r\n\r\n" in answer:
                    break
        except ConnectionResetError:
            pass
    return (int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0), answer


def head(sandbox: SandboxProcess, line: str, *headers: str, host: str | None = None) -> bytes:
    lines = [line, f"Host: {host or f'127.0.0.1:{sandbox.running.port}'}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def signed(
    sandbox: SandboxProcess, service: str, method: str, path: str, body: bytes = b"", **headers: str
) -> bytes:
    """A request signed by root, its target as given."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, sandbox.url + path, data=body, headers=names)
    SigV4Auth(sandbox.session("root").get_credentials(), service, "us-east-1").add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "host"]
    return head(sandbox, f"{method} {path} HTTP/1.1", *lines, f"Content-Length: {len(body)}") + body


@pytest.mark.parametrize(
    "path",
    [
        "/moto-api",
        "/moto-api/",
        "/moto-api/reset",
        "//moto-api/reset",
        "/./moto-api/reset",
        "/x/../moto-api/reset",
        "/%6doto-api/reset",
        "/moto%2dapi/reset",
        "/moto-api%2freset",
        "/moto-api/data.json",
        "/moto-api/seed?a=1",
        "/moto-api/recorder/start-recording",
        "/moto-api/state-manager/set-transition",
        "/moto-api/proxy/passthrough",
        "/_aws/sts",
        "http://127.0.0.1/moto-api/reset",
        "http://motoapi.amazonaws.com/moto-api/reset",
    ],
)
@pytest.mark.parametrize("how", ["unsigned", "s3", "iam"])
def test_motos_own_interface_is_closed(sandbox: SandboxProcess, path: str, how: str) -> None:
    for method in ("POST", "GET"):
        if how == "unsigned":
            data = head(sandbox, f"{method} {path} HTTP/1.1", "Content-Length: 0")
        elif path.startswith("/"):
            data = signed(sandbox, how, method, path)
        else:
            continue
        status, answer = raw(sandbox, data)
        assert 400 <= status < 500, answer
        assert b"moto-api" not in answer.lower() or b"<Code>" in answer or b"__type" in answer
    assert sandbox.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_hosts_that_are_not_ours(sandbox: SandboxProcess) -> None:
    port = sandbox.running.port
    for host in (
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        f"127.0.0.1:{port}x",
        "",
        "0",
    ):
        assert raw(sandbox, head(sandbox, "GET / HTTP/1.1", host=host or " "))[0] in (400, 403), host
    assert raw(sandbox, b"GET / HTTP/1.1\r\n\r\n")[0] == 403
    assert raw(sandbox, head(sandbox, "GET / HTTP/1.1", "Host: evil.example"))[0] == 400
    assert raw(sandbox, head(sandbox, "GET http://evil.example/ HTTP/1.1"))[0] == 400
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        status, answer = raw(sandbox, head(sandbox, "GET / HTTP/1.1", host=host))
        assert status == 403 and b"AccessDenied" in answer


def test_pages_of_other_sites_get_nothing_and_no_leave_to_ask(sandbox: SandboxProcess) -> None:
    for header in (
        "Origin: https://evil.example",
        "Origin: null",
        "Origin: http://127.0.0.1:1",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ):
        for method in ("GET", "POST", "OPTIONS"):
            data = head(
                sandbox,
                f"{method} / HTTP/1.1",
                header,
                "Access-Control-Request-Method: PUT",
                "Content-Length: 0",
            )
            status, answer = raw(sandbox, data)
            assert status == 403 and b"access-control" not in answer.lower(), answer


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 3", "Transfer-Encoding: chunked"),
        ("Content-Length: 3", "Content-Length: 4"),
        ("Content-Length: +3",),
        ("Content-Length: -1",),
        ("Content-Length: 0x3",),
        ("Content-Length: 3, 3",),
        ("Content-Length: " + "9" * 30,),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding : chunked",),
        ("X-Folded: a\r\n b", "Content-Length: 3"),
        ("no colon at all", "Content-Length: 3"),
    ],
)
def test_a_request_whose_end_is_not_plain_is_refused_and_its_connection_closed(
    sandbox: SandboxProcess, headers: tuple[str, ...]
) -> None:
    smuggled = head(sandbox, "GET /smuggled HTTP/1.1")
    status, answer = raw(sandbox, head(sandbox, "POST / HTTP/1.1", *headers) + b"0\r\n\r\n" + smuggled)
    assert status == 400, answer
    assert answer.count(b"HTTP/1.1") == 1  # nobody answered what stood behind it


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"-1\r\nx\r\n",
        b"+1\r\nx\r\n0\r\n\r\n",
        b"0x1\r\nx\r\n0\r\n\r\n",
        b"1\nx\r\n0\r\n\r\n",
        b"1\r\nxy\r\n0\r\n\r\n",
    ]
    + [b"f" * 15 + b"\r\n", b"1_0\r\n", b"5\r\nab", b"\r\n", b"0\r\n" + b"a: b\r\n" * 100],
)
def test_chunks_are_read_strictly(sandbox: SandboxProcess, body: bytes) -> None:
    status, answer = raw(sandbox, head(sandbox, "POST / HTTP/1.1", "Transfer-Encoding: chunked") + body)
    assert status in (400, 413) and answer.count(b"HTTP/1.1") == 1, answer


def test_heads_have_a_size(sandbox: SandboxProcess) -> None:
    assert raw(sandbox, head(sandbox, "GET / HTTP/1.1", *(f"X-{n}: 1" for n in range(200))))[0] == 431
    assert raw(sandbox, head(sandbox, "GET / HTTP/1.1", "X: " + "a" * 70_000))[0] == 431
    assert raw(sandbox, head(sandbox, f"GET /{'a' * 70_000} HTTP/1.1"))[0] == 414
    assert raw(sandbox, b"\x00\x01\x02\r\n\r\n")[0] in (0, 400)
    for method in ("TRACE", "CONNECT", "BREW"):
        assert raw(sandbox, head(sandbox, f"{method} / HTTP/1.1"))[0] == 501


def test_bodies_have_the_size_of_their_service(sandbox: SandboxProcess) -> None:
    for service, most in (("codepipeline", 10 * 2**20), ("sagemaker", 25 * 2**20)):
        data = signed(sandbox, service, "POST", "/").replace(
            b"Content-Length: 0", b"Content-Length: %d" % (most + 1)
        )
        status, answer = raw(sandbox, data)
        assert status == 413 and b"RequestEntityTooLargeException" in answer, answer


@pytest.fixture
def idle(sandbox: SandboxProcess) -> Iterator[list[socket.socket]]:
    """Two hundred connections that say little or nothing."""
    with ExitStack() as stack:
        connections = []
        for number in range(200):
            connection = socket.create_connection(("127.0.0.1", sandbox.running.port), timeout=30)
            stack.enter_context(closing(connection))
            words = (b"", b"GET / HT", head(sandbox, "POST / HTTP/1.1", "Content-Length: 1000") + b"x")
            connection.sendall(words[number % 3])
            connections.append(connection)
        yield connections


def test_who_says_little_keeps_nobody_waiting(sandbox: SandboxProcess, idle: list[socket.socket]) -> None:
    began = time.monotonic()
    for _ in range(5):
        sandbox.client("sts").get_caller_identity()
    assert len(idle) == 200 and time.monotonic() - began < 60


def test_deep_and_explosive_documents_are_refused(sandbox: SandboxProcess) -> None:
    target = {"X_Amz_Target": "AWSEvents.PutEvents", "Content_Type": "application/x-amz-json-1.1"}
    deep = b'{"Entries": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    status, answer = raw(sandbox, signed(sandbox, "events", "POST", "/", deep, **target))
    assert status == 400, answer
    sandbox.client("s3").create_bucket(Bucket="attacks-xml")
    laughs = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    for document in (
        b'<!DOCTYPE x [<!ENTITY a0 "ha">' + laughs + b"]><Tagging><TagSet>&a9;</TagSet></Tagging>",
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Tagging><TagSet><Tag><Key>&a;</Key>'
        b"<Value>v</Value></Tag></TagSet></Tagging>",
        b"<Tagging>" + b"<a>" * 50_000,
    ):
        status, answer = raw(sandbox, signed(sandbox, "s3", "PUT", "/attacks-xml?tagging=", document))
        assert status == 400 and b"root:" not in answer, answer[:500]
    with pytest.raises(ClientError, match="nested too deeply|Invalid|malformed|not valid") as caught:
        sandbox.client("events").test_event_pattern(EventPattern="[" * 3000, Event="{}")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    bomb = gzip.compress(b"\0" * 10_000_000)
    assert (
        raw(sandbox, signed(sandbox, "events", "POST", "/", bomb, **target, Content_Encoding="gzip"))[0]
        == 400
    )


def test_what_a_presigned_url_asks_for_is_no_header_of_its_own(sandbox: SandboxProcess) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="attacks-split")
    s3.put_object(Bucket="attacks-split", Key="k", Body=b"x")
    url = s3.generate_presigned_url(
        "get_object",
        Params={"Bucket": "attacks-split", "Key": "k", "ResponseContentDisposition": "a\r\nSet-Cookie: b=c"},
    )
    status, answer = raw(sandbox, head(sandbox, f"GET {url.removeprefix(sandbox.url)} HTTP/1.1"))
    assert status in (200, 400) and b"\r\nSet-Cookie" not in answer


def test_state_and_keys_are_the_users_alone(sandbox: SandboxProcess) -> None:
    assert sandbox.state.stat().st_mode & 0o077 == 0
    for path in (sandbox.state / "aws", sandbox.state / "aws" / "credentials"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_no_secret_is_in_logs_or_on_a_command_line(sandbox: SandboxProcess) -> None:
    secrets = [
        sandbox._keys(name)["aws_secret_access_key"].encode() for name in ("root", "admin", "engineer")
    ]
    told = [(sandbox.state / "sandbox.log").read_bytes()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told.append((process / "cmdline").read_bytes())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended meanwhile
    assert not any(secret in text for secret in secrets for text in told)
