"""The engine: one object that every service operation and task receives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.clients import Clients
from sandbox.engine.clock import Clock
from sandbox.engine.confinement import Confinement
from sandbox.engine.events import Events
from sandbox.engine.git import Git
from sandbox.engine.processes import Processes
from sandbox.engine.store import Records, Store
from sandbox.engine.tasks import Tasks


@dataclass(frozen=True)
class Settings:
    """How one sandbox is set up. `state`: its folder. `clock_rate`: see Clock."""

    state: Path
    account: str = "123456789012"
    region: str = "us-east-1"
    clock_rate: float = 60.0


class Engine:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.account = settings.account
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clock = Clock(settings.clock_rate)
        self.store = Store(settings.state / "records.sqlite")
        self.tasks = Tasks(self.store, self.clock)
        self.events = Events(self.tasks, self.clock)
        self.processes = Processes(self.store, Confinement(settings.state))
        self.git = Git(settings.state / "git")
        self.clients = Clients(settings.account, self.clock.now)

    @property
    def endpoint_url(self) -> str:
        return self.clients.endpoint_url

    def records(self, account: str, region: str, service: str, kind: str) -> Records:
        """Records of one kind of thing of a service in an account and region."""
        return Records(self.store, f"{account}/{region}/{service}/{kind}")

    def folder(self, *parts: str) -> Path:
        """A folder under the state folder, created."""
        path = self.settings.state.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def start(self) -> None:
        """Ends what a killed sandbox left running, then resumes its tasks. Call once the gateway answers."""
        self.processes.kill_leftovers()
        self.git.clear_leftovers()
        self.tasks.start(self)

    def stop(self) -> None:
        self.tasks.stop()
        self.processes.stop_all()
        self.store.close()
