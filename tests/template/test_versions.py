import pytest

from template import versions


def test_the_same_bytes_may_be_published_again() -> None:
    versions.refuse_changed("model", "1.0.0", b"a", b"a")


def test_other_bytes_are_refused_with_both_hashes() -> None:
    with pytest.raises(versions.VersionConflict) as refusal:
        versions.refuse_changed("model", "1.0.0", b"old", b"new")
    message = str(refusal.value)
    assert versions.digest(b"old") in message
    assert versions.digest(b"new") in message
    assert "model 1.0.0" in message
    assert "template/versions.py" in message


def test_releases_stay_and_the_current_version_comes_last() -> None:
    published = ["1.10.0", "1.2.0", "1.3.0-dev.0123456789ab", "1.9.0"]
    assert versions.offered_versions(published, "1.10.1") == ["1.2.0", "1.9.0", "1.10.0", "1.10.1"]


def test_the_current_version_is_listed_once() -> None:
    assert versions.offered_versions(["1.0.0"], "1.0.0") == ["1.0.0"]


def test_work_in_progress_is_a_version_of_its_own() -> None:
    version = versions.development_version("model", "0123456789abcdef" * 4)
    assert version == f"{versions.CURRENT['model']}-dev.0123456789ab"
    assert not versions.is_release(version)
    assert versions.offered_versions([version], "9.0.0") == ["9.0.0"]
    assert versions.offered_versions(["1.0.0"], version) == ["1.0.0", version]


@pytest.mark.parametrize("name", ["1.0", "v1.0.0", "1.0.0-rc1", "latest", ""])
def test_a_name_that_is_no_version_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        versions.offered_versions([], name)


def test_every_current_version_is_a_release() -> None:
    assert all(versions.is_release(version) for version in versions.CURRENT.values())
