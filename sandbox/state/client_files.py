"""AWS config and credentials files of the sandbox's own, a profile a principal; the user's stay untouched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sandbox.engine.clients import Credentials

PROFILE_PREFIX = "sandbox-"

HELPER = '!f() { test "$1" != get || aws codecommit credential-helper --ignore-host-check get; }; f'
"""The AWS CLI's own credential helper; it knows the option for `get` only."""


def write(state: Path, credentials: Mapping[str, Credentials], region: str, url: str) -> None:
    """One profile `sandbox-<principal>` each; the file with keys is readable by the user alone."""
    folder = state / "aws"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config, secrets = [], []
    for principal, keys in credentials.items():
        profile = PROFILE_PREFIX + principal
        config += [f"[profile {profile}]", f"region = {region}", f"endpoint_url = {url}", "output = json", ""]
        secrets += [
            f"[{profile}]",
            f"aws_access_key_id = {keys.access_key}",
            f"aws_secret_access_key = {keys.secret_key}",
            "",
        ]
    _replace(folder / "config", config)
    _replace(folder / "credentials", secrets)


def _replace(path: Path, lines: list[str]) -> None:
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text("\n".join(lines))
    draft.rename(path)


def environment(state: Path, principal: str, region: str, url: str) -> dict[str, str]:
    """Variables that point every AWS client and git of a shell at the sandbox as `principal`."""
    folder = state / "aws"
    host = url.removeprefix("http://")
    rewrite = f"url.{url}/v1/repos/.insteadOf"
    git = {
        rewrite: f"https://git-codecommit.{region}.amazonaws.com/v1/repos/",
        f"credential.{url}.helper": HELPER,
        f"credential.{url}.useHttpPath": "true",
    }
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_PROFILE": PROFILE_PREFIX + principal,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CODE_COMMIT_ENDPOINT": host,
        "GIT_CONFIG_COUNT": str(len(git)),
    }
    for index, (key, value) in enumerate(git.items()):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables
