"""Flow logs: asked for and kept. Nothing flows, so nothing is logged.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import FLOW_LOG, SUBNET, VPC, Record, Request, recorded
from sandbox.services.ec2.vpcs import refuse

FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
INTERVAL = 600
_KEPT = (
    "DeliverLogsPermissionArn",
    "LogGroupName",
    "TrafficType",
    "LogDestination",
    "DestinationOptions",
)


@recorded("CreateFlowLogs")
def create_flow_logs(call: Call, request: Request) -> Record:
    if request["ResourceType"] not in ("VPC", "Subnet"):
        refuse("CreateFlowLogs", {request["ResourceType"]: True}, (request["ResourceType"],))
    refuse("CreateFlowLogs", request, ("DeliverCrossAccountRole", "TagFieldSpecifications"))
    destination = request.get("LogDestinationType") or "cloud-watch-logs"
    if destination == "cloud-watch-logs" and not (
        request.get("DeliverLogsPermissionArn")
        and (request.get("LogGroupName") or request.get("LogDestination"))
    ):
        raise AwsError(
            "InvalidParameter",
            "DeliverLogsPermissionArn and LogGroupName can't be empty if LogDestinationType is "
            "cloud-watch-logs.",
            status=400,
        )
    made = []
    for resource in request["ResourceIds"]:
        kinds.get(call, VPC if request["ResourceType"] == "VPC" else SUBNET, resource)
        record = {name: request[name] for name in _KEPT if request.get(name)} | {
            "FlowLogId": kinds.new_id(FLOW_LOG),
            "ResourceId": resource,
            "CreationTime": call.engine.clock.now(),
            "DeliverLogsStatus": "SUCCESS",
            "FlowLogStatus": "ACTIVE",
            "LogDestinationType": destination,
            "LogFormat": request.get("LogFormat") or FORMAT,
            "MaxAggregationInterval": request.get("MaxAggregationInterval") or INTERVAL,
        }
        kinds.put(call, FLOW_LOG, record)
        kinds.tag_new(call, FLOW_LOG, record["FlowLogId"], request)
        made.append(record["FlowLogId"])
    return {"FlowLogIds": made, "Unsuccessful": []}


@recorded("DescribeFlowLogs")
def describe_flow_logs(call: Call, request: Request) -> Record:
    return kinds.describe(call, FLOW_LOG, "FlowLogs", request.get("FlowLogIds"), request)


@recorded("DeleteFlowLogs")
def delete_flow_logs(call: Call, request: Request) -> Record:
    return {"Unsuccessful": kinds.delete_each(call, FLOW_LOG, request["FlowLogIds"])}
