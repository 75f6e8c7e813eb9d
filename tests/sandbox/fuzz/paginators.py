"""Every paginator that botocore has for an operation of ours, walked one item a page: part of `make fuzz`."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import jmespath
import pytest
from botocore.exceptions import ClientError

from sandbox.engine.operations import OPERATIONS
from sandbox.gateway import refusals, services
from tests.sandbox.fuzz import world
from tests.sandbox_process import SandboxProcess

SESSION = botocore.session.Session()
COPIES = ("pages-one", "pages-two", "pages-three")
ROUNDS = 60
"""Pages after which a walk is not over."""


def _paginators() -> list[tuple[str, str]]:
    services.load()
    found = []
    for service in sorted({service for service, _ in OPERATIONS}):
        try:
            known = SESSION.get_paginator_model(service)._paginator_config
        except botocore.exceptions.UnknownServiceError:
            continue
        except botocore.exceptions.DataNotFoundError:
            continue
        found += [(service, name) for name in sorted(known) if (service, name) in OPERATIONS]
    return found


def _copied(request: Any, name: str) -> Any:
    if isinstance(request, dict):
        return {key: _copied(value, name) for key, value in request.items()}
    if isinstance(request, list):
        return [_copied(value, name) for value in request]
    return request.replace(world.NAME, name) if isinstance(request, str) else request


@pytest.fixture(scope="module")
def several(sandbox: SandboxProcess) -> dict[str, str]:
    """Three of each record, and values for the members that lists require."""
    known: dict[str, str] = {}
    for name in COPIES:
        for service, operation, request in world.MADE:
            if service not in ("kms", "logs", "ssm"):
                answer = sandbox.client(service)._make_api_call(operation, _copied(request, name))
                _learn(_copied(request, name), known)
                _learn({key: value for key, value in answer.items() if key != "ResponseMetadata"}, known)
    return known


def _learn(value: Any, known: dict[str, str], name: str = "") -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _learn(item, known, name + key if key in ("Id", "id", "Arn", "arn", "Name", "name") else key)
            if key in ("Id", "Arn", "Name", "name", "arn"):
                _learn(item, known, key)
    elif isinstance(value, str):
        known.setdefault(name.lower(), value)


def _request(service: str, operation: str, known: dict[str, str]) -> dict[str, Any] | None:
    """The members that the operation requires; None where one is not known."""
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    request: dict[str, Any] = {}
    for name in [*shape.required_members, *NEEDED.get((service, operation), ())]:
        member = shape.members[name]
        given = GIVEN.get((service, name), known.get(name.lower()))
        enum = getattr(member, "enum", None)
        if member.type_name != "string" or (enum and given not in enum):
            given = GIVEN.get((service, name)) or (enum or [None])[0]
        if given is None:
            return None
        request[name] = given
    return request


GIVEN: dict[tuple[str, str], Any] = {
    ("codecommit", "beforeCommitSpecifier"): "main",
    ("codecommit", "afterCommitSpecifier"): "main",
    ("codecommit", "repositoryName"): COPIES[0],
    ("codebuild", "projectName"): COPIES[0],
    ("cloudformation", "StackName"): COPIES[0],
    ("sagemaker", "PipelineName"): COPIES[0],
    ("servicecatalog", "Id"): None,
}
NEEDED = {
    ("cloudformation", "DescribeEvents"): ("StackName",),
    ("cloudformation", "DescribeStackEvents"): ("StackName",),
    ("stepfunctions", "ListExecutions"): ("stateMachineArn",),
    ("sagemaker", "ListModelPackages"): ("ModelPackageGroupName",),
}
"""Members that the operation needs although its model does not say so, or that make its list longer."""


@pytest.mark.parametrize(("service", "operation"), _paginators())
def test_pages_hold_what_the_list_holds_and_tokens_are_checked(
    sandbox: SandboxProcess, several: dict[str, str], service: str, operation: str
) -> None:
    config = SESSION.get_paginator_model(service).get_paginator(operation)
    request = _request(service, operation, several)
    if request is None:
        pytest.skip("nothing in this file has what the list is about")
    client = sandbox.client(service, parameter_validation=False)
    call = lambda **more: client._make_api_call(operation, {**request, **more})  # noqa: E731
    try:
        whole = call()
    except ClientError as error:
        if error.response["Error"]["Code"] in refusals.COMMON:
            raise
        pytest.skip(f"{error}")
    limit, given = config.get("limit_key"), config["input_token"]
    if not isinstance(given, str):
        pytest.skip("its token is a pair")
    paths = config["result_key"] if isinstance(config["result_key"], list) else [config["result_key"]]
    size = {limit: _smallest(service, operation, limit)} if limit else {}
    pages, token = [], None
    for _ in range(ROUNDS):
        page = call(**size, **({given: token} if token else {}))
        pages.append(page)
        token = jmespath.search(config["output_token"], page)
        if not token or (config.get("more_results") and not jmespath.search(config["more_results"], page)):
            break
    for path in paths:
        one_by_one = [item for page in pages for item in jmespath.search(path, page) or []]
        assert len({json.dumps(item, default=str) for item in one_by_one}) == len(one_by_one) or not limit
        for item in jmespath.search(path, whole) or []:
            if "pages-" in json.dumps(item, default=str) and len(pages) < ROUNDS:
                assert _key(item) in [_key(other) for other in one_by_one], (path, item)
    if limit and len(pages) > 1:
        longest = max(len(jmespath.search(paths[0], page) or []) for page in pages)
        assert longest <= next(iter(size.values()))
    if (service, operation) in ONE_PAGE:
        return
    with pytest.raises(ClientError) as caught:
        call(**{given: "bm90LWEtdG9rZW4="})
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    model = SESSION.get_service_model(service).operation_model(operation)
    assert refusals.may_refuse(model, error["Error"]["Code"]), error


ONE_PAGE = {
    ("cloudformation", "DescribeAccountLimits"),
    ("ec2", "DescribeInstances"),
    ("sagemaker", "ListMonitoringExecutions"),
    ("sqs", "ListQueues"),
}
"""Lists that are always the same and short, or give a token only to who asks for pages."""


def _key(item: Any) -> Any:
    """What tells an item from others: its status may have changed since."""
    if not isinstance(item, dict):
        return item
    return tuple(
        value for name, value in sorted(item.items()) if name.lower().endswith(("id", "arn", "name"))
    )


def _smallest(service: str, operation: str, limit: str) -> Any:
    member = SESSION.get_service_model(service).operation_model(operation).input_shape.members[limit]
    smallest = member.metadata.get("min", 1) or 1
    return smallest if member.type_name in ("integer", "long") else str(smallest)
