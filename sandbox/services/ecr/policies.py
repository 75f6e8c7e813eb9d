"""Resource policies of repositories: they take part in IAM's decisions.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.ecr.records import KIND, Record, answer, find


@operation("ecr", "SetRepositoryPolicy")
def set_repository_policy(
    call: Call, repositoryName: str, policyText: str, registryId: str | None = None, force: bool = False
) -> Record:
    """`force` allows a policy that would keep its own setter from changing it again: the sandbox asks it of
    nobody."""
    from sandbox.iam.documents import MalformedPolicy, parse

    try:
        parse(policyText, "repository policy")
    except MalformedPolicy as error:
        raise AwsError(
            "InvalidParameterException",
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy "
            "provided'",
        ) from error
    with call.engine.store.transaction():
        record = find(call, repositoryName, registryId)
        call.records(KIND).put(repositoryName, record | {"Policy": policyText})
    return answer(call, repositoryName, policyText=policyText)


@operation("ecr", "GetRepositoryPolicy")
def get_repository_policy(call: Call, repositoryName: str, registryId: str | None = None) -> Record:
    return answer(call, repositoryName, policyText=_with_policy(call, repositoryName, registryId)["Policy"])


@operation("ecr", "DeleteRepositoryPolicy")
def delete_repository_policy(call: Call, repositoryName: str, registryId: str | None = None) -> Record:
    with call.engine.store.transaction():
        record = _with_policy(call, repositoryName, registryId)
        text = record.pop("Policy")
        call.records(KIND).put(repositoryName, record)
    return answer(call, repositoryName, policyText=text)


def _with_policy(call: Call, name: str, registry: str | None) -> Record:
    record = find(call, name, registry)
    if "Policy" not in record:
        raise AwsError(
            "RepositoryPolicyNotFoundException",
            f"Repository policy does not exist for the repository with name '{name}' in the registry "
            f"with id '{call.account}'",
        )
    return record
