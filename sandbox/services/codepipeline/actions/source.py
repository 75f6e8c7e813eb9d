"""Source actions: a revision pinned, and its files in the artifact store."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError
from sandbox.services.codepipeline.actions.context import ActionFailed, Context, Succeeded

REVISION = "codepipeline-revision"
"""Metadata of the output artifact's object: the revision, which CodeBuild shows as the resolved version."""


def codecommit(context: Context) -> Succeeded:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html"""
    repository = context.configuration["RepositoryName"]
    branch = context.configuration["BranchName"]
    client = context.session.client("codecommit")
    try:
        commit_id = _pinned(context, "COMMIT_ID")
        if commit_id is None:
            commit_id = client.get_branch(repositoryName=repository, branchName=branch)["branch"]["commitId"]
        commit = client.get_commit(repositoryName=repository, commitId=commit_id)["commit"]
    except (
        client.exceptions.BranchDoesNotExistException,
        client.exceptions.RepositoryDoesNotExistException,
        client.exceptions.CommitIdDoesNotExistException,
    ) as error:
        raise ActionFailed("ConfigurationError", error.response["Error"]["Message"]) from error
    account, region = context.pipelines.account, context.pipelines.region
    arn = f"arn:aws:codecommit:{region}:{account}:{repository}"
    for action in ("codecommit:UploadArchive", "codecommit:GetUploadArchiveStatus"):
        context.session.authorize(action, arn)
    data = context.engine.git.archive(account, region, repository, commit_id)
    context.put_output(data, {REVISION: commit_id})
    message = commit["message"].rstrip("\n")
    console = f"https://{region}.console.aws.amazon.com/codesuite/codecommit/repositories/{repository}"
    return Succeeded(
        summary=message,
        variables={
            "RepositoryName": repository,
            "BranchName": branch,
            "CommitId": commit_id,
            "CommitMessage": message,
            "AuthorDate": commit["author"]["date"],
            "AuthorName": commit["author"]["name"],
            "CommitterDate": commit["committer"]["date"],
        },
        revision={
            "revisionId": commit_id,
            "revisionSummary": message,
            "revisionUrl": f"{console}/commit/{commit_id}?region={region}",
        },
    )


def connection(context: Context) -> Succeeded:
    """Ends as on AWS for a connection whose handshake is not done: the sandbox reaches no provider.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
    """
    from botocore.exceptions import ClientError

    arn = context.configuration["ConnectionArn"]
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if service not in ("codeconnections", "codestar-connections"):
        raise ActionFailed("ConfigurationError", f"{arn} is not the ARN of a connection")
    try:
        context.session.authorize(f"{service}:UseConnection", arn)
    except AwsError as error:
        raise ActionFailed(
            "PermissionError",
            f"Unable to use Connection: {arn}. The provided role does not have sufficient permissions. "
            f"{error.message}",
        ) from error
    client = context.engine.clients.owner(context.pipelines.region).client(service)
    try:
        status = client.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"]
    except ClientError as error:
        raise ActionFailed("ConfigurationError", error.response["Error"]["Message"]) from error
    raise ActionFailed(
        "ConfigurationError",
        f"Unable to use Connection: {arn}. The connection is {status}: its handshake with the provider, "
        "which makes it AVAILABLE, is not implemented in the sandbox, which reaches no repository outside.",
    )


def s3(context: Context) -> Succeeded:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html"""
    bucket = context.configuration["S3Bucket"]
    key = _pinned(context, "S3_OBJECT_KEY") or context.configuration["S3ObjectKey"]
    version = _pinned(context, "S3_OBJECT_VERSION_ID")
    client = context.session.client("s3")
    arguments: dict[str, Any] = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
    answer = client.get_object(**arguments)
    if not answer.get("VersionId") or answer["VersionId"] == "null":
        raise ActionFailed("ConfigurationError", f"The S3 bucket {bucket} must have versioning enabled")
    context.put_output(answer["Body"].read(), {REVISION: answer["VersionId"]})
    etag = answer["ETag"].strip('"')
    return Succeeded(
        summary=f"Amazon S3 version id: {answer['VersionId']}",
        variables={"BucketName": bucket, "ObjectKey": key, "ETag": etag, "VersionId": answer["VersionId"]},
        revision={
            "revisionId": answer["VersionId"],
            "revisionSummary": f"Amazon S3 version id: {answer['VersionId']}",
            "revisionUrl": f"https://console.aws.amazon.com/s3/object/{bucket}/{key}",
        },
    )


def _pinned(context: Context, kind: str) -> str | None:
    """The revision that the start of the execution asked for."""
    override = context.execution["overrides"].get(context.action["actionName"], {})
    return override.get("revisionValue") if override.get("revisionType") == kind else None
