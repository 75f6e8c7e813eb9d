"""What is chosen where there is a choice: template version, execution, gate, model version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cli import catalog, executions, gates, models
from cli.access import Access
from cli.errors import USAGE, CliError
from cli.waiting import Pace, Waiter
from project.names import Names

NAMES = Names(project="bikes", project_id="p-1", account="123456789012")
START = datetime(2026, 1, 1, tzinfo=UTC)


def access(**clients: Any) -> Access:
    found = Access()
    found._clients.update({name.replace("_", "-"): client for name, client in clients.items()})
    return found


class Pages:
    """A paginator of one page."""

    def __init__(self, **page: Any) -> None:
        self.page = page

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [self.page]


def service_catalog(paths: int = 1) -> Any:
    artifacts = [
        {"Id": "pa-old", "Name": "1.0.0", "CreatedTime": START, "Guidance": "DEFAULT"},
        {"Id": "pa-new", "Name": "1.1.0", "CreatedTime": START + timedelta(1), "Guidance": "DEFAULT"},
        {"Id": "pa-bad", "Name": "1.2.0", "CreatedTime": START + timedelta(2), "Guidance": "DEPRECATED"},
    ]
    product = {"Name": "sagemaker-model", "ProductId": "prod-1"}
    # The product is on the second page: what Service Catalog pages must be asked for to the end.
    answers = {
        "": {"ProductViewSummaries": [], "NextPageToken": "2"},
        "2": {"ProductViewSummaries": [product]},
    }
    return SimpleNamespace(
        search_products=lambda PageToken="": answers[PageToken],  # noqa: N803 - AWS's name
        describe_product=lambda Id: {"ProvisioningArtifacts": artifacts},  # noqa: N803
        get_paginator=lambda _: Pages(LaunchPathSummaries=[{"Id": f"lp-{n}"} for n in range(paths)]),
    )


def test_the_newest_active_version_is_launched() -> None:
    details = catalog.provisioning_details(access(servicecatalog=service_catalog()), "model", None)
    assert details == {"ProductId": "prod-1", "ProvisioningArtifactId": "pa-new"}


def test_a_version_may_be_named_and_a_path_is_given_where_there_are_several() -> None:
    details = catalog.provisioning_details(access(servicecatalog=service_catalog(2)), "model", "1.2.0")
    assert details == {"ProductId": "prod-1", "ProvisioningArtifactId": "pa-bad", "PathId": "lp-0"}


def test_what_is_not_offered_is_refused_with_what_is() -> None:
    with pytest.raises(CliError, match="offered: 1.0.0, 1.1.0, 1.2.0"):
        catalog.provisioning_details(access(servicecatalog=service_catalog()), "model", "9.9.9")
    with pytest.raises(CliError, match="no template other .* offered: model"):
        catalog.provisioning_details(access(servicecatalog=service_catalog()), "other", None)


def code_pipeline(*statuses: str, token: str | None = None, gate: str = "InProgress") -> Any:
    """A deploy pipeline whose newest execution comes first; nothing else runs."""
    found = [
        {
            "pipelineExecutionId": f"{number}-id",
            "status": status,
            "startTime": START - timedelta(hours=number),
            "sourceRevisions": [{"revisionId": f"{number}" * 40}],
        }
        for number, status in enumerate(statuses)
    ]
    action = {
        "actionName": "Approve",
        "latestExecution": {"status": gate, **({"token": token} if token else {})},
    }
    stage = {
        "stageName": "Prod",
        "latestExecution": {"pipelineExecutionId": "0-id"},
        "actionStates": [{"actionName": "Deploy"}, action],
    }
    return SimpleNamespace(
        list_pipeline_executions=lambda pipelineName, **_: {  # noqa: N803
            "pipelineExecutionSummaries": found if pipelineName == NAMES.model_deploy else []
        },
        get_pipeline_state=lambda name: {"stageStates": [{"stageName": "Source"}, stage]},
    )


NO_TRAINING = SimpleNamespace(list_pipeline_executions=lambda **_: {"PipelineExecutionSummaries": []})


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(None, "0-id"), ("1-id", "1-id"), ("1-", "1-id"), ("1" * 40, "1-id"), ("1111111", "1-id")],
)
def test_executions_are_found_by_id_commit_or_the_start_of_it(wanted: str | None, found: str) -> None:
    here = access(codepipeline=code_pipeline("Succeeded", "Failed"), sagemaker=NO_TRAINING)
    assert executions.pick(here, NAMES, wanted, None)["ExecutionId"] == found


def test_an_execution_that_is_not_there_is_wrong_usage() -> None:
    here = access(codepipeline=code_pipeline("Succeeded"), sagemaker=NO_TRAINING)
    with pytest.raises(CliError, match="no execution 7777") as caught:
        executions.pick(here, NAMES, "7777", None)
    assert caught.value.code == USAGE


def test_only_an_approval_that_waits_is_a_gate() -> None:
    (gate,) = gates.find(access(codepipeline=code_pipeline("InProgress", token="t")), NAMES.model_deploy)
    assert (gate.stage, gate.action, gate.execution, gate.token) == ("Prod", "Approve", "0-id", "t")
    for pipeline in (code_pipeline("InProgress"), code_pipeline("Succeeded", token="t", gate="Succeeded")):
        assert gates.find(access(codepipeline=pipeline), NAMES.model_deploy) == []


def test_a_deployment_that_ended_has_no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "IDLE_SECONDS", 0.0)
    waiter = Waiter(Pace(0.01, 0.01, timeout=5))
    with pytest.raises(CliError, match="waits for no approval; its newest execution: Failed"):
        gates.await_gate(access(codepipeline=code_pipeline("Failed")), NAMES, waiter)


def registry() -> Access:
    packages = {
        f"arn:{version}": {
            "ModelPackageArn": f"arn:{version}",
            "ModelPackageVersion": version,
            "ModelApprovalStatus": status,
        }
        for version, status in ((3, "Approved"), (2, models.PENDING), (1, models.PENDING))
    }
    return access(
        sagemaker=SimpleNamespace(
            get_paginator=lambda _: Pages(ModelPackageSummaryList=list(packages.values())),
            describe_model_package=lambda ModelPackageName: packages[ModelPackageName],  # noqa: N803
        )
    )


@pytest.mark.parametrize(
    ("version", "status", "expected"),
    [(None, None, 3), (None, models.PENDING, 2), ("1", None, 1), ("v1", None, 1), ("arn:2", None, 2)],
)
def test_model_versions(version: str | None, status: str | None, expected: int) -> None:
    assert models.pick(registry(), "group", version, status=status)["ModelPackageVersion"] == expected


def test_a_version_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(CliError, match="no version 7; versions: 3 Approved, 2 Pending"):
        models.pick(registry(), "group", "7")
