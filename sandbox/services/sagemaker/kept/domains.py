"""Domains: the one kind whose name is not what it is found by.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker.kept.kinds import (
    IN_USE,
    Record,
    change,
    create,
    find,
    listing,
    remove,
    shown,
)
from sandbox.services.sagemaker.kept.studio import DOMAIN


@operation("sagemaker", "CreateDomain", record_only=True)
def create_domain(call: Call, **request: Any) -> Record:
    with call.engine.store.transaction():
        taken = {record["DomainName"] for record in DOMAIN.records(call).list()}
        if request["DomainName"] in taken:
            raise AwsError(IN_USE, f"Domain {request['DomainName']} already exists.")
        record = create(call, DOMAIN, request | {"DomainId": random_id(12, "d-")})
    return {"DomainArn": record["DomainArn"], "Url": record["Url"], "DomainId": record["DomainId"]}


@operation("sagemaker", "DescribeDomain", record_only=True)
def describe_domain(call: Call, DomainId: str) -> Record:
    return shown(find(call, DOMAIN, DomainId), "DescribeDomain")


@operation("sagemaker", "UpdateDomain", record_only=True)
def update_domain(call: Call, **request: Any) -> Record:
    return {"DomainArn": change(call, DOMAIN, request)["DomainArn"]}


@operation("sagemaker", "DeleteDomain", record_only=True)
def delete_domain(call: Call, DomainId: str, RetentionPolicy: Record | None = None) -> None:
    """There is no home file system to retain."""
    remove(call, DOMAIN, {"DomainId": DomainId})


@operation("sagemaker", "ListDomains", record_only=True)
def list_domains(call: Call, **request: Any) -> Record:
    return listing(call, DOMAIN, request)
