"""CodeCommit's git over HTTP: `git http-backend` at /v1/repos/<name>.

The password of CodeCommit's git clients is a SigV4 signature, so a push has a principal, and IAM decides
codecommit:GitPull and codecommit:GitPush for it. A push's changed refs are told to the CodeCommit service.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from sandbox.engine.engine import Engine
from sandbox.engine.git import ENVIRONMENT, PUSH
from sandbox.engine.http import Request, Response
from sandbox.engine.operations import AwsError
from sandbox.gateway.authentication import Identity
from sandbox.gateway.authorization import AuthenticateGit, AuthorizeGit
from sandbox.iam.principals import Principal

PREFIX = "/v1/repos/"
Pushing = Callable[[Engine, Principal, str, str], AbstractContextManager[None]]
SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")
"""What git's smart protocol asks for. Anything else is no request of it, and its permission is not known."""
COMMANDS = 1 << 20
"""Bytes in which a push must have told what it changes."""


class GitHttp:
    """`authenticate(user, password, repository)` gives an Identity or raises AwsError;
    `authorize(identity, repository, write, references)` raises it.

    `pushing(engine, principal, region, repository)` is what a push happens in: it tells what was changed.
    """

    def __init__(
        self, engine: Engine, authenticate: AuthenticateGit, authorize: AuthorizeGit, pushing: Pushing
    ) -> None:
        self._engine = engine
        self._authenticate = authenticate
        self._authorize = authorize
        self._pushing = pushing

    def __call__(self, request: Request, body: Iterator[bytes]) -> Response:
        repository, _, rest = request.path[len(PREFIX) :].partition("/")
        push = rest == "git-receive-pack"
        credentials = _basic(request.headers.get("authorization", ""))
        if credentials is None:
            return _plain(body, 401, "", {"WWW-Authenticate": 'Basic realm="codecommit"'})
        try:
            identity = self._authenticate(*credentials, repository)
            references, body = references_of(body) if push else ((), body)
            write = push or "git-receive-pack" in request.query
            self._authorize(identity, repository, write, references)
        except AwsError as error:
            # git shows a 403 only as "The requested URL returned error: 403", curl shows the text.
            return _plain(body, 403, f"{error.code}: {error.message}\n")
        path = self._engine.git.path(identity.principal.account, identity.region, repository)
        if rest not in SERVICES or repository.startswith(".") or not path.is_dir():
            return _plain(body, 404, f"repository {repository} not found\n")
        if not push:
            return _backend(request, body, path, rest, identity)
        with self._pushing(self._engine, identity.principal, identity.region, repository):
            return _backend(request, body, path, rest, identity)


def references_of(body: Iterator[bytes]) -> tuple[tuple[str, ...], Iterator[bytes]]:
    """The references that a push's commands name, and the body as it was (git protocol, "Reference Update").

    Commands are pkt-lines `<old> <new> <reference>` before the first flush packet; AwsError if not.
    """
    head, position, names = b"", 0, []
    for piece in body:
        head += piece
        while len(head) >= position + 4:
            size = _packet_size(head[position : position + 4])
            if size == 0:
                return tuple(names), itertools.chain([head], body)
            if len(head) < position + size:
                break
            line = head[position + 4 : position + size].split(b"\0")[0].decode(errors="replace").strip()
            if not line.startswith(("shallow ", "push-cert")):
                names.append(line.split(" ", 2)[-1])
            position += size
        if len(head) > COMMANDS:
            break
    raise AwsError("InvalidRequest", "the push does not tell which references it changes", status=400)


def _packet_size(digits: bytes) -> int:
    try:
        size = int(digits, 16)
    except ValueError:
        size = -1
    if size < 0 or 0 < size < 4:
        raise AwsError("InvalidRequest", "the push is not in git's protocol", status=400)
    return size


def _backend(request: Request, body: Iterator[bytes], path: Path, rest: str, identity: Identity) -> Response:
    variables = ENVIRONMENT | {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "GIT_PROJECT_ROOT": str(path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{path.name}/{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query,
        "REMOTE_USER": identity.principal.arn,
    }
    headers = {
        "content-type": "CONTENT_TYPE",
        "content-encoding": "HTTP_CONTENT_ENCODING",
        "git-protocol": "GIT_PROTOCOL",
    }
    variables |= {
        name: request.headers[header] for header, name in headers.items() if header in request.headers
    }
    process = subprocess.Popen(
        ["git", "http-backend"], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=path
    )
    assert process.stdin and process.stdout
    total = 0
    try:
        for piece in body:
            total += len(piece)
            if total > PUSH:
                process.kill()
                return Response(413, {}, f"a push may carry {PUSH} bytes at most\n".encode())
            process.stdin.write(piece)
        process.stdin.close()
    except BrokenPipeError:
        for _ in body:
            continue  # git has answered before it read all: its answer below says why
    answer = _read(process.stdout.read())
    process.wait()
    return answer


def _read(output: bytes) -> Response:
    """CGI's answer: headers, an empty line, the body."""
    head, _, body = output.partition(b"\r\n\r\n")
    status, headers = 200, {}
    for line in head.decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name == "Status":
            status = int(value.split()[0])
        elif name:
            headers[name] = value
    return Response(status, headers, body)


def _basic(header: str) -> tuple[str, str] | None:
    if not header.startswith("Basic "):
        return None
    try:
        user, _, password = base64.b64decode(header[6:]).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _plain(body: Iterator[bytes], status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    for _ in body:
        continue  # read to its end, or the connection cannot be used again
    return Response(status, {"Content-Type": "text/plain"} | (headers or {}), text.encode())
