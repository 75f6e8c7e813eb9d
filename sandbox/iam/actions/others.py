"""Services whose resources the reference's templates do not resolve from the request alone."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.iam.actions import catalogue, generic
from sandbox.iam.actions.check import Asked, Check, Unmapped

Resources = Callable[[Asked], tuple[str, ...]]


def codecommit(asked: Asked) -> tuple[str, ...]:
    """Pull requests and comments tell their repository only through the service's records."""
    if asked.operation == "ListTagsForResource" or asked.first(
        "repositoryName", "repositoryNames", "oldName", "targets.repositoryName", "resourceArn"
    ):
        return generic.resources(asked, "codecommit", asked.operation)
    for kind, member in (
        ("pull-request", "pullRequestId"),
        ("comment", "commentId"),
        ("comment", "inReplyTo"),
    ):
        identifier = asked.first(member)
        if identifier:
            return (asked.located("codecommit", kind, identifier),)
    return generic.resources(asked, "codecommit", asked.operation)


def codebuild(asked: Asked) -> tuple[str, ...]:
    """Builds are authorized on their project, which a build's id names before its colon."""
    identifiers = asked.get("ids") + asked.get("id") + asked.get("sandboxId")
    if identifiers:
        names = [item.rsplit("/", 1)[-1].split(":", 1)[0] for item in identifiers]
        return tuple(dict.fromkeys(asked.arn("codebuild", f"project/{name}") for name in names))
    reports = (
        asked.get("reportArns")
        + asked.get("reportArn")
        + (asked.get("arn") if asked.operation == "DeleteReport" else [])
    )
    if reports:
        groups = [item.replace(":report/", ":report-group/", 1) for item in reports]
        return tuple(dict.fromkeys(item.rsplit(":", 1)[0] for item in groups))
    fleets = asked.get("names") if asked.operation == "BatchGetFleets" else []
    if "Fleet" in asked.operation and asked.operation != "ListFleets":
        fleets = fleets or asked.get("name") + asked.get("arn")
        return tuple(
            item if item.startswith("arn:") else asked.arn("codebuild", f"fleet/{item}:*") for item in fleets
        )
    return generic.resources(asked, "codebuild", asked.operation)


def codepipeline(asked: Asked) -> tuple[str, ...]:
    if "ActionType" in asked.operation or asked.operation == "PollForJobs":
        kind = asked.params.get("actionTypeId") or asked.params.get("actionType") or asked.params
        kind = kind.get("id", kind) if isinstance(kind, dict) else kind
        if asked.operation not in ("ListActionTypes", "GetActionType"):
            parts = (
                kind.get("owner", "Custom"),
                kind.get("category"),
                kind.get("provider"),
                kind.get("version"),
            )
            return (asked.arn("codepipeline", "actiontype:" + "/".join(str(part) for part in parts)),)
    return generic.resources(asked, "codepipeline", asked.operation)


def cloudformation(asked: Asked) -> tuple[str, ...]:
    """A stack by name is `stack/<name>/*`: its id is not known before it is found."""
    stacks = asked.get("StackName") + asked.get("StackDefinitions.StackName")
    if asked.operation == "ListHookResults":
        stacks = asked.get("TargetId")
    if stacks:
        return tuple(
            item if item.startswith("arn:") else asked.arn("cloudformation", f"stack/{item}/*")
            for item in stacks
        )
    sets = asked.get("StackSetName")
    if sets and asked.operation != "CreateStackSet":
        return tuple(
            item if item.startswith("arn:") else asked.arn("cloudformation", f"stackset/{item}:*")
            for item in sets
        )
    change_set = asked.first("ChangeSetName")
    if change_set:
        return (asked.located("cloudformation", "change-set", change_set),)
    if asked.operation in (
        "DescribeStackRefactor",
        "ExecuteStackRefactor",
        "ListStackRefactorActions",
        "ListStackRefactors",
    ):
        return (asked.arn("cloudformation", "stack/*/*"),)
    if asked.operation in ("DescribeStackResources", "RecordHandlerProgress"):
        return (asked.arn("cloudformation", "stack/*/*"),)
    return generic.resources(asked, "cloudformation", asked.operation)


