"""One file a moto service: its backends in one cloudpickle, so that identity within it is kept.

Pinned to moto's version: a snapshot of another version is refused, not guessed at.
"""

from __future__ import annotations

import _thread
import collections
import functools
import importlib
import io
import pickle
import threading
import weakref
from pathlib import Path
from typing import Any

Backends = list[tuple[str, str, Any]]
"""(account, region, backend)"""


def write_snapshot(folder: Path, service: str) -> None:
    """Replaces the service's file at once. Call under the service's lock."""
    import moto
    from moto.backends import get_backend

    loaded: Any = get_backend
    draft = folder / f"{service}.new"
    draft.write_bytes(dumps((moto.__version__, list(loaded(service).iter_backends()))))
    draft.rename(folder / f"{service}.pickle")


def read_snapshot(path: Path) -> Backends:
    """RuntimeError for the snapshot of another version of moto."""
    import moto

    version, backends = pickle.loads(path.read_bytes())
    if version != moto.__version__:
        raise RuntimeError(f"{path}: of moto {version}, not {moto.__version__}; run `mlops sandbox reset`")
    return list(backends)


def restore(account: str, region: str, backend: Any) -> None:
    """Puts a backend where moto keeps it."""
    from moto.core.base_backend import BackendDict

    module = importlib.import_module(type(backend).__module__)
    for value in vars(module).values():
        if isinstance(value, BackendDict) and value.backend is type(backend):
            dict.__setitem__(value[account], region, backend)


def dumps(value: Any) -> bytes:
    buffer = io.BytesIO()
    _pickler()(buffer, protocol=5).dump(value)
    return buffer.getvalue()


@functools.cache
def _pickler() -> Any:
    """cloudpickle with reducers for what moto's records hold and pickle cannot: locks, threads, keys."""
    import cloudpickle
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

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
                return _private_key, (value.private_bytes(*pem),)
            if isinstance(value, collections.defaultdict) and type(value) is not collections.defaultdict:
                # moto's subclasses take other arguments than the factory; it is no part of __dict__.
                made = (type(value), value.default_factory)
                return _defaults, made, value.__dict__, None, iter(value.items())
            if isinstance(value, weakref.WeakValueDictionary):
                return _weak_values, (dict(value),)
            return super().reducer_override(value)

    return Pickler


def _nothing() -> None:
    return None


def _private_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(pem, None)


def _defaults(kind: type, factory: Any) -> Any:
    made = kind.__new__(kind)
    made.default_factory = factory
    return made


def _weak_values(items: dict[Any, Any]) -> Any:
    return weakref.WeakValueDictionary(items)
