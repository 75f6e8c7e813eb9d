"""Domains, user profiles and spaces of Studio, with their configurations: kept. No app runs.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html
"""

from __future__ import annotations

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call
from sandbox.services.sagemaker.kept.kinds import IN_USE, INVALID, Kind, Record, find, serve


def _domain(call: Call, record: Record) -> Record:
    identifier = record["DomainId"]
    return {
        "Status": "InService",
        "Url": f"https://{identifier}.studio.{call.region}.sagemaker.aws",
        "HomeEfsFileSystemId": random_id(17, "fs-"),
        "AppNetworkAccessType": record.get("AppNetworkAccessType", "PublicInternetOnly"),
    }


def _domain_changed(call: Call, record: Record) -> Record:
    settings = record.pop("DomainSettingsForUpdate", None)
    return {"DomainSettings": (record.get("DomainSettings") or {}) | settings} if settings else {}


def _empty(call: Call, record: Record) -> None:
    for kind in (USER_PROFILE, SPACE):
        if kind.records(call).keys(f"{record['DomainId']}/"):
            raise AwsError(
                IN_USE, f"Unable to delete Domain {record['DomainArn']} because it still has a {kind.noun}."
            )


def _in_domain(call: Call, record: Record) -> Record:
    find(call, DOMAIN, record["DomainId"], INVALID)
    return {"Status": "InService", "HomeEfsFileSystemUid": "200005"}


DOMAIN = Kind(
    "Domain",
    "domain",
    "Domains",
    "Domains",
    name="DomainId",
    made=_domain,
    changed=_domain_changed,
    deletable=_empty,
)
USER_PROFILE = Kind(
    "UserProfile",
    "user-profile",
    "UserProfiles",
    "UserProfiles",
    under="DomainId",
    equals={"DomainIdEquals": "DomainId"},
    made=_in_domain,
)
SPACE = Kind(
    "Space",
    "space",
    "Spaces",
    "Spaces",
    under="DomainId",
    equals={"DomainIdEquals": "DomainId"},
    made=_in_domain,
)
serve(USER_PROFILE)
serve(SPACE)
serve(
    Kind("AppImageConfig", "app-image-config", "AppImageConfigs", "AppImageConfigs"),
)
serve(
    Kind(
        "StudioLifecycleConfig",
        "studio-lifecycle-config",
        "StudioLifecycleConfigs",
        "StudioLifecycleConfigs",
        equals={"AppTypeEquals": "StudioLifecycleConfigAppType"},
        changes=False,
    )
)
