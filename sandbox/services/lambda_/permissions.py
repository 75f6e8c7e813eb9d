"""Resource policies of functions: who else may invoke them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import POLICIES, AwsError, Call, operation
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, invalid, named
from sandbox.services.lambda_.records import version_of

POLICY_BYTES = 20_480
_ACTION = re.compile(r"lambda:[A-Za-z]+\*?|lambda:\*|\*")


def _key(target: Named) -> str:
    qualified = target.qualifier and target.qualifier != LATEST
    return f"{target.name}:{target.qualifier}" if qualified else target.name


@operation(SERVICE, "AddPermission")
def add_permission(
    call: Call,
    FunctionName: str,
    StatementId: str,
    Action: str,
    Principal: str,
    Qualifier: str | None = None,
    RevisionId: str | None = None,
    **conditions: Any,
) -> dict[str, Any]:
    for member in ("EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "PrincipalOrgID"):
        if conditions.get(member):
            raise invalid(f"{member} is not implemented in the sandbox.")
    target = named(call, FunctionName, Qualifier)
    if target.qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    if not _ACTION.fullmatch(Action):
        raise invalid(f"Action {Action} is not valid.")
    statement = {
        "Sid": StatementId,
        "Effect": "Allow",
        "Principal": _principal(call, Principal),
        "Action": Action,
        "Resource": function_arn(call, target.name, target.qualifier),
    } | _conditions(conditions)
    with call.engine.store.transaction():
        version_of(call, target)
        record = call.records("policy").get(_key(target)) or {"statements": []}
        _check_revision(record, RevisionId)
        if any(other["Sid"] == StatementId for other in record["statements"]):
            raise AwsError(
                "ResourceConflictException",
                f"The statement id ({StatementId}) provided already exists. Please provide a new statement "
                "id, or remove the existing statement.",
                Type="User",
            )
        record["statements"].append(statement)
        if len(_text(record["statements"])) > POLICY_BYTES:
            raise AwsError(
                "PolicyLengthExceededException",
                f"The final policy size ({len(_text(record['statements']))}) is bigger than the limit "
                f"({POLICY_BYTES}).",
                Type="User",
            )
        call.records("policy").put(_key(target), record | {"RevisionId": str(uuid.uuid4())})
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


def _principal(call: Call, given: str) -> Any:
    if given == "*":
        return "*"
    if re.fullmatch(r"\d{12}", given):
        return {"AWS": f"arn:aws:iam::{given}:root"}
    if given.startswith("arn:"):
        return {"AWS": given}
    if re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", given):
        return {"Service": given}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _conditions(given: dict[str, Any]) -> dict[str, Any]:
    condition: dict[str, Any] = {}
    if given.get("SourceAccount"):
        condition["StringEquals"] = {"AWS:SourceAccount": given["SourceAccount"]}
    if given.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": given["SourceArn"]}
    return {"Condition": condition} if condition else {}


def _check_revision(record: dict[str, Any], revision: str | None) -> None:
    if revision and revision != record.get("RevisionId"):
        raise AwsError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to "
            "retrieve the latest Revision Id",
            Type="User",
        )


@operation(SERVICE, "RemovePermission")
def remove_permission(
    call: Call,
    FunctionName: str,
    StatementId: str,
    Qualifier: str | None = None,
    RevisionId: str | None = None,
) -> dict[str, Any]:
    target = named(call, FunctionName, Qualifier)
    with call.engine.store.transaction():
        version_of(call, target)
        record = call.records("policy").get(_key(target)) or {"statements": []}
        _check_revision(record, RevisionId)
        kept = [other for other in record["statements"] if other["Sid"] != StatementId]
        if len(kept) == len(record["statements"]):
            raise AwsError(
                "ResourceNotFoundException",
                f"Statement {StatementId} is not found in resource policy.",
                Type="User",
            )
        if kept:
            revised = record | {"statements": kept, "RevisionId": str(uuid.uuid4())}
            call.records("policy").put(_key(target), revised)
        else:
            call.records("policy").delete(_key(target))
    return {}


@operation(SERVICE, "GetPolicy")
def get_policy(call: Call, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
    target = named(call, FunctionName, Qualifier)
    version_of(call, target)
    record = call.records("policy").get(_key(target))
    if record is None:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", Type="User")
    return {"Policy": _text(record["statements"]), "RevisionId": record["RevisionId"]}


def _text(statements: list[dict[str, Any]]) -> str:
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return json.dumps(document, separators=(",", ":"))


def _policy(engine: Engine, account: str, region: str, arn: str) -> str | None:
    parts = arn.split(":")
    if len(parts) < 7 or parts[5] != "function":
        return None
    target = Named(parts[6], parts[7] if len(parts) > 7 else None)
    record = engine.records(account, region, SERVICE, "policy").get(_key(target))
    return _text(record["statements"]) if record else None


POLICIES[SERVICE] = _policy
