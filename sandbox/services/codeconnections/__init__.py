"""CodeConnections: connections to source providers, under both its names (`codestar-connections` is older).

A connection is a record: it stays PENDING, since the handshake that makes it AVAILABLE is a person's, in
AWS's console with the provider.
"""

from sandbox.services.codeconnections import connections, tags  # noqa: F401
