"""CloudFormation: templates checked as AWS checks them, stacks deployed by durable, resumable operations.

template/    text → checked template; parameters, conditions, intrinsic functions (pure)
schema/      AWS's registry schemas: validation of properties, what a change of one means (pure)
stack/       what is kept of stacks; the plan of a deployment
deploy/      the task that carries a plan out, back and on after a crash
resources/   one file an AWS service: how its resources are made through its own API
operations/  the API
"""

from sandbox.services.cloudformation.operations import (
    change_sets,
    describe,
    drift,
    events,
    protection,
    rollbacks,
    stacks,
    templates,
)
from sandbox.services.cloudformation.resources import mailbox

__all__ = [
    "change_sets",
    "describe",
    "drift",
    "events",
    "mailbox",
    "protection",
    "rollbacks",
    "stacks",
    "templates",
]
