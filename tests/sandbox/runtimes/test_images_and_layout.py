"""Images, a job's /opt/ml, archives of strangers."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sandbox.runtimes import UnknownImage, job_layout, runtime_of
from sandbox.runtimes.mounts import enter_prefix, mounts_supported
from sandbox.runtimes.serving.archive import BadArchive, extract

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost"


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (f"{XGBOOST}:3.2-0", "sagemaker-xgboost:3.2-0"),
        (f"{XGBOOST}:3.2-0-cpu-py3", "sagemaker-xgboost:3.2-0"),
        ("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5", "sagemaker-xgboost:3.0-5"),
        (
            "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-scikit-learn:1.9-0-cpu-py3",
            "sagemaker-scikit-learn:1.9-0",
        ),
    ],
)
def test_every_registry_of_aws_is_known(image: str, name: str) -> None:
    assert runtime_of(image).name == name


@pytest.mark.parametrize(
    "image",
    [f"{XGBOOST}:9.9-9", f"evil.example/{XGBOOST}:3.2-0", "sagemaker-xgboost:3.2-0", f"{XGBOOST}:3.2-0-gpu"],
)
def test_an_unknown_image_is_named_with_those_that_are_known(image: str) -> None:
    with pytest.raises(UnknownImage) as error:
        runtime_of(image)
    assert image in str(error.value)
    assert "sagemaker-xgboost:3.2-0" in str(error.value)


def test_paths_are_remapped_where_nothing_can_be_mounted(tmp_path: Path) -> None:
    layout = job_layout(tmp_path, mounted=False)
    inside = f"{tmp_path}/opt/ml"
    assert layout.remap("--in=/opt/ml/processing/input,/opt/ml") == f"--in={inside}/processing/input,{inside}"
    assert layout.remap("/opt/mlflow /my/opt/ml /opt/ml-2") == "/opt/mlflow /my/opt/ml /opt/ml-2"
    assert job_layout(tmp_path, mounted=True).remap("/opt/ml/model") == "/opt/ml/model"


@pytest.mark.parametrize("path", ["/etc/passwd", "/opt/ml/../x", "opt/ml/x", "/opt"])
def test_only_paths_of_the_container_are_local(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path under /opt/ml"):
        job_layout(tmp_path, mounted=False).local(path)


@pytest.mark.skipif(not mounts_supported(), reason="this kernel lets no ordinary user mount")
def test_a_job_sees_its_folder_at_opt_ml_and_nobody_else_does(tmp_path: Path) -> None:
    layout = job_layout(tmp_path)
    code = (
        "import os; open('/opt/ml/model/made', 'w').write('x');"
        "print(sorted(os.listdir('/opt/ml/input')), os.getuid(), os.path.realpath(os.sys.executable))"
    )
    command = [*enter_prefix(sys.executable, layout.opt_ml), sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("['config', 'data']")
    assert (layout.model / "made").read_text() == "x"
    assert not Path("/opt/ml/model/made").exists()


@pytest.mark.skipif(not mounts_supported(), reason="this kernel lets no ordinary user mount")
def test_an_isolated_job_has_no_network(tmp_path: Path) -> None:
    prefix = enter_prefix(sys.executable, job_layout(tmp_path).opt_ml, network=False)
    code = "import socket; print(len(socket.if_nameindex()))"
    result = subprocess.run([*prefix, sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "1"


def test_a_command_that_is_not_there_ends_as_in_a_shell(tmp_path: Path) -> None:
    if not mounts_supported():
        pytest.skip("this kernel lets no ordinary user mount")
    prefix = enter_prefix(sys.executable, job_layout(tmp_path).opt_ml)
    result = subprocess.run([*prefix, "no-such-command"], capture_output=True, text=True, check=False)
    assert result.returncode == 127
    assert "no-such-command" in result.stderr


def tar(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 1, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


@pytest.mark.parametrize(
    "bad",
    [
        member("../outside"),
        member("/etc/outside"),
        member("a/../../outside"),
        member("link", tarfile.SYMTYPE, 0, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, 0, "fine"),
        member("device", tarfile.CHRTYPE, 0),
        member("pipe", tarfile.FIFOTYPE, 0),
    ],
)
def test_an_archive_cannot_leave_its_folder(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    folder = tmp_path / "in" / "model"
    with pytest.raises(BadArchive):
        extract(tar(tmp_path / "a.tar.gz", member("fine"), bad), folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar.gz", "fine", "in", "model"]


def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.runtimes.serving.archive.MAXIMUM_BYTES", 1000)
    with pytest.raises(BadArchive, match="more than 1000 bytes"):
        extract(tar(tmp_path / "a.tar.gz", member("big", size=1001)), tmp_path / "model")


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = tar(tmp_path / "a.tar.gz", member("file", size=100_000))
    (tmp_path / "half.tar.gz").write_bytes(whole.read_bytes()[:60])
    with pytest.raises(BadArchive):
        extract(tmp_path / "half.tar.gz", tmp_path / "model")
