"""AWS::EC2: networks, as records."""

from sandbox.services.cloudformation.resources.ec2 import (  # noqa: F401
    endpoints,
    gateways,
    routing,
    security_groups,
    vpcs,
)
