"""The whole loop: from the seed's commit to production, a second version, back to the first, and away.

The tests follow one another in the life of one project.
"""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.loop.clients import ask_aws, run_aws
from tests.loop.conftest import ROOT
from tests.loop.left import listening_ports, processes, resources
from tests.loop.project import Project
from tests.loop.tags import UNTAGGABLE, Tags

pytestmark = [pytest.mark.loop, pytest.mark.timeout(300)]
JOBS = {
    "TrainingJob": ("list_training_jobs", "TrainingJobSummaries"),
    "ProcessingJob": ("list_processing_jobs", "ProcessingJobSummaries"),
    "Pipeline": ("list_pipelines", "PipelineSummaries"),
}


def tags_of(project: Project) -> dict[str, str]:
    return {
        "sagemaker:project-name": project.names.project,
        "sagemaker:project-id": project.names.project_id,
    }


def test_version_1_of_the_seed_predicts_in_production(project: Project) -> None:
    assert project.versions() == {1: "Approved"}
    assert project.serves("staging", 1)
    assert project.serves("prod", 1)
    rows, truth = project.held_out()
    predictions = [
        prediction
        for start in range(0, len(rows), 500)
        for prediction in project.predict(rows[start : start + 500])
    ]
    pairs = list(zip(predictions, truth, strict=True))
    rmse = math.sqrt(math.fsum((prediction - value) ** 2 for prediction, value in pairs) / len(pairs))
    mean = math.fsum(truth) / len(truth)
    guessed = math.sqrt(math.fsum((mean - value) ** 2 for value in truth) / len(truth))
    assert rmse < 45 < guessed


def test_everything_carries_the_projects_name_and_id(project: Project) -> None:
    tags, expected = Tags(project), tags_of(project).items()
    cloudformation, sagemaker = project.client("cloudformation"), project.client("sagemaker")
    stacks = [
        stack["StackName"]
        for stack in cloudformation.list_stacks()["StackSummaries"]
        if stack["StackName"].startswith(("SC-", project.names.prefix))
    ]
    assert len(stacks) == 3
    for stack in stacks:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        assert expected <= {tag["Key"]: tag["Value"] for tag in described["Tags"]}.items(), stack
        for resource in cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]:
            kind, physical_id = resource["ResourceType"], resource["PhysicalResourceId"]
            if kind not in UNTAGGABLE:
                assert expected <= tags.of(kind, physical_id).items(), (kind, physical_id)
    for kind, (operation, key) in JOBS.items():
        made = getattr(sagemaker, operation)()[key]
        assert made
        for item in made:
            assert expected <= tags.of_sagemaker(item[f"{kind}Arn"]).items(), item


def test_an_endpoint_leads_back_to_its_commit_and_data(project: Project) -> None:
    sagemaker = project.client("sagemaker")
    config = sagemaker.describe_endpoint_config(
        EndpointConfigName=project.serving("prod")["EndpointConfigName"]
    )
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    package = sagemaker.describe_model_package(ModelPackageName=model["PrimaryContainer"]["ModelPackageName"])
    origin = package["CustomerMetadataProperties"]
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=origin["PipelineExecutionArn"])
    seed = project.build_code.seed
    assert execution["PipelineExecutionDisplayName"] == f"commit-{seed[:12]}"
    assert origin["GitCommit"] == seed
    commit = project.client("codecommit").get_commit(
        repositoryName=project.names.model_build, commitId=origin["GitCommit"]
    )
    assert commit["commit"]["commitId"] == seed
    training = project.steps(origin["PipelineExecutionArn"])["Train"]["Metadata"]["TrainingJob"]["Arn"]
    job = sagemaker.describe_training_job(TrainingJobName=training.rpartition("/")[2])
    assert (
        package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        == job["ModelArtifacts"]["S3ModelArtifacts"]
    )
    bucket, _, key = origin["InputDataUrl"].removeprefix("s3://").partition("/")
    data = project.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert data == (project.build_code.folder / "data" / "bikeshare.csv").read_bytes()


