"""Runtimes: an image URI becomes a Python environment with the container's own pinned libraries.

The way of a job: `runtime_of(image_uri)` → `ensure(runtime)` → `job_layout(folder)` → download what the job
reads into the layout → `training_command` / `processing_command` / `serving_command` → run it with
`engine.processes`. No docker: `/opt/ml` is a folder of the job, mounted where the kernel permits, else
remapped in arguments and variables.
"""

from sandbox.runtimes.commands import (
    failure_reason,
    processing_command,
    serving_command,
    training_command,
)
from sandbox.runtimes.environments import Environment, EnvironmentFailed, ensure
from sandbox.runtimes.images import Runtime, UnknownImage, runtime_of
from sandbox.runtimes.layout import JobLayout, job_layout

__all__ = [
    "Environment",
    "EnvironmentFailed",
    "JobLayout",
    "Runtime",
    "UnknownImage",
    "ensure",
    "failure_reason",
    "job_layout",
    "processing_command",
    "runtime_of",
    "serving_command",
    "training_command",
]
