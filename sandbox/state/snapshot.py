"""moto's backends on disk: a service's backends are written again after its records changed.

moto has no persistence of its own; one cloudpickle a service keeps object identity within it. Pinned to
moto's version: a snapshot of another version is refused, not guessed at.
"""

from __future__ import annotations

import _thread
import collections
import importlib
import io
import logging
import pickle
import threading
import weakref
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

DELAY = 0.3
"""Seconds that changes are gathered before a service is written again."""


class Snapshots:
    """Writes what changed from a thread of its own; `load` before the gateway starts, `close` at the end."""

    def __init__(self, folder: Path, moto: Any) -> None:
        self._folder = folder
        self._moto = moto
        self._wake = threading.Condition()
        self._closing = False
        folder.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._write_forever, name="snapshots", daemon=True)

    def load(self) -> None:
        import moto

        for path in sorted(self._folder.glob("*.pickle")):
            version, backends = pickle.loads(path.read_bytes())
            if version != moto.__version__:
                raise RuntimeError(
                    f"{path}: of moto {version}, not {moto.__version__}; run `mlops sandbox reset`"
                )
            for account, region, backend in backends:
                _restore(account, region, backend)

    def start(self) -> None:
        self._thread.start()

    def notify(self) -> None:
        """Something changed."""
        with self._wake:
            self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _write_forever(self) -> None:
        while True:
            with self._wake:
                while not self._closing and not self._moto.changed:
                    self._wake.wait()
                if not self._closing:
                    self._wake.wait_for(lambda: self._closing, timeout=DELAY)
                closing = self._closing
            for service in list(self._moto.changed):
                self._moto.changed.discard(service)
                self._write(service)
            if closing and not self._moto.changed:
                return

    def _write(self, service: str) -> None:
        import moto
        from moto.backends import get_backend

        with self._moto.lock(service):
            backends = [
                (account, region, backend)
                for account, region, backend in get_backend(service).iter_backends()
            ]
            buffer = io.BytesIO()
            _pickler()(buffer, protocol=5).dump((moto.__version__, backends))
        draft = self._folder / f"{service}.new"
        draft.write_bytes(buffer.getbuffer())
        draft.rename(self._folder / f"{service}.pickle")


def _restore(account: str, region: str, backend: Any) -> None:
    from moto.core.base_backend import BackendDict

    module = importlib.import_module(type(backend).__module__)
    for value in vars(module).values():
        if isinstance(value, BackendDict) and value.backend is type(backend):
            dict.__setitem__(value[account], region, backend)


def _pickler() -> Any:
    """cloudpickle with reducers for what moto's records hold and pickle cannot: locks, threads, keys."""
    import cloudpickle
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    class Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, _thread.RLock):
                return threading.RLock, ()
            if isinstance(value, _thread.LockType):
                return threading.Lock, ()
            if isinstance(value, threading.Event):
                return threading.Event, ()
            if isinstance(value, threading.Thread):
                return _nothing, ()
            if isinstance(value, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
                pem = value.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                return _private_key, (pem,)
            if isinstance(value, collections.defaultdict) and type(value) is not collections.defaultdict:
                return _bare, (type(value),), value.__dict__, None, iter(value.items())
            if isinstance(value, weakref.WeakValueDictionary):
                return _weak_values, (dict(value),)
            return super().reducer_override(value)

    return Pickler


def _nothing() -> None:
    return None


def _private_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(pem, None)


def _bare(kind: type) -> Any:
    return kind.__new__(kind)


def _weak_values(items: dict[Any, Any]) -> Any:
    return weakref.WeakValueDictionary(items)
