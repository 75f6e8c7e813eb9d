"""Execution environments that wait for events: taken, given back, ended when unused or outdated.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

import shutil
import threading
import weakref
from collections import Counter
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError
from sandbox.engine.tasks import Again, task
from sandbox.services.lambda_ import packages
from sandbox.services.lambda_.instance import Event, Instance, Outcome, Plan
from sandbox.services.lambda_.layers import layer_zips
from sandbox.services.lambda_.names import LATEST
from sandbox.services.lambda_.records import functions, log_group

AT_ONCE = 32
"""Processes at the same time on one machine: an invocation beyond them waits for one to be free."""
IDLE = 300.0
"""Seconds for which an environment waits for a further event."""
OLDEST = 6 * 3600.0
"""Seconds after which an environment is replaced, before its credentials expire."""


class Pool:
    """All environments of one sandbox."""

    def __init__(self, engine: Engine) -> None:
        # What a killed sandbox left behind.
        shutil.rmtree(engine.folder("lambda", "environments"), ignore_errors=True)
        self._changed = threading.Condition()
        self._idle: dict[str, list[Instance]] = {}
        self._working: set[Instance] = set()
        self._busy: Counter[str] = Counter()
        self._watched = False

    def invoke(
        self, engine: Engine, function: str, reserved: int | None, plan: Plan, event: Event
    ) -> Outcome:
        """Runs an event in an environment that is free, or in a new one. TooManyRequestsException when the
        function's reserved concurrency is in use. `function`: account/region/name."""
        with self._changed:
            if reserved is not None and self._busy[function] >= reserved:
                raise AwsError(
                    "TooManyRequestsException",
                    "Rate Exceeded.",
                    Reason="ReservedFunctionConcurrentInvocationLimitExceeded",
                    Type="User",
                )
            self._changed.wait_for(lambda: self._busy.total() < AT_ONCE)
            self._busy[function] += 1
            instance = self._take(plan.key, engine.clock.now())
            extra = self._superfluous()
        for unused in extra:
            unused.stop()
        try:
            if instance is None:
                instance = Instance(engine, plan, _session(engine, function, plan))
            with self._changed:
                self._working.add(instance)
            return instance.invoke(event)
        finally:
            self._give_back(engine, function, instance)

    def _take(self, key: str, now: float) -> Instance | None:
        waiting = self._idle.get(key, [])
        while waiting:
            instance = waiting.pop()
            if now - instance.started < OLDEST and instance.alive:
                return instance
            threading.Thread(target=instance.stop, daemon=True).start()
        return None

    def _superfluous(self) -> list[Instance]:
        """Idle environments beyond what the machine shall hold, longest unused first."""
        idle = sorted((i for many in self._idle.values() for i in many), key=lambda i: i.idle_since)
        surplus = idle[: max(0, len(idle) + self._busy.total() - AT_ONCE)]
        for instance in surplus:
            self._idle[instance.plan.key].remove(instance)
        return surplus

    def _give_back(self, engine: Engine, function: str, instance: Instance | None) -> None:
        watch = False
        with self._changed:
            self._busy[function] -= 1
            if instance is not None:
                self._working.discard(instance)
                if instance.usable and not instance.outdated:
                    instance.idle_since = engine.clock.now()
                    self._idle.setdefault(instance.plan.key, []).append(instance)
                    instance = None
                    watch, self._watched = not self._watched, True
            self._changed.notify_all()
        if watch:
            engine.tasks.submit("lambda.rest", "all", after=IDLE)
        if instance is not None:
            instance.stop()

    def forget(self, prefix: str) -> None:
        """Ends the environments whose key begins so: idle ones now, busy ones when they are done."""
        with self._changed:
            keys = [key for key in self._idle if key.startswith(prefix)]
            ended = [instance for key in keys for instance in self._idle.pop(key)]
            for instance in self._working:
                instance.outdated = instance.outdated or instance.plan.key.startswith(prefix)
        for instance in ended:
            instance.stop()

    def rest(self, now: float) -> float | None:
        """Ends what nobody has used for a while. Seconds until to look again, None when all are gone."""
        with self._changed:
            old = [i for many in self._idle.values() for i in many if now - i.idle_since >= IDLE]
            for instance in old:
                self._idle[instance.plan.key].remove(instance)
            left = [i.idle_since for many in self._idle.values() for i in many]
            self._watched = bool(left)
        for instance in old:
            instance.stop()
        return max(1.0, min(left) + IDLE - now) if left else None


_POOLS: weakref.WeakKeyDictionary[Engine, Pool] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def pool(engine: Engine) -> Pool:
    with _LOCK:
        if engine not in _POOLS:
            _POOLS[engine] = Pool(engine)
        return _POOLS[engine]


@task("lambda.rest")
def rest(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    wait = pool(engine).rest(engine.clock.now())
    return None if wait is None else Again(after=wait)


def plan_of(engine: Engine, account: str, region: str, version: str, record: dict[str, Any]) -> Plan:
    """What an environment of a function's version is made of now; unpacks what is not there yet."""
    live = record["live"]
    layers = layer_zips(engine, account, region, live["config"].get("Layers") or [])
    return Plan(
        key=f"{account}/{region}/{record['Name']}/{version}/{live['revision']}",
        name=record["Name"],
        version=version,
        config=live["config"],
        code=packages.unpacked(engine, [live["code"]["zip"]]),
        layers=packages.unpacked(engine, layers) if layers else None,
        log_group=log_group({"Name": record["Name"], "config": live["config"]}),
    )


def _session(engine: Engine, function: str, plan: Plan) -> Any:
    _, region, name = function.split("/", 2)
    account = function.partition("/")[0]
    return engine.clients.role(
        plan.config["Role"],
        service="lambda.amazonaws.com",
        session_name=name,
        region=region,
        source_arn=f"arn:aws:lambda:{region}:{account}:function:{name}",
    )


def forget(engine: Engine, account: str, region: str, name: str, *, latest_only: bool = False) -> None:
    """Ends the environments of a function, after it was changed (`latest_only`) or deleted."""
    prefix = f"{account}/{region}/{name}/"
    pool(engine).forget(prefix + (f"{LATEST}/" if latest_only else ""))


def reserved(engine: Engine, account: str, region: str, name: str) -> int | None:
    record = functions(engine, account, region).get(name)
    return record["reserved"] if record else None
