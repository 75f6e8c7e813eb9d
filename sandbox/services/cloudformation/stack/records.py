"""What is kept of stacks: the stack, its resources, its events, the exports.

A stack's record holds under `Current` what was last deployed and under `Target` what an operation is
deploying (template, parameters, tags, …); a resource's record holds under `Before` what it was when the
operation first touched it, which is what a rollback restores.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import LOCATE, TAGS, AwsError
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Place

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

Record = dict[str, Any]
SERVICE = "cloudformation"
EVENT_SOURCE = "aws.cloudformation"
KEPT_OPERATIONS = 20
NOTIFY = "cloudformation.notify"


@dataclass
class Stacks:
    """Every stack of one account and region."""

    engine: Engine
    account: str
    region: str
    stacks: Any = field(init=False)
    resources: Any = field(init=False)
    retired: Any = field(init=False)
    events: Any = field(init=False)
    exports: Any = field(init=False)
    imports: Any = field(init=False)
    change_sets: Any = field(init=False)
    names: Any = field(init=False)
    custom_requests: Any = field(init=False)

    def __post_init__(self) -> None:
        def records(kind: str) -> Any:
            return self.engine.records(self.account, self.region, SERVICE, kind)

        self.stacks = records("stack")
        self.names = records("stack-name")
        self.resources = records("resource")
        self.retired = records("retired-resource")
        self.events = records("event")
        self.exports = records("export")
        self.imports = records("import")
        self.change_sets = records("change-set")
        self.custom_requests = records("custom-request")

    # -- stacks -----------------------------------------------------------------------------------------

    def new_id(self, name: str) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{name}/{uuid.uuid4()}"

    def find(self, name_or_id: str) -> Record | None:
        """The stack of a name (the living one) or of an id (a deleted one too)."""
        if name_or_id.startswith("arn:"):
            return self.stacks.get(name_or_id)
        named = self.names.get(name_or_id)
        return self.stacks.get(named["StackId"]) if named else None

    def get(self, name_or_id: str) -> Record:
        """The stack; ValidationError when there is none."""
        stack = self.find(name_or_id)
        if stack is None:
            raise TemplateError(f"Stack with id {name_or_id} does not exist")
        return stack

    def insert(self, stack: Record) -> None:
        self.stacks.put(stack["StackId"], stack)
        self.names.put(stack["StackName"], {"StackId": stack["StackId"]})

    def put(self, stack: Record) -> None:
        self.stacks.put(stack["StackId"], stack)

    def place(self, stack: Record) -> Place:
        topics = tuple(stack.get("NotificationARNs") or ())
        return Place(self.account, self.region, stack["StackId"], stack["StackName"], notifications=topics)

    def set_status(
        self,
        stack_id: str,
        status: str,
        reason: str | None = None,
        *,
        expected: str | None = None,
        **members: Any,
    ) -> bool:
        """Moves a stack to a status: its record, its own event and the EventBridge event, in one write.

        False, and nothing is written, when the stack is no longer in the `expected` status.
        """
        with self.engine.store.transaction():
            stack = self.stacks.get(stack_id)
            if expected is not None and stack["StackStatus"] != expected:
                return False
            now = self.engine.clock.now()
            stack.update(members)
            stack["StackStatus"] = status
            stack["StackStatusReason"] = reason
            if status.endswith("_IN_PROGRESS"):
                stack["Phase"] = str(uuid.uuid4())
                stack.pop("Drift", None)
            else:
                for key in self.custom_requests.keys(f"{stack_id}|"):
                    self.custom_requests.delete(key)
            if status == "DELETE_COMPLETE":
                stack["DeletionTime"] = now
                named = self.names.get(stack["StackName"])
                if named and named["StackId"] == stack_id:
                    self.names.delete(stack["StackName"])
            self.stacks.put(stack_id, stack)
            self.add_event(
                stack,
                logical_id=stack["StackName"],
                physical_id=stack_id,
                kind="AWS::CloudFormation::Stack",
                status=status,
                reason=reason,
            )
            self.engine.events.put(
                self.account,
                self.region,
                source=EVENT_SOURCE,
                detail_type="CloudFormation Stack Status Change",
                resources=[stack_id],
                detail={
                    "stack-id": stack_id,
                    "status-details": {"status": status, "status-reason": reason or ""},
                    "client-request-token": stack.get("ClientRequestToken") or "",
                },
            )
        return True

    def change_set(self, name_or_id: str, stack_name: str | None) -> Record:
        """The change set of an id, or of a name within a stack; ChangeSetNotFound otherwise."""
        if not name_or_id.startswith("arn:") and not stack_name:
            raise TemplateError("StackName must be specified if ChangeSetName is not specified as an ARN.")
        prefix = ""
        if stack_name:
            stack = self.find(stack_name)
            if stack is None:
                raise TemplateError(f"Stack [{stack_name}] does not exist")
            prefix = f"{stack['StackId']}|"
        found: list[Record] = self.change_sets.list(prefix)
        for record in found:
            if name_or_id in (record["ChangeSetId"], record["ChangeSetName"]):
                return record
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name_or_id}] does not exist")

    # -- resources --------------------------------------------------------------------------------------

    def resource(self, stack_id: str, logical_id: str) -> Record | None:
        return self.resources.get(f"{stack_id}|{logical_id}")

    def resources_of(self, stack_id: str) -> dict[str, Record]:
        return {record["LogicalResourceId"]: record for record in self.resources.list(f"{stack_id}|")}

    def put_resource(self, stack_id: str, record: Record) -> None:
        self.resources.put(f"{stack_id}|{record['LogicalResourceId']}", record)

    def set_resource_status(
        self, stack: Record, record: Record, status: str, reason: str | None = None, *, event: bool = True
    ) -> None:
        """Writes a resource's record under a new status, with the event that tells of it."""
        with self.engine.store.transaction():
            record["ResourceStatus"] = status
            record["ResourceStatusReason"] = reason
            record["LastUpdatedTimestamp"] = self.engine.clock.now()
            record.pop("Drift", None)
            self.put_resource(stack["StackId"], record)
            if event:
                self.resource_event(stack, record, status, reason)

    def resource_event(self, stack: Record, record: Record, status: str, reason: str | None = None) -> None:
        self.add_event(
            stack,
            logical_id=record["LogicalResourceId"],
            physical_id=record.get("PhysicalResourceId") or "",
            kind=record["ResourceType"],
            status=status,
            reason=reason,
            properties=record.get("Shown") or record.get("Properties"),
        )

    # -- events -----------------------------------------------------------------------------------------

    def add_event(
        self,
        stack: Record,
        *,
        logical_id: str,
        physical_id: str,
        kind: str,
        status: str,
        reason: str | None,
        properties: Any = None,
    ) -> None:
        own = kind == "AWS::CloudFormation::Stack" and physical_id == stack["StackId"]
        identifier = str(uuid.uuid4()) if own else f"{logical_id}-{status}-{uuid.uuid4()}"
        event = {
            "StackId": stack["StackId"],
            "StackName": stack["StackName"],
            "EventId": identifier,
            "OperationId": (stack.get("Operation") or {}).get("OperationId"),
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "Timestamp": self.engine.clock.now(),
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ResourceProperties": properties,
            "ClientRequestToken": stack.get("ClientRequestToken"),
        }
        key = f"{stack['StackId']}|{identifier}"
        with self.engine.store.transaction():
            self.events.put(key, event)
            if stack.get("NotificationARNs"):
                place = {"account": self.account, "region": self.region, "stack": stack["StackId"]}
                self.engine.tasks.submit(NOTIFY, key, place | {"topics": stack["NotificationARNs"]})

    # -- exports ----------------------------------------------------------------------------------------

    def importers(self, name: str) -> list[str]:
        """Names of the stacks that import an export."""
        return sorted({record["StackName"] for record in self.imports.list(f"{name}|")})

    def exported(self, name: str) -> Any:
        record = self.exports.get(name)
        if record is None:
            raise TemplateError(f"No export named {name} found.")
        return record["Value"]


