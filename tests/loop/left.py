"""What a deleted project leaves behind: processes, ports, resources."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.loop.project import Project
from tests.sandbox_process import SandboxProcess

LISTENING = "0A"


def processes(sandbox: SandboxProcess) -> list[str]:
    """Command lines of the sandbox's descendants, and of what runs in its state folder without being one."""
    parents, lines, inside = {}, {}, set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            folder = os.readlink(entry / "cwd")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # ended meanwhile, or somebody else's
        if state[0] == "Z":
            continue
        parents[pid], lines[pid] = int(state[1]), line
        if Path(folder).is_relative_to(sandbox.state):
            inside.add(pid)

    def descends(pid: int) -> bool:
        while pid in parents:
            pid = parents[pid]
            if pid == sandbox.running.pid:
                return True
        return False

    return [
        line for pid, line in lines.items() if pid != sandbox.running.pid and (pid in inside or descends(pid))
    ]


def listening_ports(sandbox: SandboxProcess) -> list[int]:
    """TCP ports on which the sandbox's process listens."""
    sockets = set()
    for descriptor in Path(f"/proc/{sandbox.running.pid}/fd").iterdir():
        target = os.readlink(descriptor)
        if target.startswith("socket:["):
            sockets.add(target.removeprefix("socket:[").removesuffix("]"))
    ports = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in sockets:
                ports.append(int(fields[1].rpartition(":")[2], 16))
    return ports


def resources(project: Project) -> set[tuple[str, str]]:
    """Type and physical id, as CloudFormation says them, of all that belongs to the project."""

    def found(service: str, operation: str, path: str, **request: Any) -> list[Any]:
        pages = project.client(service, "root").get_paginator(operation).paginate(**request)
        return list(pages.search(path))

    listed = {
        "AWS::ApplicationAutoScaling::ScalableTarget": found(
            *("application-autoscaling", "describe_scalable_targets", "ScalableTargets[].ResourceId"),
            ServiceNamespace="sagemaker",
        ),
        "AWS::CloudFormation::Stack": found("cloudformation", "describe_stacks", "Stacks[].StackName"),
        "AWS::CloudWatch::Alarm": found("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
        "AWS::CodeBuild::Project": found("codebuild", "list_projects", "projects[]"),
        "AWS::CodePipeline::Pipeline": found("codepipeline", "list_pipelines", "pipelines[].name"),
        "AWS::Events::Rule": found("events", "list_rules", "Rules[].Name"),
        "AWS::IAM::Role": found("iam", "list_roles", "Roles[].RoleName"),
        "AWS::KMS::Alias": found("kms", "list_aliases", "Aliases[].AliasName"),
        "AWS::Logs::LogGroup": found("logs", "describe_log_groups", "logGroups[].logGroupName"),
        "AWS::S3::Bucket": found("s3", "list_buckets", "Buckets[].Name"),
        "AWS::SageMaker::Endpoint": found("sagemaker", "list_endpoints", "Endpoints[].EndpointArn"),
        "AWS::SageMaker::EndpointConfig": found(
            "sagemaker", "list_endpoint_configs", "EndpointConfigs[].EndpointConfigArn"
        ),
        "AWS::SageMaker::Model": found("sagemaker", "list_models", "Models[].ModelArn"),
        "AWS::SageMaker::ModelPackageGroup": found(
            *("sagemaker", "list_model_package_groups"),
            "ModelPackageGroupSummaryList[].ModelPackageGroupArn",
        ),
        "AWS::SageMaker::Pipeline": found("sagemaker", "list_pipelines", "PipelineSummaries[].PipelineName"),
    }
    mine = {
        (kind, name) for kind, names in listed.items() for name in names if project.names.project_id in name
    }
    for repository in found("codecommit", "list_repositories", "repositories[]"):
        if project.names.project_id in repository["repositoryName"]:
            mine.add(("AWS::CodeCommit::Repository", repository["repositoryId"]))
    for key in found("kms", "list_aliases", f"Aliases[?AliasName=='{project.names.key_alias}'].TargetKeyId"):
        mine.add(("AWS::KMS::Key", key))
    for bucket in [name for kind, name in mine if kind == "AWS::S3::Bucket"]:
        project.client("s3", "root").get_bucket_policy(Bucket=bucket)
        mine.add(("AWS::S3::BucketPolicy", bucket))
    return mine
