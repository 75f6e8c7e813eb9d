"""`make conformance`: our policy evaluation against another program's, over generated policies and requests.

The other program is npm's `@cloud-copilot/iam-simulate` (AGPL-3.0): fetched by npm into a cache for this
target alone, at the versions and hashes of `package-lock.json`, started as a process of its own and spoken to
in lines of JSON. Nothing here imports or carries any of it.
"""
