"""What an earlier sandbox wrote of moto's services, one file each, taken over once."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterator
from pathlib import Path


def take_over(folder: Path) -> Iterator[str]:
    """Puts each file's backends where moto keeps them; the file goes once its service, yielded, is written.

    RuntimeError for what another version of moto wrote.
    """
    import moto
    from moto.core.base_backend import BackendDict

    for path in sorted(folder.glob("*.pickle")):
        version, backends = pickle.loads(path.read_bytes())
        if version != moto.__version__:
            raise RuntimeError(
                f"{path} was written with moto {version}, not {moto.__version__}: install that version, "
                "or give up what is kept with `mlops sandbox reset`"
            )
        for account, region, backend in backends:
            module = importlib.import_module(type(backend).__module__)
            for value in vars(module).values():
                if isinstance(value, BackendDict) and value.backend is type(backend):
                    dict.__setitem__(value[account], region, backend)
        yield path.stem
        path.unlink()
