"""From an approved model to production: approval event → staging → test → gate → production."""
