"""git as its users have it: `git-remote-codecommit` and the AWS CLI's credential helper, both unmodified."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.state import certificates, client_files
from tests.sandbox_process import SandboxProcess

REPOSITORY = "sagemaker-clients-git"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
AUTHOR = ("-c", "user.name=engineer", "-c", "user.email=engineer@example.com")


@pytest.fixture(scope="module")
def repository(sandbox: SandboxProcess) -> Iterator[str]:
    codecommit = sandbox.client("codecommit", "root")
    codecommit.create_repository(repositoryName=REPOSITORY)
    yield REPOSITORY
    codecommit.delete_repository(repositoryName=REPOSITORY)


def git(sandbox: SandboxProcess, folder: Path, *arguments: str, principal: str = "engineer") -> str:
    done = sandbox.run("git", *arguments, principal=principal, cwd=folder, env={"PATH": PATH})
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def test_git_remote_codecommit_clones_pushes_and_fetches(
    sandbox: SandboxProcess, repository: str, tmp_path: Path
) -> None:
    git(sandbox, tmp_path, "clone", "-q", f"codecommit::us-east-1://sandbox-engineer@{repository}", "one")
    git(sandbox, tmp_path, "clone", "-q", f"codecommit://{repository}", "two")
    one, two = tmp_path / "one", tmp_path / "two"
    body = os.urandom(3_000_000)  # more than http.postBuffer: git sends it in chunks
    (one / "data").write_bytes(body)
    git(sandbox, one, "add", "data")
    git(sandbox, one, *AUTHOR, "commit", "-qm", "data")
    git(sandbox, one, "push", "-q", "origin", "HEAD:main")
    git(sandbox, two, "pull", "-q", "origin", "main")
    assert (two / "data").read_bytes() == body
    head = git(sandbox, one, "rev-parse", "HEAD").strip()
    branch = sandbox.client("codecommit").get_branch(repositoryName=repository, branchName="main")
    assert branch["branch"]["commitId"] == head
    # The credential helper's way leads to the same repository.
    url = f"https://git-codecommit.us-east-1.amazonaws.com/v1/repos/{repository}"
    assert head in git(sandbox, tmp_path, "ls-remote", url)


def test_git_remote_codecommit_is_refused_what_its_profile_may_not(
    sandbox: SandboxProcess, repository: str, tmp_path: Path
) -> None:
    url = f"codecommit://sandbox-approver@{repository}"
    done = sandbox.run("git", "push", url, "HEAD:main", cwd=_commit(tmp_path), env={"PATH": PATH})
    assert done.returncode and "codecommit:GitPush" in done.stderr, done.stderr
    region = sandbox.run("git", "ls-remote", f"codecommit::eu-west-1://{repository}", env={"PATH": PATH})
    assert region.returncode and "signature does not match" in region.stderr


def _commit(folder: Path) -> Path:
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", *AUTHOR, "commit", "-q", "--allow-empty", "-m", "x"], cwd=folder, check=True)
    return folder


def test_the_port_speaks_tls_under_an_authority_for_the_loopback_alone(sandbox: SandboxProcess) -> None:
    sandbox.environment("engineer")
    trusted = certificates.authority_file(sandbox.state)
    assert stat.S_IMODE(trusted.with_name("authority.key").stat().st_mode) == 0o600
    context = ssl.create_default_context(cafile=str(trusted))
    for name in ("127.0.0.1", "localhost"):
        with (
            socket.create_connection(("127.0.0.1", sandbox.running.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert (secure.version() or "") >= "TLSv1.2"
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {name}:{sandbox.running.port}\r\n\r\n".encode())
            assert secure.recv(4096).startswith(b"HTTP/1.1 403")
    with (
        socket.create_connection(("127.0.0.1", sandbox.running.port), timeout=20) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")


def test_the_authority_vouches_for_nobody_else(tmp_path: Path) -> None:
    """RFC 5280 name constraints, as verified by cryptography's own verifier."""
    from cryptography import x509

    extension = x509.load_pem_x509_certificate(certificates.authority(tmp_path).read_bytes()).extensions
    constraints = extension.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical and constraints.value.excluded_subtrees is None
    permitted = [str(name.value) for name in constraints.value.permitted_subtrees or ()]
    assert permitted == ["localhost", "127.0.0.0/8"]
    first = certificates.authority_file(tmp_path).read_bytes()
    assert certificates.authority(tmp_path).read_bytes() == first
    one, two = (certificates.server(tmp_path).read_bytes() for _ in range(2))
    assert one != two and one.endswith(first) and two.endswith(first)


def test_a_shells_own_settings_of_git_and_of_proxies_are_kept(tmp_path: Path) -> None:
    shell = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "me",
        "GIT_CONFIG_KEY_1": "credential.http://127.0.0.1:1.helper",
        "GIT_CONFIG_VALUE_1": "of another sandbox",
        "GIT_SSL_CAINFO": "/ca.pem",
        "NO_PROXY": "intranet",
    }
    url = "http://127.0.0.1:4666"
    first = client_files.environment(tmp_path, "engineer", "us-east-1", url, shell)
    assert "GIT_SSL_CAINFO" in client_files.CLEARED
    assert first["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    again = client_files.environment(tmp_path, "engineer", "us-east-1", url, first)
    assert again == first
    settings = {
        first[f"GIT_CONFIG_KEY_{index}"]: first[f"GIT_CONFIG_VALUE_{index}"]
        for index in range(int(first["GIT_CONFIG_COUNT"]))
    }
    assert settings["user.name"] == "me" and settings["http.sslCAInfo"] == "/ca.pem"
    authority = str(certificates.authority_file(tmp_path))
    assert settings["http.https://127.0.0.1:4666/.sslCAInfo"] == authority
    assert not any("127.0.0.1:1." in key for key in settings)