def events(asked: Asked) -> tuple[str, ...]:
    """Rules of the default bus are `rule/<name>`, of others `rule/<bus>/<name>`."""
    bus = (asked.first("EventBusName") or "default").rsplit("/", 1)[-1]
    if asked.operation == "PutEvents":
        buses = [entry.get("EventBusName") or "default" for entry in asked.params.get("Entries") or []]
        return tuple(dict.fromkeys(_bus(asked, name) for name in buses)) or (_bus(asked, "default"),)
    if asked.operation in ("ListRules", "PutPermission", "RemovePermission"):
        return ("*",) if asked.operation == "ListRules" else (_bus(asked, bus),)
    if asked.operation == "DescribeEventBus":
        return (_bus(asked, asked.first("Name") or "default"),)
    rule = asked.first("Rule") if "Target" in asked.operation else asked.first("Name")
    if rule and (asked.operation.endswith("Rule") or asked.operation in ("PutTargets", "RemoveTargets")):
        return (asked.arn("events", f"rule/{rule}" if bus == "default" else f"rule/{bus}/{rule}"),)
    return generic.resources(asked, "events", asked.operation)


def _bus(asked: Asked, name: str) -> str:
    return name if name.startswith("arn:") else asked.arn("events", f"event-bus/{name}")


def servicecatalog(asked: Asked) -> tuple[str, ...]:
    """Products and portfolios carry the prefix `catalog`. What is yet to be created is `…/*`."""
    action = asked.operation
    kinds = {kind for kind, _ in generic.types_of("servicecatalog", action)}
    members = {
        "Portfolio": ("PortfolioId", "Id", "ResourceId"),
        "Product": ("ProductId", "Id", "ResourceId"),
        "Application": ("application", "resourceArn"),
        "AttributeGroup": ("attributeGroup", "resourceArn"),
    }
    found = []
    for kind in sorted(kinds):
        prefix = {"Portfolio": "port-", "Product": "prod"}.get(kind, "")
        values = [value for member in members[kind] for value in asked.get(member)]
        stem = kind.lower()
        found += [
            value if value.startswith("arn:") else asked.arn("catalog", f"{stem}/{value}")
            for value in values
            if value.startswith(("arn:", prefix))
        ]
    if found or not kinds:
        return tuple(found) or ("*",)
    return tuple(asked.arn("catalog", f"{kind.lower()}/*") for kind in sorted(kinds))


def autoscaling(asked: Asked) -> tuple[str, ...]:
    """Scalable targets have an id of their own, which requests by resource do not name."""
    if asked.operation.startswith(("Describe", "Get")):
        return ("*",)
    given = asked.first("ResourceARN")
    return (given or asked.arn("application-autoscaling", "scalable-target/*"),)


def logs(asked: Asked) -> tuple[str, ...]:
    """Log groups are authorized with a trailing `:log-stream:<stream>`, save by the tagging operations.

    Source: "CloudWatch Logs resources and operations" in the CloudWatch Logs User Guide.
    """
    operation = asked.operation
    given = asked.get("resourceArn")
    if operation in ("TagResource", "UntagResource", "ListTagsForResource") and given:
        return tuple(given)
    if operation in ("DescribeLogGroups", "ListLogGroups"):
        return (asked.arn("logs", "log-group::log-stream:"),)
    groups = [
        value
        for member in (
            "logGroupName",
            "logGroupIdentifier",
            "logGroupNames",
            "logGroupIdentifiers",
            "logGroupArnList",
            "resourceIdentifier",
        )
        for value in asked.get(member)
    ]
    kinds = {kind for kind, _ in generic.types_of("logs", operation)}
    if groups and kinds & {"log-group", "log-stream"}:
        stream = asked.first("logStreamName") or "" if "log-stream" in kinds else ""
        found = [f"{_group(asked, item)}:log-stream:{stream}" for item in groups]
        found += (
            asked.get("destinationArn")
            if operation == "PutSubscriptionFilter" and _is_destination(asked)
            else []
        )
        return tuple(dict.fromkeys(found))
    if operation in ("GetLogRecord", "GetLogObject", "GetQueryResults"):
        return (asked.arn("logs", "log-group:*"),)
    if operation in ("CreateDelivery", "UpdateDeliveryConfiguration"):
        return _delivery(asked)
    if operation == "DeleteDeliverySource":
        return (asked.arn("logs", f"delivery-source:{asked.first('name')}"),)
    if operation in (
        "DescribeSubscriptionFilters",
        "DescribeMetricFilters",
        "DescribeLogStreams",
        "FilterLogEvents",
        "GetLogEvents",
    ):
        return (asked.arn("logs", "log-group:*"),)
    return generic.resources(asked, "logs", operation)


