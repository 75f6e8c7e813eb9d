"""Lists of secrets, and several values at once.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.secretsmanager.records import KIND, Record
from sandbox.services.secretsmanager.secrets import described, stages


def _values(record: Record, key: str) -> list[str]:
    """What a filter's key looks at."""
    match key:
        case "name":
            return [record["Name"]]
        case "description":
            return [record.get("Description") or ""]
        case "tag-key":
            return list(record["Tags"])
        case "tag-value":
            return list(record["Tags"].values())
        case "all":
            return [
                record["Name"],
                record.get("Description") or "",
                *record["Tags"],
                *record["Tags"].values(),
            ]
    return []


def _passes(record: Record, rule: Record) -> bool:
    """Any of the values is the beginning of what the key looks at; `!` before one excludes."""
    folded = rule["Key"] in ("description", "all")
    texts = [text.lower() if folded else text for text in _values(record, rule["Key"])]
    if rule["Key"] in ("description", "all"):
        texts = [word for text in texts for word in (text, *text.split())]
    for value in rule["Values"]:
        wanted = value.removeprefix("!")
        found = any(text.startswith(wanted.lower() if folded else wanted) for text in texts)
        if found != value.startswith("!"):
            return True
    return False


def _listed(
    call: Call,
    IncludePlannedDeletion: bool = False,
    MaxResults: int | None = None,
    NextToken: str | None = None,
    Filters: list[Record] | None = None,
    SortOrder: str = "desc",
    SortBy: str = "created-date",
) -> Record:
    for rule in Filters or []:
        if rule["Key"] in ("primary-region", "owning-service"):
            raise AwsError(
                "InvalidParameterException", f"The filter {rule['Key']} is not implemented by the sandbox."
            )
    found = [
        record
        for record in call.records(KIND).list()
        if (IncludePlannedDeletion or "DeletedDate" not in record)
        and all(_passes(record, rule) for rule in Filters or [])
    ]
    member = {"created-date": "CreatedDate", "name": "Name", "last-changed-date": "LastChangedDate"}.get(
        SortBy, "LastAccessedDate"
    )
    found.sort(key=lambda record: record.get(member) or 0, reverse=SortOrder == "desc")
    items, token = page(found, NextToken, MaxResults, error="InvalidNextTokenException")
    shown = [described(record) | {"SecretVersionsToStages": stages(record)} for record in items]
    return {"SecretList": shown} | ({"NextToken": token} if token else {})


@operation("secretsmanager", "ListSecrets")
def list_secrets(call: Call, **request: Any) -> Record:
    return _listed(call, **request)


@operation("secretsmanager", "BatchGetSecretValue")
def batch_get_secret_value(
    call: Call,
    SecretIdList: list[str] | None = None,
    Filters: list[Record] | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> Record:
    """Each value is asked for in the caller's name, as AWS does: what fails stands among the errors."""
    if bool(SecretIdList) == bool(Filters):
        raise AwsError(
            "InvalidParameterException", "Either SecretIdList or Filters must be provided, not both."
        )
    client = call.session().client("secretsmanager")
    answer: Record = {"SecretValues": [], "Errors": []}
    if SecretIdList:
        wanted = SecretIdList
    else:
        listed = _listed(call, Filters=Filters, MaxResults=MaxResults or 20, NextToken=NextToken)
        wanted = [item["ARN"] for item in listed["SecretList"]]
        answer |= {key: item for key, item in listed.items() if key == "NextToken"}
    for identifier in wanted:
        try:
            value = client.get_secret_value(SecretId=identifier)
        except ClientError as error:
            said = error.response["Error"]
            answer["Errors"].append(
                {"SecretId": identifier, "ErrorCode": said["Code"], "Message": said["Message"]}
            )
        else:
            del value["ResponseMetadata"]
            answer["SecretValues"].append(value)
    return answer
