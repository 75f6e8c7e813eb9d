"""AWS::CloudWatch::Dashboard."""

from __future__ import annotations

import json

from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type


@resource_type("AWS::CloudWatch::Dashboard")
class Dashboard(Handler):
    record_only = True
    refused = frozenset({"Tags"})

    def create(self, request: Request) -> Made:
        return self._put(request, request.name("DashboardName"))

    def update(self, request: Request) -> Made:
        return self._put(request, request.physical_id)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("cloudwatch").delete_dashboards(DashboardNames=[request.physical_id])

    def _put(self, request: Request, name: str) -> Made:
        body = request.properties["DashboardBody"]
        text = body if isinstance(body, str) else json.dumps(body)
        request.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=text)
        return Made(name)
