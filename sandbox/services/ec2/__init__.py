"""Amazon EC2's networks, as records: VPCs and what lies in them. No packet passes, and no instance runs."""

from sandbox.services.ec2 import (  # noqa: F401
    addresses,
    dhcp_options,
    endpoints,
    flow_logs,
    gateways,
    routes,
    security_group_rules,
    security_groups,
    subnets,
    tags,
    vpcs,
    zones,
)