def start_operation(stack: Record, kind: str) -> str:
    """Gives the stack's next operation its id; `kind` is one of OperationType. Write the stack after."""
    stack["Operation"] = {"OperationType": kind, "OperationId": str(uuid.uuid4())}
    stack["Operations"] = [stack["Operation"], *stack.get("Operations", [])][:KEPT_OPERATIONS]
    return str(stack["Operation"]["OperationId"])


def check_not_busy(stack: Record, verb: str = "updated") -> None:
    """ValidationError while an operation runs on the stack."""
    if stack["StackStatus"].endswith("_IN_PROGRESS") and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        raise AwsError(
            "ValidationError",
            f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be {verb}.",
            status=400,
        )


def tags_of_stack(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    """The tags of the stack an ARN names (by id, or as `stack/<name>/*`), for conditions on them."""
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    if kind != "stack":
        return {}
    stacks = Stacks(engine, account, region)
    stack = stacks.stacks.get(arn) or stacks.find(rest.split("/")[0])
    shown = (stack["Current"] or stack["Target"]) if stack else None
    return shown["Tags"] if shown else {}


TAGS[SERVICE] = tags_of_stack


def stack_of_change_set(engine: Engine, account: str, region: str, identifier: str) -> str | None:
    """The stack whose change set an ARN names: permissions on change sets are permissions on stacks."""
    keys = Stacks(engine, account, region).change_sets.keys()
    return next((key.split("|")[0] for key in keys if key.endswith(f"|{identifier}")), None)


LOCATE[SERVICE, "change-set"] = stack_of_change_set
