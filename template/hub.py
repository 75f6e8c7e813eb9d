"""Keys in the hub: where templates and seeds are published to."""


def template_key(template: str, version: str) -> str:
    """Key of what Service Catalog provisions. A version has one key, and what lies there never changes."""
    return f"products/{template}/{version}.template.json"


def studio_template_key(template: str) -> str:
    """Key of the newest template in the form that Studio lists from S3."""
    return f"studio/{template}.yaml"


def seed_key(seed: str, digest: str) -> str:
    """Key of a seed's zip, by content."""
    return f"seeds/{seed}/{digest}.zip"


def https_url(bucket: str, region: str, url_suffix: str, key: str) -> str:
    return f"https://{bucket}.s3.{region}.{url_suffix}/{key}"
