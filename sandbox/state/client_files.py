"""AWS config and credentials files of the sandbox's own, a profile a principal; the user's stay untouched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sandbox.engine.shared_clients import Credentials
from sandbox.state import certificates

PROFILE_PREFIX = "sandbox-"
LOOPBACK = ("127.0.0.1", "localhost")

CLEARED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GIT_SSL_CAINFO")
"""Variables that would take precedence over those of `environment`: no shell of the sandbox's keeps them."""

HELPER = '!f() { test "$1" != get || aws codecommit credential-helper --ignore-host-check get; }; f'
"""The AWS CLI's own credential helper; it knows the option for `get` only."""


def write(state: Path, credentials: Mapping[str, Credentials], region: str, url: str) -> None:
    """One profile `sandbox-<principal>` each; the file with keys is readable by the user alone."""
    folder = state / "aws"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config, secrets = [], []
    for principal, keys in credentials.items():
        profile = PROFILE_PREFIX + principal
        config += [f"[profile {profile}]", f"region = {region}", f"endpoint_url = {url}", "output = json"]
        # Some operations have a host of their own (`sync-…`), which no loopback address has.
        config += ["disable_host_prefix_injection = true", ""]
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


def environment(
    state: Path, principal: str, region: str, url: str, shell: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Variables that point every AWS client and git of a shell at the sandbox as `principal`.

    `shell`: what is set there already; settings of git, a proxy's exceptions and git's own authorities are
    kept. The variables of CLEARED must be taken out of it.
    """
    shell = shell or {}
    state = state.absolute()  # a shell changes its folder
    folder = state / "aws"
    host = url.removeprefix("http://")
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_PROFILE": PROFILE_PREFIX + principal,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "CODE_COMMIT_ENDPOINT": host,
    }
    for name in ("NO_PROXY", "no_proxy"):
        variables[name] = ",".join(_without_loopback(shell.get(name, "")) + [*LOOPBACK])
    settings = _git_settings(shell) + [
        (f"url.{url}/v1/repos/.insteadOf", f"https://git-codecommit.{region}.amazonaws.com/v1/repos/"),
        (f"credential.{url}.helper", HELPER),
        (f"credential.{url}.useHttpPath", "true"),
        (f"http.https://{host}/.sslCAInfo", str(certificates.authority(state))),
    ]
    variables["GIT_CONFIG_COUNT"] = str(len(settings))
    for index, (key, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables


def _git_settings(shell: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the shell told git by variables, but for what a sandbox told it.

    GIT_SSL_CAINFO would win over the authority of a single server: it becomes the setting that it stands for.
    """
    count = shell.get("GIT_CONFIG_COUNT", "")
    pairs = [
        (shell.get(f"GIT_CONFIG_KEY_{index}", ""), shell.get(f"GIT_CONFIG_VALUE_{index}", ""))
        for index in range(int(count) if count.isdigit() else 0)
    ]
    kept = [(key, value) for key, value in pairs if key and "://127.0.0.1:" not in key]
    if shell.get("GIT_SSL_CAINFO"):
        kept.append(("http.sslCAInfo", shell["GIT_SSL_CAINFO"]))
    return kept


def _without_loopback(exceptions: str) -> list[str]:
    names = [name.strip() for name in exceptions.split(",")]
    return [name for name in names if name and name not in LOOPBACK]
