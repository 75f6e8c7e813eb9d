"""AWS::CodeCommit::Repository."""

from __future__ import annotations

from typing import Any

from sandbox.engine.archives import BadArchive, Limits, ZipArchive, open_zip
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)

MAX_SEED_BYTES = 64 * 1024 * 1024
MAX_SEED_FILES = 5_000
_MESSAGE = "Initial commit"
_AUTHOR = "AWS CloudFormation"


@resource_type("AWS::CodeCommit::Repository")
class Repository(Handler):
    refused = frozenset({"Triggers"})
    updatable = frozenset({"RepositoryName", "RepositoryDescription", "Code"})

    def create(self, request: Request) -> Made:
        client, name = request.client("codecommit"), request.properties["RepositoryName"]
        wanted: dict[str, Any] = {"repositoryName": name, "tags": request.tags}
        if "RepositoryDescription" in request.properties:
            wanted["repositoryDescription"] = request.properties["RepositoryDescription"]
        if "KmsKeyId" in request.properties:
            wanted["kmsKeyId"] = request.properties["KmsKeyId"]
        # The seed is read first: a seed that cannot be read leaves no empty repository behind.
        seed = _seed(request) if "Code" in request.properties else None
        with unless_resumed(request.resumed):
            client.create_repository(**wanted)
        made = _made(client, name)
        if seed is not None:
            self._commit(request, name, seed)
        return made

    def _commit(self, request: Request, name: str, files: list[dict[str, Any]]) -> None:
        """The first commit, unless an interrupted attempt already made it."""
        client = request.client("codecommit")
        branch = request.properties["Code"].get("BranchName", "main")
        try:
            client.create_commit(
                repositoryName=name,
                branchName=branch,
                putFiles=files,
                commitMessage=_MESSAGE,
                authorName=_AUTHOR,
            )
        except Exception as error:
            # The branch has a commit: told so, no further permission is needed to know it.
            if request.resumed and isinstance(error, client.exceptions.ParentCommitIdRequiredException):
                return
            client.delete_repository(repositoryName=name)
            raise

    def update(self, request: Request) -> Made:
        client = request.client("codecommit")
        name = request.properties["RepositoryName"]
        if request.changed("RepositoryName"):
            client.update_repository_name(oldName=request.previous["RepositoryName"], newName=name)
        if request.changed("RepositoryDescription"):
            client.update_repository_description(
                repositoryName=name, repositoryDescription=request.properties.get("RepositoryDescription", "")
            )
        made = _made(client, name)
        if request.tags_removed:
            client.untag_resource(resourceArn=made.attributes["Arn"], tagKeys=request.tags_removed)
        if request.tags_added:
            client.tag_resource(resourceArn=made.attributes["Arn"], tags=request.tags_added)
        return made

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("codecommit").delete_repository(repositoryName=request.attributes["Name"])


def _made(client: Any, name: str) -> Made:
    metadata = client.get_repository(repositoryName=name)["repositoryMetadata"]
    return Made(
        metadata["repositoryId"],
        {
            "Arn": metadata["Arn"],
            "CloneUrlHttp": metadata["cloneUrlHttp"],
            "CloneUrlSsh": metadata["cloneUrlSsh"],
            "Name": name,
            "RepositoryId": metadata["repositoryId"],
        },
    )


def _seed(request: Request) -> list[dict[str, Any]]:
    """The files of the seed's zip, read from S3 as the stack's principal, as CreateCommit takes them."""
    where = request.properties["Code"]["S3"]
    version = {"VersionId": where["ObjectVersion"]} if "ObjectVersion" in where else {}
    answer = request.client("s3").get_object(Bucket=where["Bucket"], Key=where["Key"], **version)
    name = f"s3://{where['Bucket']}/{where['Key']}"
    if answer["ContentLength"] > MAX_SEED_BYTES:
        raise ResourceFailed(f"{name} is larger than {MAX_SEED_BYTES} bytes")
    try:
        with open_zip(answer["Body"].read(), Limits(MAX_SEED_BYTES, MAX_SEED_FILES)) as archive:
            return _files(archive, name)
    except BadArchive as error:
        raise ResourceFailed(f"{name} cannot be unzipped: {error}") from None


def _files(archive: ZipArchive, name: str) -> list[dict[str, Any]]:
    if not archive.files:
        raise ResourceFailed(f"{name} holds no files")
    return [
        {
            "filePath": entry.name,
            "fileMode": "EXECUTABLE" if entry.mode & 0o111 else "NORMAL",
            "fileContent": archive.read(entry),
        }
        for entry in archive.files.values()
    ]
