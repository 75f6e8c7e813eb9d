"""ARNs in the account and region of the stack."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Arns:
    """Writes ARNs; its values may be CloudFormation tokens."""

    partition: str
    region: str
    account: str

    def of(self, service: str, resource: str) -> str:
        """ARN of a regional resource; what follows the account is given as the service writes it."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def policy(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:policy/{name}"

    def bucket(self, name: str) -> str:
        return f"arn:{self.partition}:s3:::{name}"

    def log_group(self, name: str) -> str:
        return self.of("logs", f"log-group:{name}")
