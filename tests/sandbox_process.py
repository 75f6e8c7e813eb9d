"""A sandbox of its own for tests: another process on a free port with a state folder that is thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from sandbox import control
from sandbox.gateway import witness
from sandbox.state import client_files


class SandboxProcess:
    """Starts on construction. Sessions are boto3's own, by the profiles the sandbox writes."""

    def __init__(self, state: Path, clock_rate: float = 600.0) -> None:
        self.state = state
        self.clock_rate = clock_rate
        self.running = control.start(state, port=0, clock_rate=clock_rate)
        self._making = threading.Lock()
        self._sessions: dict[str, boto3.Session] = {}
        self._made: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return self.running.url

    def stop(self) -> None:
        """Ends it in order; AssertionError where an answer that it gave was not of its service's model."""
        control.stop(self.state)
        faults = self.state / witness.FILE
        if faults.exists():
            wrong = sorted(set(faults.read_text().splitlines()))
            faults.unlink()
            raise AssertionError("answers that AWS would not give:\n" + "\n".join(wrong))

    def restart(self) -> None:
        """Stops it in order and starts it again on the same state (and port)."""
        port = self.running.port
        self.stop()
        self.running = control.start(self.state, port=port, clock_rate=self.clock_rate)

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.running.pid, 9)
        control._wait(self.running.pid)

    def start_again(self) -> None:
        self.running = control.start(self.state, port=self.running.port, clock_rate=self.clock_rate)

    def session(self, principal: str) -> boto3.Session:
        """A boto3 session of `admin`, `team`, `engineer`, `approver` or `root`."""
        if principal not in self._sessions:
            keys = self._keys(principal)
            self._sessions[principal] = boto3.Session(**keys, region_name=self.running.region)
        return self._sessions[principal]

    def client(self, service: str, principal: str = "root", **config: Any) -> Any:
        """The same client each time, for any thread: to make one takes a fifth of a second."""
        identity = json.dumps([service, principal, config], sort_keys=True, default=repr)
        with self._making:
            if identity not in self._made:
                self._made[identity] = self.new_client(service, principal, **config)
            return self._made[identity]

    def new_client(self, service: str, principal: str = "root", **config: Any) -> Any:
        """One whose handlers of events are its user's own. `config`: of botocore's Config."""
        options = {"s3": {"addressing_style": "path"}, "retries": {"total_max_attempts": 1}} | config
        return self.session(principal).client(service, endpoint_url=self.url, config=Config(**options))

    def environment(self, principal: str) -> dict[str, str]:
        """What `mlops sandbox env` prints."""
        variables = client_files.environment(self.state, principal, self.running.region, self.url, os.environ)
        kept = {name: value for name, value in os.environ.items() if name not in client_files.CLEARED}
        return kept | variables

    def run(
        self,
        *command: str,
        principal: str = "admin",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command as its user would in a shell pointed at the sandbox."""
        variables = self.environment(principal) | dict(env or {})
        return subprocess.run(command, capture_output=True, text=True, env=variables, cwd=cwd, check=False)

    def _keys(self, principal: str) -> dict[str, str]:
        import configparser

        parser = configparser.ConfigParser()
        parser.read(self.state / "aws" / "credentials")
        section = parser[client_files.PROFILE_PREFIX + principal]
        return {name: section[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
