"""Fleets whose instances fail or whose endpoint moves on while they start: nothing is left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox.services.sagemaker  # noqa: F401  registers tasks and operations
from sandbox.engine.engine import Engine, Settings
from sandbox.runtimes.serving.routes import routes_of
from sandbox.services.sagemaker import endpoint_deployment, endpoint_fleets, endpoint_keeper
from sandbox.services.sagemaker.endpoint_records import Place


class Instance:
    """Stands in for a model server."""

    def __init__(self) -> None:
        self.alive = True

    def drain(self, _: float) -> None:
        self.alive = False


class Servers:
    """Stands in for starting them. `fails`: index of the one that does not come up; `gate` holds all back."""

    def __init__(self) -> None:
        self.started: list[Instance] = []
        self.fails: int | None = None
        self.gate = threading.Event()
        self.waiting = threading.Event()
        self.gate.set()

    def start(self, place: Place, plan: Any, fleet: Any, variant: Any, index: int) -> Instance:
        self.waiting.set()
        assert self.gate.wait(20)
        if index == self.fails:
            raise endpoint_fleets.FleetFailed("did not pass the ping health check")
        self.started.append(Instance())
        return self.started[-1]

    @property
    def alive(self) -> int:
        return sum(instance.alive for instance in self.started)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Settings(tmp_path))
    yield engine
    engine.stop()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    servers = Servers()
    monkeypatch.setattr(endpoint_fleets, "_start_instance", servers.start)
    monkeypatch.setattr(endpoint_fleets, "_download", lambda *_: None)
    return servers


def plan(identifier: str, count: int = 2) -> dict[str, Any]:
    variant = {"VariantName": "AllTraffic", "Weight": 1.0, "Count": count}
    return {"Id": identifier, "EndpointConfigName": identifier, "Role": "role", "Variants": [variant]}


def place_of(engine: Engine, **members: Any) -> Place:
    place = Place(engine, "123456789012", "us-east-1", "e")
    record = {"EndpointName": "e", "EndpointArn": place.arn, "EndpointConfigName": "c", "CreationTime": 1.0}
    place.records.put("e", record | {"EndpointStatus": "InService", "LastModifiedTime": 1.0} | members)
    return place


def test_the_others_of_a_fleet_that_fails_are_stopped_with_it(engine: Engine, servers: Servers) -> None:
    place, servers.fails = place_of(engine), 0
    with pytest.raises(endpoint_fleets.FleetFailed, match="ping health check"):
        endpoint_fleets.start(place, plan("one", count=3))
    assert len(servers.started) == 2
    endpoint_fleets.stop(place, "one")
    assert servers.alive == 0


def test_a_fleet_replaced_while_it_is_restored_is_not_left_running(engine: Engine, servers: Servers) -> None:
    place = place_of(engine, Fleet=plan("blue"))
    servers.gate.clear()
    restoring = threading.Thread(target=endpoint_keeper.restore, args=(engine, place.key, {}))
    restoring.start()
    assert servers.waiting.wait(20)
    place.change(Fleet=plan("green"))
    servers.gate.set()
    restoring.join(20)
    assert len(servers.started) == 2
    assert servers.alive == 0
    assert routes_of(engine).get(place.route_key) is None


def test_nothing_starts_in_a_fleet_that_was_stopped(engine: Engine, servers: Servers) -> None:
    place = place_of(engine)
    fleet = endpoint_fleets.start(place, plan("one"))
    endpoint_fleets.stop(place, "one")
    assert fleet.ended
    assert servers.alive == 0


@pytest.mark.parametrize(("started", "noted"), [(100.0, True), (200.0, False)])
def test_an_alarm_that_rang_during_a_deployment_is_not_forgotten(
    engine: Engine, started: float, noted: bool
) -> None:
    config = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
    deployment = {"Kind": "Update", "Fleet": plan("green"), "Config": config, "Started": started}
    place = place_of(engine, Fleet=plan("blue"), Deployment=deployment)
    detail = {"alarmName": "errors", "state": {"value": "ALARM"}}
    where = {"account": place.account, "region": place.region}
    endpoint_deployment.on_alarm(engine, where | {"time": "1970-01-01T00:02:00Z", "detail": detail})
    record = place.read()
    assert record
    assert record.get("Rang") == ({"Fleet": "green", "Alarm": "errors"} if noted else None)
    assert record["Deployment"] == deployment
