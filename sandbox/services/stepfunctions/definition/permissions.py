"""What a machine's role is asked for when the machine is created or updated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.operations import AwsError, Call
from sandbox.services.stepfunctions.definition.machine import machine
from sandbox.services.stepfunctions.integrations import resource as resources
from sandbox.services.stepfunctions.integrations.calling import PRINCIPAL, session_name
from sandbox.services.stepfunctions.integrations.optimised import SERVICES
from sandbox.services.stepfunctions.integrations.resource import SYNC, SYNC2

_RULE_ACTIONS = ("PutTargets", "PutRule", "DescribeRule")


def check_role(call: Call, record: dict[str, Any]) -> Session:
    """A session of the role.

    AccessDeniedException where Step Functions may not assume it, or it may not manage the rules by which
    `.sync` is followed.
    """
    try:
        session = call.engine.clients.role(
            record["roleArn"],
            service=PRINCIPAL,
            session_name=session_name(record["name"]),
            region=call.region,
            source_arn=record["arn"],
        )
    except AwsError as error:
        raise AwsError(
            "AccessDeniedException",
            f"Neither the global service principal {PRINCIPAL}, nor the regional one is authorized to assume "
            "the provided role.",
        ) from error
    for rule in sorted(set(managed_rules(machine(record["definition"]).body))):
        arn = f"arn:aws:events:{call.region}:{call.account}:rule/{rule}"
        for action in _RULE_ACTIONS:
            try:
                session.authorize(f"events:{action}", arn)
            except AwsError as error:
                raise AwsError(
                    "AccessDeniedException",
                    f"'{record['roleArn']}' is not authorized to create managed-rule.",
                ) from error
    return session


def managed_rules(value: Any) -> Iterator[str]:
    """Rules by which the `.sync` tasks of a definition are followed on AWS."""
    if isinstance(value, list):
        for item in value:
            yield from managed_rules(item)
    elif isinstance(value, dict):
        if value.get("Type") == "Task" and isinstance(value.get("Resource"), str):
            resource = resources.parse(value["Resource"])
            service = SERVICES.get(resource.service) if resource.kind == "optimised" else None
            if service and resource.pattern in (SYNC, SYNC2):
                yield service.jobs[resource.action].rule
        for item in value.values():
            yield from managed_rules(item)
