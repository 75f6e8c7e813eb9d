"""SageMaker images and their versions: kept.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateImageVersion.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker.kept.kinds import IN_USE, NOT_FOUND, Kind, Record, find, serve, shown
from sandbox.services.sagemaker.listing import paged

if TYPE_CHECKING:
    from sandbox.engine.store import Records

VERSION_MEMBERS = (
    "BaseImage",
    "VendorGuidance",
    "JobType",
    "MLFramework",
    "ProgrammingLang",
    "Processor",
    "Horovod",
    "ReleaseNotes",
)


def _changed(call: Call, record: Record) -> Record:
    for member in record.pop("DeleteProperties", None) or []:
        record.pop(member, None)
    return {}


def _without_versions(call: Call, record: Record) -> None:
    if _versions(call).keys(f"{record['ImageName']}/"):
        raise AwsError(IN_USE, f"Image {record['ImageArn']} still has versions.")


IMAGE = Kind(
    "Image",
    "image",
    "Images",
    "Images",
    made=lambda call, record: {"ImageStatus": "CREATED"},
    changed=_changed,
    deletable=_without_versions,
)
serve(IMAGE)


def _versions(call: Call) -> Records:
    return call.records("kept/image-version")


def _key(name: str, version: int) -> str:
    return f"{name}/{version:010}"


def _find(call: Call, name: str, version: int | None, alias: str | None) -> Record:
    """A version by number or alias, else the newest."""
    find(call, IMAGE, name)
    found = _versions(call).list(f"{name}/")
    for record in reversed(found):
        if version in (None, record["Version"]) and (alias is None or alias in record["Aliases"]):
            return record
    raise AwsError(NOT_FOUND, f"Could not find version {alias or version} of Image {name}.")


@operation("sagemaker", "CreateImageVersion", record_only=True)
def create_image_version(call: Call, ImageName: str, ClientToken: str, **request: Any) -> Record:
    with call.engine.store.transaction():
        image = find(call, IMAGE, ImageName)
        known = _versions(call).list(f"{ImageName}/")
        again = next((record for record in known if record["ClientToken"] == ClientToken), None)
        if again is not None:
            return {"ImageVersionArn": again["ImageVersionArn"]}
        number, now = image.get("LastVersion", 0) + 1, call.engine.clock.now()
        record = {
            member: request[member] for member in VERSION_MEMBERS if request.get(member) is not None
        } | {
            "ClientToken": ClientToken,
            "Aliases": request.get("Aliases") or [],
            "Version": number,
            "ImageArn": image["ImageArn"],
            "ImageVersionArn": call.arn(f"image-version/{ImageName.lower()}/{number}"),
            "ContainerImage": request["BaseImage"],
            "ImageVersionStatus": "CREATED",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        _versions(call).put(_key(ImageName, number), record)
        IMAGE.records(call).put(ImageName, image | {"LastVersion": number})
    return {"ImageVersionArn": record["ImageVersionArn"]}


@operation("sagemaker", "DescribeImageVersion", record_only=True)
def describe_image_version(
    call: Call, ImageName: str, Version: int | None = None, Alias: str | None = None
) -> Record:
    return shown(_find(call, ImageName, Version, Alias), "DescribeImageVersion")


@operation("sagemaker", "UpdateImageVersion", record_only=True)
def update_image_version(
    call: Call, ImageName: str, Version: int | None = None, Alias: str | None = None, **request: Any
) -> Record:
    with call.engine.store.transaction():
        record = _find(call, ImageName, Version, Alias)
        gone = request.pop("AliasesToDelete", None) or []
        added = request.pop("AliasesToAdd", None) or []
        record |= request | {"LastModifiedTime": call.engine.clock.now()}
        record["Aliases"] = [item for item in dict.fromkeys(record["Aliases"] + added) if item not in gone]
        _versions(call).put(_key(ImageName, record["Version"]), record)
    return {"ImageVersionArn": record["ImageVersionArn"]}


@operation("sagemaker", "DeleteImageVersion", record_only=True)
def delete_image_version(
    call: Call, ImageName: str, Version: int | None = None, Alias: str | None = None
) -> None:
    with call.engine.store.transaction():
        record = _find(call, ImageName, Version, Alias)
        _versions(call).delete(_key(ImageName, record["Version"]))


@operation("sagemaker", "ListImageVersions", record_only=True)
def list_image_versions(call: Call, ImageName: str, **request: Any) -> Record:
    find(call, IMAGE, ImageName)
    found = [
        shown(record, "ListImageVersions", "ImageVersions")
        for record in _versions(call).list(f"{ImageName}/")
    ]
    ascending = (request.get("SortOrder") or "DESCENDING").upper().startswith("ASC")
    return paged("ImageVersions", found if ascending else found[::-1], request)


@operation("sagemaker", "ListAliases", record_only=True)
def list_aliases(
    call: Call, ImageName: str, Version: int | None = None, Alias: str | None = None, **request: Any
) -> Record:
    record = _find(call, ImageName, Version, Alias)
    return {"SageMakerImageVersionAliases": record["Aliases"]}
