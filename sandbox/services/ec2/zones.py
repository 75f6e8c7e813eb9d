"""Regions and zones, and what there is none of: instances and network interfaces.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2.kinds import Record, Request, passes, recorded

ZONES = {"us-east-1": "abcdef", "us-west-2": "abcd", "ap-northeast-1": "acd", "us-west-1": "ac"}
"""Letters of a region's zones, where they are not a, b and c."""

_DIRECTIONS = {
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "central": "c",
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
}
_ZONE_FILTERS = {
    "zone-name": "ZoneName",
    "zone-id": "ZoneId",
    "zone-type": "ZoneType",
    "state": "State",
    "region-name": "RegionName",
    "group-name": "GroupName",
    "opt-in-status": "OptInStatus",
}


def zones_of(region: str) -> list[Record]:
    """The zones of a region as the API shows them."""
    area, direction, number = region.rsplit("-", 2)
    short = f"{area}{_DIRECTIONS.get(direction, direction)}{number}"
    return [
        {
            "OptInStatus": "opt-in-not-required",
            "RegionName": region,
            "ZoneName": f"{region}{letter}",
            "ZoneId": f"{short}-az{index + 1}",
            "GroupName": f"{region}-zg-1",
            "NetworkBorderGroup": region,
            "ZoneType": "availability-zone",
            "State": "available",
            "Messages": [],
        }
        for index, letter in enumerate(ZONES.get(region, "abc"))
    ]


def zone(region: str, name: str) -> Record:
    """A zone by its name; AwsError where the region has none of that name."""
    found = zones_of(region)
    for item in found:
        if item["ZoneName"] == name:
            return item
    names = ", ".join(item["ZoneName"] for item in found)
    raise AwsError(
        "InvalidParameterValue",
        f"Value ({name}) for parameter availabilityZone is invalid. Subnets can currently only be created in "
        f"the following availability zones: {names}.",
        status=400,
    )


@recorded("DescribeAvailabilityZones")
def describe_availability_zones(call: Call, request: Request) -> Record:
    names, ids = request.get("ZoneNames"), request.get("ZoneIds")
    found = [
        item
        for item in zones_of(call.region)
        if (not names or item["ZoneName"] in names)
        and (not ids or item["ZoneId"] in ids)
        and passes(item, request.get("Filters") or [], _ZONE_FILTERS)
    ]
    known = {item["ZoneName"] for item in zones_of(call.region)}
    for name in names or []:
        if name not in known:
            raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{name}]", status=400)
    return {"AvailabilityZones": found}


@recorded("DescribeRegions")
def describe_regions(call: Call, request: Request) -> Record:
    """The sandbox is one region."""
    shown = {
        "RegionName": call.region,
        "Endpoint": f"ec2.{call.region}.amazonaws.com",
        "OptInStatus": "opt-in-not-required",
    }
    for name in request.get("RegionNames") or []:
        if name != call.region:
            raise AwsError("InvalidParameterValue", f"Invalid region: [{name}]", status=400)
    paths = {"region-name": "RegionName", "endpoint": "Endpoint", "opt-in-status": "OptInStatus"}
    return {"Regions": [shown] if passes(shown, request.get("Filters") or [], paths) else []}


def _none(name: str, member: str, ids: str, kind: str, error: str) -> None:
    """A Describe operation of what the sandbox never has."""

    @recorded(name)
    def describe(call: Call, request: Request) -> dict[str, Any]:
        for identifier in request.get(ids) or []:
            raise AwsError(error, f"The {kind} ID '{identifier}' does not exist", status=400)
        return {member: []}


_none("DescribeInstances", "Reservations", "InstanceIds", "instance", "InvalidInstanceID.NotFound")
_none(
    "DescribeNetworkInterfaces",
    "NetworkInterfaces",
    "NetworkInterfaceIds",
    "networkInterface",
    "InvalidNetworkInterfaceID.NotFound",
)