def _delivery(asked: Asked) -> tuple[str, ...]:
    found = [asked.arn("logs", f"delivery:{asked.first('id') or '*'}")]
    source, destination = asked.first("deliverySourceName"), asked.first("deliveryDestinationArn")
    found += [asked.arn("logs", f"delivery-source:{source}")] if source else []
    return (*found, destination) if destination else tuple(found)


def _is_destination(asked: Asked) -> bool:
    return ":destination:" in (asked.first("destinationArn") or "")


def _group(asked: Asked, name: str) -> str:
    return name.removesuffix(":*") if name.startswith("arn:") else asked.arn("logs", f"log-group:{name}")


def sagemaker(asked: Asked) -> tuple[str, ...]:
    """Model packages live under their group; a package that is to be created has no version yet.

    A group's versions are listed as its packages ("Cross-account model registry", SageMaker developer guide).
    """
    operation = asked.operation
    group = asked.first("ModelPackageGroupName")
    if operation in ("CreateModelPackage", "ListModelPackages") and group:
        return (asked.arn("sagemaker", f"model-package/{group.rsplit('/', 1)[-1]}/*"),)
    if operation == "CreateModelPackage":
        return (asked.arn("sagemaker", f"model-package/{asked.first('ModelPackageName') or '*'}"),)
    try:
        return generic.resources(asked, "sagemaker", operation)
    except Unmapped:
        # Ids that the service makes up: what is created is of the right type, under any name.
        kinds = generic.types_of("sagemaker", operation)
        if operation.startswith(("Create", "Start", "List", "Search", "Import")) and kinds:
            return tuple(
                asked.arn("sagemaker", f"{generic.stem('sagemaker', kind)}/*")
                for kind, required in kinds
                if required
            )
        raise


def ssm(asked: Asked) -> tuple[str, ...]:
    """Parameters lose their leading slash; a path stands for what lies under it."""
    operation = asked.operation
    kind = asked.params.get("ResourceType")
    if "Parameter" in operation or kind == "Parameter":
        names = (
            asked.get("Name")
            + asked.get("Names")
            + asked.get("Path")
            + (asked.get("ResourceId") if kind else [])
        )
        if operation == "DescribeParameters" or not names:
            return ("*",)
        return tuple(dict.fromkeys(_parameter(asked, name) for name in names))
    return generic.resources(asked, "ssm", operation)


def _parameter(asked: Asked, name: str) -> str:
    if name.startswith("arn:"):
        return name
    plain = name.lstrip("/").split(":", 1)[0]
    return asked.arn("ssm", f"parameter/{plain}" if plain else "parameter/*")


RESOURCES: dict[str, Resources] = {
    "application-autoscaling": autoscaling,
    "cloudformation": cloudformation,
    "codebuild": codebuild,
    "codecommit": codecommit,
    "codepipeline": codepipeline,
    "events": events,
    "logs": logs,
    "sagemaker": sagemaker,
    "servicecatalog": servicecatalog,
    "ssm": ssm,
}


def checks(asked: Asked) -> list[Check]:
    """The operation's own check; its action has the operation's name."""
    prefix = catalogue.iam_prefix(asked.service)
    resources = RESOURCES.get(asked.service)
    found = resources(asked) if resources else generic.resources(asked, prefix, asked.operation)
    return [Check(f"{prefix}:{asked.operation}", found)]
