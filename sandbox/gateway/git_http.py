"""CodeCommit's git over HTTP: `git http-backend` behind WSGI at /v1/repos/<name>.

The password of CodeCommit's git clients is a SigV4 signature, so a push has a principal, and IAM decides
codecommit:GitPull and codecommit:GitPush for it. A push's changed refs are told to the CodeCommit service.
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.git import ENVIRONMENT
from sandbox.engine.operations import AwsError
from sandbox.iam.principals import Principal

PREFIX = "/v1/repos/"
LIMIT = 2 * 2**30
"""Bytes of one push: CodeCommit's documented limit."""

Pushed = Callable[[Engine, Principal, str, str, dict[str, str], dict[str, str]], None]
Authorize = Callable[[str, str, str, str, bool], tuple[Principal, str]]


class GitHttp:
    """`authorize(user, password, path, repository, write)` → (principal, region), or AwsError.

    `pushed(engine, principal, region, repository, before, after)` is told the refs around a push.
    """

    def __init__(self, engine: Engine, authorize: Authorize, pushed: Pushed) -> None:
        self._engine = engine
        self._authorize = authorize
        self._pushed = pushed

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        repository, _, rest = environ["PATH_INFO"][len(PREFIX) :].partition("/")
        push = rest == "git-receive-pack"
        write = push or "git-receive-pack" in environ.get("QUERY_STRING", "")
        credentials = _basic(environ.get("HTTP_AUTHORIZATION", ""))
        if credentials is None:
            return _plain(start_response, "401 Unauthorized", "", ("WWW-Authenticate", 'Basic realm="codecommit"'))
        try:
            principal, region = self._authorize(*credentials, f"{PREFIX}{repository}", repository, write)
        except AwsError as error:
            # git shows the body of a 403 only as "The requested URL returned error: 403", curl shows it whole.
            return _plain(start_response, "403 Forbidden", f"{error.code}: {error.message}\n")
        path = self._engine.git.path(principal.account, region, repository)
        if "/" in repository or repository.startswith(".") or not path.is_dir():
            return _plain(start_response, "404 Not Found", f"repository {repository} not found\n")
        if not push:
            return self._backend(environ, start_response, path, rest, principal)
        with self._engine.git.lock(path):
            before = self._engine.git.refs(path)
            answer = list(self._backend(environ, start_response, path, rest, principal))
            after = self._engine.git.refs(path)
            if before != after:
                self._pushed(self._engine, principal, region, repository, before, after)
        return answer

    def _backend(
        self, environ: dict[str, Any], start_response: Callable[..., Any], path: Path, rest: str, principal: Principal
    ) -> Iterable[bytes]:
        names = ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "HTTP_CONTENT_ENCODING", "HTTP_GIT_PROTOCOL")
        variables = {name: environ[name] for name in names if environ.get(name)} | ENVIRONMENT
        variables |= {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "GIT_PROJECT_ROOT": str(path.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{path.name}/{rest}",
            "REMOTE_USER": principal.arn,
        }
        if environ.get("HTTP_GIT_PROTOCOL"):
            variables["GIT_PROTOCOL"] = environ["HTTP_GIT_PROTOCOL"]
        process = subprocess.Popen(
            ["git", "http-backend"], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=path
        )
        assert process.stdin and process.stdout
        try:
            for chunk in _body(environ):
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:
            pass  # git has answered before it read all: its answer below says why
        status, headers = "200 OK", []
        for raw in iter(process.stdout.readline, b""):
            line = raw.decode().rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(": ")
            if name == "Status":
                status = value
            else:
                headers.append((name, value))
        body = process.stdout.read()
        process.wait()
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]


def _basic(header: str) -> tuple[str, str] | None:
    if not header.startswith("Basic "):
        return None
    try:
        user, _, password = base64.b64decode(header[6:]).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _plain(
    start_response: Callable[..., Any], status: str, text: str, *headers: tuple[str, str]
) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *headers])
    return [body]


def _body(environ: dict[str, Any]) -> Iterator[bytes]:
    """The request's body in pieces; chunked bodies are decoded by the server."""
    stream = environ["wsgi.input"]
    left = int(environ["CONTENT_LENGTH"]) if environ.get("CONTENT_LENGTH") else None
    if left is None and not environ.get("wsgi.input_terminated"):
        return
    total = 0
    while left is None or left > 0:
        chunk = stream.read(65536 if left is None else min(65536, left))
        if not chunk:
            return
        total += len(chunk)
        if total > LIMIT:
            raise AwsError("MaximumRepositorySizeExceeded", f"a push may carry {LIMIT} bytes at most")
        if left is not None:
            left -= len(chunk)
        yield chunk
