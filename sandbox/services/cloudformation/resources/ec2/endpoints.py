"""AWS::EC2::VPCEndpoint, AWS::EC2::FlowLog."""

from __future__ import annotations

import json
from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.ec2.network import Network, set_tags, specification
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)


@resource_type("AWS::EC2::VPCEndpoint")
class VpcEndpoint(Network):
    noun, kind, id, answer = "VpcEndpoint", "vpc-endpoint", "VpcEndpointId", "VpcEndpoint"
    refused = frozenset(
        {"DnsOptions", "IpAddressType", "ResourceConfigurationArn", "ServiceNetworkArn", "ServiceRegion"}
    )

    def update(self, request: Request) -> Made:
        changes: dict[str, Any] = {}
        for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
            had, wanted = request.previous.get(name, []), request.properties.get(name, [])
            added, gone = [x for x in wanted if x not in had], [x for x in had if x not in wanted]
            changes |= {f"Add{name}": added} if added else {}
            changes |= {f"Remove{name}": gone} if gone else {}
        if request.changed("PolicyDocument"):
            policy = request.properties.get("PolicyDocument")
            text = policy if isinstance(policy, str) else json.dumps(policy)
            changes |= {"PolicyDocument": text} if policy else {"ResetPolicy": True}
        if request.changed("PrivateDnsEnabled"):
            changes["PrivateDnsEnabled"] = bool(request.properties.get("PrivateDnsEnabled", True))
        if changes:
            request.client("ec2").modify_vpc_endpoint(VpcEndpointId=request.physical_id, **changes)
        return super().update(request)

    def delete(self, request: Request) -> None:
        request.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[request.physical_id])

    def attributes(self, request: Request, identifier: str) -> dict[str, Any]:
        ec2 = request.client("ec2")
        found = ec2.describe_vpc_endpoints(VpcEndpointIds=[identifier])["VpcEndpoints"][0]
        return {
            "Id": identifier,
            "CreationTimestamp": found["CreationTimestamp"].isoformat(),
            "DnsEntries": [f"{item['HostedZoneId']}:{item['DnsName']}" for item in found["DnsEntries"]],
            "NetworkInterfaceIds": [],
        }


@resource_type("AWS::EC2::FlowLog")
class FlowLog(Handler):
    record_only = True
    refused = frozenset({"DeliverCrossAccountRole", "TagFieldSpecifications"})

    def create(self, request: Request) -> Made:
        ec2 = request.client("ec2")
        plain = {key: item for key, item in request.properties.items() if key not in ("Tags", "ResourceId")}
        parameters = convert.parameters(ec2, "CreateFlowLogs", plain)
        answer = ec2.create_flow_logs(
            ResourceIds=[request.properties["ResourceId"]],
            TagSpecifications=specification(request, "vpc-flow-log"),
            **parameters,
        )
        if answer.get("Unsuccessful"):
            raise ResourceFailed(answer["Unsuccessful"][0]["Error"]["Message"])
        identifier = answer["FlowLogIds"][0]
        return Made(identifier, {"Id": identifier})

    def update(self, request: Request) -> Made:
        set_tags(request, request.physical_id)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("ec2").delete_flow_logs(FlowLogIds=[request.physical_id])
