"""moto's records as bytes, and back."""

from __future__ import annotations

import _thread
import collections
import functools
import importlib
import io
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

Refer = Callable[[Any], Any]


def dumps(value: Any, refer: Refer | None = None) -> bytes:
    """`refer`: what stands for a value that is kept elsewhere; None for one that belongs to this one."""
    buffer = io.BytesIO()
    pickler = _pickler()(buffer, protocol=5)
    if refer is not None:
        pickler.refer = refer
    pickler.dump(value)
    return buffer.getvalue()


def loads(data: bytes, find: Refer | None = None) -> Any:
    """`find`: the value for which something else stands."""
    unpickler = _Unpickler(io.BytesIO(data))
    unpickler.find = find
    return unpickler.load()


class _Unpickler(pickle.Unpickler):
    find: Refer | None = None

    def persistent_load(self, reference: Any) -> Any:
        if self.find is None:
            raise pickle.UnpicklingError(f"nothing can stand at {reference}")
        return self.find(reference)


def is_plain(value: Any) -> bool:
    """Whether an object is its __dict__ and nothing else, of a class that can be found by its name."""
    kind = type(value)
    if not hasattr(value, "__dict__") or not kind.__module__.startswith("moto."):
        return False
    if isinstance(value, dict | list | str | bytes | int):
        return False
    reduces: Any = kind.__reduce_ex__
    return reduces is object.__reduce_ex__ and not hasattr(kind, "__setstate__")


def kind_of(value: Any) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"


def class_of(kind: str) -> Any:
    module, _, name = kind.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


@functools.cache
def _pickler() -> Any:
    """cloudpickle with reducers for what moto's records hold and pickle cannot: locks, threads, keys."""
    import cloudpickle
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    class Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]
        refer: Refer | None = None

        def persistent_id(self, value: Any) -> Any:
            return self.refer(value) if self.refer is not None else None

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

    # It was valid when it was written: to find that out again takes 50 ms a key.
    return serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)


def _defaults(kind: Any, factory: Any) -> Any:
    made = kind.__new__(kind)
    made.default_factory = factory
    return made


def _weak_values(items: dict[Any, Any]) -> Any:
    return weakref.WeakValueDictionary(items)