def test_unmodified_clients_agree(project: Project, tmp_path: Path) -> None:
    names, seed = project.names, project.build_code.seed
    sagemaker, execution = project.client("sagemaker"), project.sagemaker_execution(seed)
    described = sagemaker.describe_project(ProjectName=names.project)
    product = described["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductId"]
    record = project.client("servicecatalog", "team").describe_provisioned_product(Id=product)
    build = project.client("codebuild").list_builds_for_project(projectName=names.model_build)["ids"][0]
    logs = project.client("codebuild").batch_get_builds(ids=[build])["builds"][0]["logs"]
    row = tmp_path / "row.csv"
    row.write_text(project.held_out()[0][0])
    answer = tmp_path / "answer.csv"
    answers = ask_aws(
        project.sandbox,
        ["sagemaker", "describe-project", "--project-name", names.project],
        ["sagemaker", "list-pipeline-executions", "--pipeline-name", names.sagemaker_pipeline],
        ["sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", execution],
        ["sagemaker", "list-model-packages", "--model-package-group-name", names.model_package_group],
        ["sagemaker", "describe-endpoint", "--endpoint-name", names.endpoint("prod")],
        ["codepipeline", "get-pipeline-state", "--name", names.model_deploy],
        ["codecommit", "get-branch", "--repository-name", names.model_build, "--branch-name", "main"],
        ["codebuild", "batch-get-builds", "--ids", build],
        ["cloudformation", "describe-stack-events", "--stack-name", names.endpoint_stack("prod")],
        [
            *("logs", "get-log-events", "--start-from-head", "--log-group-name", logs["groupName"]),
            *("--log-stream-name", logs["streamName"]),
        ],
        [
            *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", names.endpoint("prod")),
            *("--content-type", "text/csv", "--accept", "text/csv", "--body", f"fileb://{row}", str(answer)),
        ],
    )
    found, executions, steps, packages, endpoint, state, branch, builds, events, log, invoked = answers
    assert found["ProjectArn"] == described["ProjectArn"]
    assert found["ProjectStatus"] == "CreateCompleted"
    assert [item["PipelineExecutionArn"] for item in executions["PipelineExecutionSummaries"]] == [execution]
    assert {step["StepName"] for step in steps["PipelineExecutionSteps"]} == set(project.steps(execution))
    assert [item["ModelPackageVersion"] for item in packages["ModelPackageSummaryList"]] == [1]
    assert endpoint["EndpointStatus"] == "InService"
    assert [stage["latestExecution"]["status"] for stage in state["stageStates"]] == ["Succeeded"] * 4
    assert branch["branch"]["commitId"] == seed
    assert builds["builds"][0]["buildStatus"] == "SUCCEEDED"
    assert events["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert "Preprocess: Succeeded" in "\n".join(event["message"] for event in log["events"])
    assert invoked["InvokedProductionVariant"] == "AllTraffic"
    assert float(answer.read_text()) == pytest.approx(project.predict([row.read_text()])[0])
    record_id = record["ProvisionedProductDetail"]["LastRecordId"]
    shown = run_aws(project.sandbox, "servicecatalog", "describe-record", "--id", record_id, principal="team")
    assert json.loads(shown.stdout)["RecordDetail"]["Status"] == "SUCCEEDED", shown.stderr


def test_engineers_build_and_approvers_approve(project: Project) -> None:
    engineer, approver = project.client("sagemaker"), project.client("codepipeline")
    arn = project.version(1)["ModelPackageArn"]
    for status in ("Approved", "Rejected"):
        with pytest.raises(ClientError, match="AccessDenied.*sagemaker:UpdateModelPackage"):
            engineer.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
    with pytest.raises(ClientError, match="AccessDenied.*codepipeline:PutApprovalResult"):
        approver.put_approval_result(
            pipelineName=project.names.model_deploy,
            stageName="DeployProd",
            actionName="ApproveProduction",
            result={"summary": "mine", "status": "Approved"},
            token="11111111-1111-1111-1111-111111111111",
        )
    pushed = project.sandbox.run(
        *("git", "push", "origin", "HEAD:main"), principal="approver", cwd=project.deploy_code.folder
    )
    assert pushed.returncode != 0


def test_a_second_commit_trains_again_and_goes_through_staging_to_production(project: Project) -> None:
    row = project.held_out()[0][0]
    before = project.predict([row])[0]
    clone = project.build_code
    clone.replace(
        "pipelines/definition.py",
        'ParameterInteger("MaxDepth", default_value=6)',
        'ParameterInteger("MaxDepth", default_value=5)',
    )
    execution = project.build_succeeds(clone.push("Trees of depth 5"))
    steps = project.steps(execution)
    assert {name for name, step in steps.items() if "CacheHitResult" in step} == {"Preprocess"}
    assert steps["Preprocess"]["CacheHitResult"]["SourcePipelineExecutionArn"] == project.sagemaker_execution(
        clone.seed
    )
    assert all(step["StepStatus"] == "Succeeded" for step in steps.values()), steps
    assert project.versions() == {1: "Approved", 2: "PendingManualApproval"}
    deployments = len(project.executions(project.names.model_deploy))
    with project.traffic(row) as traffic:
        deployment = project.approve(2)
        assert len(project.executions(project.names.model_deploy)) == deployments + 1
        project.until_gate(deployment)
        assert project.serves("staging", 2)
        assert project.serves("prod", 1)
        project.deploy(deployment)
        after = project.predict([row])[0]
    traffic.check()
    assert project.serves("prod", 2)
    assert after != before
    assert {round(answer, 3) for answer in traffic.answers} == {round(before, 3), round(after, 3)}


def test_rejecting_a_version_brings_the_one_before_it_back(project: Project) -> None:
    row = project.held_out()[0][0]
    with project.traffic(row) as traffic:
        project.deploy(project.approve(2, "Rejected"))
        again = project.predict([row])[0]
    traffic.check()
    assert project.serves("prod", 1)
    assert project.serves("staging", 1)
    assert again == pytest.approx(project.predict([row], "staging")[0])
    assert project.versions() == {1: "Approved", 2: "Rejected"}


def test_deletion_leaves_what_it_lists_and_nothing_else(project: Project) -> None:
    sandbox, names = project.sandbox, project.names
    assert processes(sandbox)
    done = sandbox.run(
        *(sys.executable, "-m", "cli", "project", "delete", names.project, "--yes", "--output", "json"),
        principal="team",
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    deleted = json.loads(done.stdout)
    assert deleted["ProjectStatus"] == "DeleteCompleted"
    assert deleted["DeletedStacks"][:2] == [names.endpoint_stack("prod"), names.endpoint_stack("staging")]
    assert len(deleted["DeletedStacks"]) == 3
    cloudformation = project.client("cloudformation")
    for stack in deleted["DeletedStacks"]:
        with pytest.raises(ClientError, match="does not exist"):
            cloudformation.describe_stacks(StackName=stack)
    assert processes(sandbox) == []
    assert listening_ports(sandbox) == [int(re.findall(r":(\d+)", sandbox.url)[0])]
    left, listed = resources(project), {(item["Type"], item["Id"]) for item in deleted["Retained"]}
    assert listed == left
    tags = Tags(project)
    for kind, physical_id in left:
        if kind not in UNTAGGABLE:
            assert tags_of(project).items() <= tags.of(kind, physical_id).items(), (kind, physical_id)


def test_no_call_was_unmapped_and_no_role_has_what_it_does_not_need(project: Project) -> None:
    sandbox = project.sandbox
    done = sandbox.run(
        *(sys.executable, "-m", "cli", "permissions", "report", "--state", str(sandbox.state)),
        *("--check", "--output", "json"),
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["Unmapped"] == 0 and report["UnmappedCalls"] == []
    roles = {row["Principal"]: row for row in report["Principals"] if row["Granted"] is not None}
    prefix = f"sagemaker-{project.names.project_id}-"
    ours = {name.removeprefix(prefix) for name in roles if name.startswith(prefix)}
    assert ours >= {
        "build",
        "build-pipeline",
        "deploy",
        "deploy-pipeline",
        "deploy-stacks",
        "execution",
        "test",
    }
    assert all(row["Calls"] and row["Actions"] for row in roles.values())
    granted, unused = (sum(row[column] for row in roles.values()) for column in ("Granted", "Unused"))
    assert unused <= 0.05 * granted, report["GrantedButUnused"]
