"""The sandbox's process: `python -m sandbox.server`. Users start it with `mlops sandbox start`."""

from __future__ import annotations

import argparse
import errno
import gc
import logging
import os
import signal
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine.engine import Engine, Settings
from sandbox.engine.http import Request, Response
from sandbox.engine.shared_clients import Credentials
from sandbox.state import client_files, location

if TYPE_CHECKING:
    from sandbox.gateway.http import HttpServer

DEFAULT_PORT = 4666


class Sandbox:
    """Everything put together: engine, moto, gateway, server."""

    def __init__(self, settings: Settings, port: int | None) -> None:
        from sandbox.gateway import authorization, chain, services
        from sandbox.gateway.git_http import GitHttp
        from sandbox.gateway.moto import Moto
        from sandbox.gateway.tls import Tls
        from sandbox.iam.principals.role_policies import role_policies
        from sandbox.state.decisions import DecisionRecords
        from sandbox.state.moto_records import MotoRecords

        self.settings = settings
        self.engine = Engine(settings)
        self.moto = Moto(settings.account)
        self.records = MotoRecords(settings.state, settings.account, self.moto)
        self.records.load()
        self.decisions = DecisionRecords(settings.state, authorization.LEDGER, role_policies)
        services.load()

        def handle(request: Request) -> Response:
            return chain.handle(self.engine, self.moto, request)

        from sandbox.gateway import forms
        from sandbox.services.codecommit import pushes

        self.engine.clients.transport = handle
        self.engine.clients.authorize = authorization.of_session(self.engine)
        self.engine.clients.handles = authorization.handles
        git = GitHttp(self.engine, *authorization.of_git(self.engine), pushes.telling)

        def door(request: Request) -> Response:
            if forms.is_upload(request):
                return forms.answer(request, settings.region, handle)
            return handle(request)

        self.http = _server(port, door, git, Tls(settings.state))
        self.engine.clients.endpoint_url = self.http.url

    def start(self) -> None:
        from sandbox.iam.principals import bootstrap

        keys = bootstrap(self.settings.account)
        credentials = {name: Credentials(pair.access_key, pair.secret_key) for name, pair in keys.items()}
        self.engine.clients.root_key = credentials["root"].access_key
        client_files.write(self.settings.state, credentials, self.settings.region, self.http.url)
        self.records.write("iam")
        self.decisions.start()
        self.http.start()
        self.engine.start()

    def stop(self) -> None:
        self.http.stop()
        self.engine.stop()
        self.decisions.close()
        self.records.close()


def _server(port: int | None, handle: Any, git: Any, tls: Any) -> HttpServer:
    from sandbox.gateway.http import HttpServer

    try:
        return HttpServer(DEFAULT_PORT if port is None else port, handle, git, tls)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        if port is None:
            return HttpServer(0, handle, git, tls)
        raise SystemExit(
            f"port {port} is taken: give another with --port, or none for any free one"
        ) from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.server")
    parser.add_argument("--state", type=Path, default=location.default_state())
    parser.add_argument("--port", type=int, help="default: 4666, or any free one where that is taken")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--clock-rate", type=float, default=60.0)
    parser.add_argument(
        "--ready-fd", type=int, help="a file descriptor that gets one line once requests are answered"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("werkzeug", "botocore"):
        logging.getLogger(name).setLevel(logging.WARNING)

    # moto warns of error codes that stand in no service's model; ours name what is not implemented.
    warnings.filterwarnings("ignore", message=".*does not match an error shape", category=UserWarning)

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # Hundreds of thousands of objects live as long as the process (service models, moto's records): looking
    # through them all as often as Python does by default takes one second in fifteen.
    gc.set_threshold(10_000, 20, 20)
    os.umask(0o077)  # what is kept is the user's alone
    settings = Settings(arguments.state, region=arguments.region, clock_rate=arguments.clock_rate)
    held = location.hold(settings.state)
    sandbox = Sandbox(settings, arguments.port)
    sandbox.start()
    running = location.Running(os.getpid(), sandbox.http.port, settings.account, settings.region, time.time())
    location.write_running(settings.state, running)
    if arguments.ready_fd is not None:
        os.write(arguments.ready_fd, b"ready\n")
        os.close(arguments.ready_fd)
    stop.wait()
    location.clear_running(settings.state)
    sandbox.stop()
    # Worker threads may still be inside a task: tasks are durable, so they need not be waited for.
    logging.shutdown()
    held.close()
    os._exit(0)


if __name__ == "__main__":
    main()
