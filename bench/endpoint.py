"""One row at a time: the sandbox's model server against a bare server of the standard library, in turns.

Both load the same model and the same inference code, in the runtime of the same container, in one process
with one worker. The client is as thin as the comparison needs: a socket kept open, bytes made before.
"""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.machine import Machine, machine, temporary_folder
from bench.measure import Measure, Result, Turns, cpu_seconds, percentile
from sandbox.engine.processes import Command, clean_environment
from sandbox.runtimes import Environment, ensure, job_layout, runtime_of
from sandbox.runtimes.commands import serving_command

SEED = Path(__file__).resolve().parent.parent / "seed_code" / "model_build"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
INFERENCE = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
READY = "ready"
RATIO, P99_MILLISECONDS = 0.95, 5.0
CSV = "text/csv"
CLIENTS = 8


def run(*, quick: bool) -> list[Result]:
    # Many short turns: on a machine that does other things, long ones meet different moments.
    rounds, batch = (20, 40) if quick else (80, 50)
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        environment = ensure(runtime_of(IMAGE))
        row = train(environment, folder)
        layout = job_layout(folder / "layout")
        shutil.copytree(folder / "model", layout.model, dirs_exist_ok=True)
        served = serving_command(
            "xgboost", {"Environment": INFERENCE}, layout, environment, ready=READY, variables={}
        )
        container = Load(*stack.enter_context(_server(served)), row, batch)
        bare = Load(*stack.enter_context(_server(bare_command(environment, folder / "model"))), row, batch)
        invoke = deploy(stack.enter_context(machine()), folder / "model")
        _same_answers(container.ask(), bare.ask(), invoke(row))
        one = Turns().take(rounds, container=container, bare=bare)
        many = Turns().take(rounds // 4, container=Crowd(container), bare=Crowd(bare))
        through = [_rate(lambda: invoke(row), batch) for _ in range(5)]
    return [
        Measure("endpoint /invocations, one row", "/s", one.samples["container"]),
        Measure("bare stdlib server, one row", "/s", one.samples["bare"]),
        Measure("endpoint against bare", "×", one.ratio("container", "bare"), RATIO, more=True),
        _crowded(many.ratio("container", "bare")),
        Measure("endpoint p99", "ms", container.p99(), P99_MILLISECONDS),
        Measure("bare p99", "ms", bare.p99()),
        Measure("endpoint, CPU of a request", "ms", container.cpu),
        Measure("bare, CPU of a request", "ms", bare.cpu),
        Measure(
            "InvokeEndpoint through the gateway", "/s", through, note="a boto3 client's, its own part in it"
        ),
    ]


def _crowded(ratios: list[float]) -> Measure:
    return Measure(f"endpoint against bare, {CLIENTS} clients", "×", ratios, RATIO, more=True)


def train(environment: Environment, folder: Path) -> bytes:
    """The seed's model in `folder`/model; a held-out row as its endpoint takes it."""
    for name in ("raw", "parts", "model"):
        (folder / name).mkdir()
    shutil.copy(SEED / "data" / "bikeshare.csv", folder / "raw")
    jobs, python, parts = SEED / "jobs", str(environment.python), folder / "parts"
    places = ["--output", str(parts), "--message", str(folder / "message")]
    _job([python, str(jobs / "preprocess.py"), "--input", str(folder / "raw"), *places])
    channels = ["--train", str(parts / "train"), "--validation", str(parts / "validation")]
    _job([python, str(jobs / "train.py"), *channels, "--model-dir", str(folder / "model")])
    held_out = (parts / "holdout" / "holdout.csv").read_text().splitlines()[1]
    return held_out.partition(",")[2].encode() + b"\n"


def _job(command: list[str]) -> None:
    environment = clean_environment({"OMP_WAIT_POLICY": "PASSIVE", "PYTHONDONTWRITEBYTECODE": "1"})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[1]).name} failed: {done.stderr.strip()[-500:]}")


def bare_command(environment: Environment, model: Path) -> Command:
    program = Path(__file__).with_name("bare_server.py")
    argv = [str(environment.python), str(program), str(model), READY]
    return Command(argv, cwd=model, env={"OMP_NUM_THREADS": "1"})


