"""Who makes a request: users, role sessions, the root user and services, as moto keeps them.

The JSON files here are the policies of the four principals that docs tell an account to use.
"""

from sandbox.iam.principals.bootstrap import PRINCIPALS, Credentials, bootstrap
from sandbox.iam.principals.principal import Principal, service_principal
from sandbox.iam.principals.records import policies_of, principal_of, secret_of
from sandbox.iam.principals.sessions import open_session

__all__ = [
    "PRINCIPALS",
    "Credentials",
    "Principal",
    "bootstrap",
    "open_session",
    "policies_of",
    "principal_of",
    "secret_of",
    "service_principal",
]
