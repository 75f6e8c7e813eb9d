"""What the gateway adds to moto: the same requests, to the sandbox and to moto's own server, in turns.

The gateway verifies the signature, holds the request against its model, decides it by IAM and records the
decision; moto's server does none of it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.machine import machine
from bench.measure import Measure, Result, Turns, cpu_seconds, seconds
from bench.throughput import CONNECTIONS, requests_a_second, signed

GOAL_RATIO = 1.15
BATCH = 20


def run(*, quick: bool) -> list[Result]:
    with machine() as here, _moto() as (pid, url):
        ours, bare = here.access().client, _clients(url)
        for client in (ours, bare):
            client("s3").create_bucket(Bucket="bench")
            client("s3").put_object(Bucket="bench", Key="object", Body=b"x" * 1000)
            client("ssm").put_parameter(Name="bench", Value="x", Type="String")
        results: list[Result] = []
        for name, ask in REQUESTS.items():
            loads = {"ours": Load(ask, ours, here.running.pid), "bare": Load(ask, bare, pid)}
            turns = Turns().take(6 if quick else 25, **loads)
            gate, moto = loads["ours"].cpu, loads["bare"].cpu
            note = f"CPU of the server {gate:.2f} ms, of moto's own {moto:.2f} ms"
            results.append(Measure(f"{name}, as a client sees it", "ms", turns.samples["ours"], note=note))
            ratios = turns.ratio("ours", "bare")
            results.append(Measure(f"{name}, gateway against bare moto", "×", ratios, GOAL_RATIO))
        results += _throughput(ours, here.running.url, bare, url, rounds=2 if quick else 5)
    return results


def _throughput(ours: Any, our_url: str, bare: Any, bare_url: str, *, rounds: int) -> list[Result]:
    turns = Turns()
    loads = {
        name: signed(client("ssm"), "GetParameter", Name="bench")
        for name, client in (("ours", ours), ("bare", bare))
    }
    turns.take(
        rounds,
        ours=lambda: requests_a_second(our_url, loads["ours"]),
        bare=lambda: requests_a_second(bare_url, loads["bare"]),
    )
    note = (
        f"GetParameter on {CONNECTIONS} connections; bare moto {statistics.median(turns.samples['bare']):.0f}"
    )
    return [
        Measure("requests answered", "/s", turns.samples["ours"], note=note),
        Measure("requests/s, bare moto against gateway", "×", turns.ratio("bare", "ours"), GOAL_RATIO),
    ]


REQUESTS: dict[str, Callable[[Any], object]] = {
    "s3 GetObject": lambda client: client("s3").get_object(Bucket="bench", Key="object")["Body"].read(),
    "s3 PutObject": lambda client: client("s3").put_object(Bucket="bench", Key="object", Body=b"x" * 1000),
    "ssm GetParameter": lambda client: client("ssm").get_parameter(Name="bench"),
}


class Load:
    """A batch of one request: milliseconds of each, boto3's own part in it. The server's CPU is kept."""

    def __init__(self, ask: Callable[[Any], object], client: Any, pid: int) -> None:
        self._ask, self._client, self._pid = ask, client, pid
        self._cpu, self._requests = 0.0, 0
        ask(client)

    def __call__(self) -> float:
        before = cpu_seconds(self._pid)
        taken = seconds(self._batch)
        self._cpu += cpu_seconds(self._pid) - before
        self._requests += BATCH
        return taken * 1000 / BATCH

    def _batch(self) -> None:
        for _ in range(BATCH):
            self._ask(self._client)

    @property
    def cpu(self) -> float:
        """Milliseconds of the server's CPU a request."""
        return 1000 * self._cpu / self._requests


@contextmanager
def _moto() -> Iterator[tuple[int, str]]:
    """moto's server, as `moto_server` starts it: its process and URL."""
    command = [sys.executable, "-u", "-m", "bench.bare_moto"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        try:
            yield server.pid, f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def _clients(url: str) -> Callable[[str], Any]:
    import boto3

    session = boto3.Session("key", "secret", region_name="us-east-1")
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=url)
        return made[service]

    return client
