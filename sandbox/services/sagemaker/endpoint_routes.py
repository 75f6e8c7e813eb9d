"""From an endpoint's record to the route of its requests."""

from __future__ import annotations

from typing import Any

from sandbox.runtimes.serving.routes import Fleet, Route, Variant, routes_of
from sandbox.services.sagemaker.endpoint_fleets import running
from sandbox.services.sagemaker.endpoint_records import Place


def apply(place: Place, record: dict[str, Any], shares: list[tuple[dict[str, Any], float]]) -> None:
    """Leads requests to fleets (plans) by their shares of the traffic (0 to 1)."""
    fleets = [_fleet(place, plan, share) for plan, share in shares if share > 0]
    newest = shares[-1][0]
    route = Route(
        endpoint_arn=record["EndpointArn"],
        fleets=fleets,
        role=newest["Role"],
        config_name=newest["EndpointConfigName"],
        capture=newest.get("Capture"),
    )
    routes_of(place.engine).set(place.route_key, route)


def remove(place: Place) -> None:
    routes_of(place.engine).remove(place.route_key)


def _fleet(place: Place, plan: dict[str, Any], share: float) -> Fleet:
    instances = running(place.engine, plan["Id"]).instances
    variants = [
        Variant(item["VariantName"], item["Weight"], list(instances.get(item["VariantName"], [])))
        for item in plan["Variants"]
    ]
    return Fleet(plan["Id"], variants, share)
