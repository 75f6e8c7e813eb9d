"""SimulateCustomPolicy and SimulatePrincipalPolicy: the gate's own evaluation, asked about what might be.

Source: their pages in the IAM API reference. One result is given for each action on each resource.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.iam import policy
from sandbox.iam.actions import catalogue
from sandbox.iam.documents import NONE, Document
from sandbox.iam.policy import Decision, PolicySet
from sandbox.iam.principals.principal import Principal
from sandbox.services.iam.context_keys import keys_of
from sandbox.services.iam.sources import Source, inputs, statements, subject


class Given:
    """The context that a request describes: what it does not name is missing."""

    def __init__(self, entries: list[dict[str, Any]] | None) -> None:
        self._values = {
            item["ContextKeyName"].lower(): tuple(item.get("ContextKeyValues") or ())
            for item in entries or []
            if item.get("ContextKeyName")
        }

    def get(self, key: str) -> tuple[str, ...] | None:
        return self._values.get(key)

    def single(self, key: str) -> str | None:
        found = self.get(key)
        return found[0] if found is not None and len(found) == 1 else None

    def known(self, key: str) -> bool:
        return True


@dataclass(frozen=True)
class Simulation:
    """What stays the same for every action and resource."""

    sources: list[Source]
    boundary: list[Source]
    resource: list[Source]
    caller: Principal | None
    owner: str
    context: Given

    def result(self, action: str, resource: str) -> dict[str, Any]:
        decision = policy.evaluate(action, resource, self.context, self._policies())
        result: dict[str, Any] = {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": _WORDS.get(decision.reason, "implicitDeny"),
            "MatchedStatements": self._matched(action, resource, decision),
            "MissingContextValues": self._missing(action),
        }
        if self.boundary:
            allowed = _allows(self.boundary, action, resource, self.context)
            result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
        return result

    def _policies(self) -> PolicySet:
        caller = self.caller
        return PolicySet(
            identity=tuple(source.document for source in self.sources),
            boundary=self._boundary(),
            resource=tuple(source.document for source in self.resource),
            forms=caller.forms if caller else {("*", "*"): policy.DIRECT},
            cross_account=bool(caller and self.resource and self.owner != caller.account),
        )

    def _boundary(self) -> Document | None:
        """Several boundaries are one: what any of them allows, and none denies."""
        if not self.boundary:
            return None
        documents = [source.document for source in self.boundary]
        together = tuple(statement for document in documents for statement in document.statements)
        return Document("boundary", documents[0].version, together)

    def _matched(self, action: str, resource: str, decision: Decision) -> list[dict[str, Any]]:
        """The statements that decide: every Allow that applies, or the Denies that do."""
        if decision.reason not in (policy.ALLOWED, policy.EXPLICIT_DENY):
            return []
        found = []
        for source in (*self.sources, *self.boundary, *self.resource):
            if decision.allowed and source in self.boundary:
                continue
            spans = source.spans()
            for number, statement in enumerate(source.document.statements):
                if statement.allows is not decision.allowed or not statement.concerns(action):
                    continue
                forms = self.caller.forms if self.caller and source in self.resource else None
                if forms is not None and statement.names(forms, bool(self.boundary)) == NONE:
                    continue
                if statement.applies(resource, self.context):
                    found.append(_statement(source, spans[number]))
        return found

    def _missing(self, action: str) -> list[str]:
        """Keys that the statements about the action name and the request does not."""
        named: dict[str, str] = {}
        for source in (*self.sources, *self.boundary, *self.resource):
            written = statements(source)
            for number, statement in enumerate(source.document.statements):
                if statement.concerns(action):
                    named |= {key.lower(): key for key in keys_of(written[number])}
        return [key for lower, key in named.items() if self.context.get(lower) is None]


_WORDS = {
    policy.ALLOWED: "allowed",
    policy.EXPLICIT_DENY: "explicitDeny",
    policy.IMPLICIT_DENY: "implicitDeny",
}


def _allows(sources: Iterable[Source], action: str, resource: str, context: Given) -> bool:
    documents = tuple(source.document for source in sources)
    return policy.evaluate(action, resource, context, PolicySet(identity=documents)).allowed


def _statement(source: Source, span: tuple[int, int]) -> dict[str, Any]:
    start, end = span
    return {
        "SourcePolicyId": source.id,
        "SourcePolicyType": source.kind,
        "StartPosition": _position(source.text, start),
        "EndPosition": _position(source.text, end),
    }


def _position(text: str, at: int) -> dict[str, int]:
    before = text[:at]
    return {"Line": before.count("\n") + 1, "Column": at - (before.rfind("\n") + 1) + 1}


@operation("iam", "SimulateCustomPolicy")
def simulate_custom_policy(
    call: Call, PolicyInputList: list[str], ActionNames: list[str], **members: Any
) -> dict[str, Any]:
    if members.get("OrderedOrganizationPolicyInputList"):
        text = "The sandbox does not implement SimulateCustomPolicy with policies of an organization"
        raise AwsError("UnsupportedOperation", text, status=400)
    boundary = inputs(members.get("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicyInputList")
    return _simulate(call, inputs(PolicyInputList), boundary, None, ActionNames, members)


@operation("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(
    call: Call, PolicySourceArn: str, ActionNames: list[str], **members: Any
) -> dict[str, Any]:
    entity = subject(call.account, PolicySourceArn)
    given = members.get("PermissionsBoundaryPolicyInputList")
    boundary = inputs(given, "PermissionsBoundaryPolicyInputList") if given else entity.boundary
    left_out = members.get("PolicyExclusionList")
    if left_out:
        text = "The sandbox does not implement SimulatePrincipalPolicy with a PolicyExclusionList"
        raise AwsError("UnsupportedOperation", text, status=400)
    sources = [*entity.sources, *inputs(members.get("PolicyInputList"))]
    return _simulate(call, sources, boundary, entity.arn, ActionNames, members)


def _simulate(
    call: Call,
    sources: list[Source],
    boundary: list[Source],
    entity: str | None,
    actions: list[str],
    members: dict[str, Any],
) -> dict[str, Any]:
    resource = members.get("ResourcePolicy")
    simulation = Simulation(
        sources,
        boundary,
        inputs([resource] if resource else [], "ResourcePolicy", "resource"),
        _caller(members.get("CallerArn") or entity, required=bool(resource)),
        _owner(call, members),
        Given(members.get("ContextEntries")),
    )
    pairs = [(_action(action), arn) for action in actions for arn in members.get("ResourceArns") or ["*"]]
    chosen, marker = page(pairs, members.get("Marker"), members.get("MaxItems"), error="InvalidInput")
    results = [simulation.result(action, arn) for action, arn in chosen]
    answer: dict[str, Any] = {"EvaluationResults": results, "IsTruncated": marker is not None}
    return answer | ({"Marker": marker} if marker else {})


def _action(name: str) -> str:
    prefix, _, action = name.partition(":")
    if action.lower() not in catalogue.actions(prefix.lower()):
        raise AwsError("InvalidInput", f"Invalid ActionName: {name}", status=400)
    return name


def _caller(arn: str | None, *, required: bool) -> Principal | None:
    """The user (or role) that the simulation is for, whom resource policies may name."""
    if arn is None or ":group/" in arn or (required and ":user/" not in arn):
        if required:
            text = "A CallerArn that names a user is required with a ResourcePolicy."
            raise AwsError("InvalidInput", text, status=400)
        return None
    account = arn.split(":")[4]
    if ":user/" in arn:
        return Principal("user", arn, account, "")
    return Principal("role", arn, account, "", session_name="simulated")


def _owner(call: Call, members: dict[str, Any]) -> str:
    """The account of the resource: ResourceOwner, else that in its ARN, else the caller's."""
    stated = members.get("ResourceOwner")
    if stated:
        return str(stated).split(":")[4] if str(stated).startswith("arn:") else str(stated)
    for arn in members.get("ResourceArns") or []:
        pieces = arn.split(":", 5)
        if len(pieces) == 6 and pieces[4].isdigit():
            return str(pieces[4])
    return call.account