@contextmanager
def _server(command: Command) -> Iterator[tuple[int, int]]:
    """Runs a server that prints `READY <port>`; its process and port."""
    with subprocess.Popen(
        list(command.argv),
        cwd=command.cwd,
        env=clean_environment(command.env),
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    ) as process:
        assert process.stdout
        try:
            line = next((line for line in process.stdout if line.startswith(READY)), None)
            if line is None:
                raise RuntimeError(f"{command.argv[1]} did not come up")
            yield process.pid, int(line.split()[1])
        finally:
            process.terminate()


def deploy(here: Machine, model: Path) -> Callable[[bytes], bytes]:
    """The same model behind an endpoint of a sandbox; how to ask it."""
    archive = model.parent / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for path in model.iterdir():
            tar.add(path, path.name)
    access = here.access()
    s3, sagemaker = access.client("s3"), access.client("sagemaker")
    s3.create_bucket(Bucket="bench-models")
    s3.put_object(Bucket="bench-models", Key="model.tar.gz", Body=archive.read_bytes())
    role = here.role("bench-endpoint", "s3:*", "logs:*", "ecr:*", "cloudwatch:PutMetricData")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bench-models/model.tar.gz", "Environment": INFERENCE}
    sagemaker.create_model(ModelName="bench", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": "bench", "InitialInstanceCount": 1}
    variant |= {"InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="bench", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="bench", EndpointConfigName="bench")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="bench", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    runtime = access.client("sagemaker-runtime")

    def invoke(row: bytes) -> bytes:
        answer = runtime.invoke_endpoint(EndpointName="bench", ContentType=CSV, Accept=CSV, Body=row)
        return bytes(answer["Body"].read())

    return invoke


def _same_answers(*answers: bytes) -> None:
    if len(set(answers)) > 1:
        raise RuntimeError(f"the servers disagree: {answers}")


def _rate(ask: Callable[[], object], count: int) -> float:
    """Requests a second, one after the other."""
    began = time.perf_counter()
    for _ in range(count):
        ask()
    return count / (time.perf_counter() - began)


class Load:
    """A batch of requests of one client: requests a second. Latencies and the server's CPU are kept."""

    def __init__(self, pid: int, port: int, row: bytes, batch: int) -> None:
        self.pid, self.port, self.row, self.batch = pid, port, row, batch
        self.latencies: list[float] = []
        self._cpu = 0.0

    def ask(self) -> bytes:
        with Client(self.port, self.row) as client:
            return client.ask()

    def __call__(self) -> float:
        before = cpu_seconds(self.pid)
        with Client(self.port, self.row) as client:
            client.ask()
            moments = [time.perf_counter()]
            for _ in range(self.batch):
                client.ask()
                moments.append(time.perf_counter())
        self._cpu += cpu_seconds(self.pid) - before
        self.latencies += [after - before for before, after in itertools.pairwise(moments)]
        return self.batch / (moments[-1] - moments[0])

    @property
    def cpu(self) -> list[float]:
        """Milliseconds of the server's CPU a request."""
        return [1000 * self._cpu / len(self.latencies)]

    def p99(self) -> list[float]:
        """Milliseconds that one request in a hundred exceeds, of each quarter of all requests."""
        size = len(self.latencies) // 4
        quarters = [self.latencies[start : start + size] for start in range(0, 4 * size, size)]
        return [1000 * percentile(quarter, 0.99) for quarter in quarters]


class Crowd:
    """As many clients at once: requests a second of all together."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def __call__(self) -> float:
        def work() -> None:
            with Client(self.load.port, self.load.row) as client:
                for _ in range(self.load.batch // CLIENTS):
                    client.ask()

        threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.load.batch / (time.perf_counter() - began)


class Client:
    """One connection, kept open."""

    def __init__(self, port: int, row: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = (
            "POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nAccept: text/csv\r\n"
        )
        self._request = f"{head}Content-Length: {len(row)}\r\n\r\n".encode() + row

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self._socket.close()

    def ask(self) -> bytes:
        """The body of the answer."""
        self._socket.sendall(self._request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head = received[:end].lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(received.decode(errors="replace"))
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(received) < end + 4 + length:
            received += self._receive()
        return received[end + 4 :]

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data
