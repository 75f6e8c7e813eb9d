"""Where the requests of an endpoint go: variants by weight, fleets by traffic share, instances in turn.

Routes live in memory and are replaced as a whole, so a request sees either the old or the new one. The
service that deploys endpoints sets them; the one that invokes them reads them.
"""

from __future__ import annotations

import itertools
import random
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.runtimes.serving.instance import Instance

Key = tuple[str, str, str]
"""(account, region, endpoint name)"""


@dataclass
class Variant:
    """One production variant of one fleet. `weight`: its share among the fleet's variants."""

    name: str
    weight: float
    instances: list[Instance]
    _turn: Any = field(default_factory=itertools.count)

    def next_instance(self) -> Instance | None:
        """The next living instance in turn."""
        instances = self.instances
        for _ in range(len(instances)):
            instance = instances[next(self._turn) % len(instances)]
            if instance.alive:
                return instance
        return None


@dataclass(frozen=True)
class Fleet:
    """The instances that serve one endpoint configuration. `share`: of the endpoint's traffic, 0 to 1."""

    identifier: str
    variants: list[Variant]
    share: float


@dataclass(frozen=True)
class Route:
    """`capture`: what to record of requests (None: nothing). `role`: the models' execution role ARN.

    `log_group`, `log_stream`: where the containers' lines go, named in errors.
    """

    endpoint_arn: str
    fleets: list[Fleet]
    role: str
    config_name: str
    capture: dict[str, Any] | None = None

    def choose(self, target: str | None) -> Variant | None:
        """A variant for one request; None when `target` names no variant."""
        fleets = [fleet for fleet in self.fleets if fleet.share > 0] or self.fleets
        fleet = fleets[0] if len(fleets) == 1 else _weighted(fleets, [fleet.share for fleet in fleets])
        if target is not None:
            return next((variant for variant in fleet.variants if variant.name == target), None)
        variants = fleet.variants
        if len(variants) == 1:
            return variants[0]
        return _weighted(variants, [variant.weight for variant in variants])


def _weighted(items: list[Any], weights: list[float]) -> Any:
    return random.choices(items, weights if sum(weights) > 0 else None)[0]


class Routes:
    """The routes of every endpoint of one sandbox."""

    def __init__(self) -> None:
        self._routes: dict[Key, Route] = {}
        self._expected: set[Key] = set()
        self._condition = threading.Condition()

    def get(self, key: Key) -> Route | None:
        return self._routes.get(key)

    def set(self, key: Key, route: Route) -> None:
        with self._condition:
            self._routes[key] = route
            self._expected.discard(key)
            self._condition.notify_all()

    def remove(self, key: Key) -> None:
        with self._condition:
            self._routes.pop(key, None)
            self._expected.discard(key)

    def expect(self, key: Key) -> None:
        """A route that is not there yet will be: its endpoint is being served again after a restart."""
        with self._condition:
            self._expected.add(key)

    def wait(self, key: Key, timeout: float) -> Route | None:
        """The route; waits for it only where it is expected."""
        with self._condition:
            self._condition.wait_for(lambda: key in self._routes or key not in self._expected, timeout)
            return self._routes.get(key)


_ROUTES: weakref.WeakKeyDictionary[Engine, Routes] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def routes_of(engine: Engine) -> Routes:
    """The routes of a sandbox's engine."""
    with _LOCK:
        if engine not in _ROUTES:
            _ROUTES[engine] = Routes()
        return _ROUTES[engine]
