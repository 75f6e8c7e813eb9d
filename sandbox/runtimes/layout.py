"""A job's own `/opt/ml`.

Where the kernel lets an ordinary user mount (user and mount namespaces), the job sees its folder at the
real path, so paths written in code work as in the container. Elsewhere `/opt/ml` is replaced by the
folder's path in arguments and variables, and a path written in code is not found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.runtimes.mounts import mounts_supported

_OPT_ML = re.compile(r"(?<![\w.-])/opt/ml(?![\w.-])")
_FOLDERS = (
    "input/config",
    "input/data",
    "model",
    "output/data",
    "output/metrics/sagemaker",
    "checkpoints",
    "code",
    "processing",
    "config",
)


@dataclass(frozen=True)
class JobLayout:
    """The folder of one job. `opt_ml` is what the job knows as `/opt/ml`; `mounted`: at that very path."""

    folder: Path
    mounted: bool

    @property
    def opt_ml(self) -> Path:
        return self.folder / "opt" / "ml"

    @property
    def model(self) -> Path:
        return self.opt_ml / "model"

    @property
    def output_data(self) -> Path:
        return self.opt_ml / "output" / "data"

    @property
    def failure(self) -> Path:
        return self.opt_ml / "output" / "failure"

    @property
    def checkpoints(self) -> Path:
        return self.opt_ml / "checkpoints"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def packages(self) -> Path:
        """What the job installs for itself."""
        return self.folder / "packages"

    def channel(self, name: str) -> Path:
        """Where a training channel's files are downloaded."""
        return self.local(f"/opt/ml/input/data/{name}")

    def local(self, path: str) -> Path:
        """This machine's path of a container path under /opt/ml. ValueError for any other."""
        pure = PurePosixPath(path)
        if pure.parts[:3] != ("/", "opt", "ml") or ".." in pure.parts:
            raise ValueError(f"{path} is not a path under /opt/ml")
        return self.opt_ml.joinpath(*pure.parts[3:])

    @property
    def seen(self) -> str:
        """The path by which the job itself must name `/opt/ml`."""
        return "/opt/ml" if self.mounted else str(self.opt_ml)

    def remap(self, text: str) -> str:
        """`text` with every `/opt/ml` path as the job must name it."""
        return text if self.mounted else _OPT_ML.sub(str(self.opt_ml).replace("\\", r"\\"), text)

    def remap_variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {name: self.remap(value) for name, value in variables.items()}


def job_layout(folder: Path, *, mounted: bool | None = None) -> JobLayout:
    """Creates a job's `/opt/ml` under `folder`. `mounted`: None finds out what the kernel permits."""
    layout = JobLayout(folder.resolve(), mounts_supported() if mounted is None else mounted)
    for name in _FOLDERS:
        (layout.opt_ml / name).mkdir(parents=True, exist_ok=True)
    layout.temporary.mkdir(exist_ok=True)
    layout.packages.mkdir(exist_ok=True)
    return layout
