"""An AWS on 127.0.0.1: a gateway of ours, services that really run, moto as the store of the rest.

The sandbox knows AWS and nothing of this repository's templates.
"""
