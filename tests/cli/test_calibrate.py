"""calibrate: how often the tool claims what is not there, and the report that says so."""

import json

import pytest


@pytest.fixture
def calibrate(program, models, environment, tmp_path):
    environment = environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    small = ["--prompts", models.prompts, "--max-new-tokens", "8", "--shuffles", "20"]
    return lambda *words: program("calibrate", models.base, *small, *words, env=environment)


def test_equal_models_and_shuffled_labels_are_counted_with_intervals(calibrate, compare, environment, tmp_path):
    assert compare("--skip-report", "--skip-visualization").returncode == 0
    result = calibrate("--run", "run", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    kinds = {row["kind"]: row for row in document["tests"]}
    assert list(kinds) == [
        "identical pair",
        "pair of other precision (int8)",
        "shuffled labels of the pair of other precision",
        "shuffled labels of run",
    ]
    assert kinds["identical pair"]["with_claim"] == 0 and kinds["identical pair"]["verified"] == 0
    for row in kinds.values():
        assert row["rate"] == row["with_claim"] / row["trials"]
        assert 0 <= row["ci_low"] <= row["rate"] <= row["ci_high"] <= 1
    shuffled = kinds["shuffled labels of run"]
    assert shuffled["trials"] == 20
    z2 = 1.959964**2  # Wilson's upper end, written another way
    share, n = shuffled["rate"], 20
    upper = (2 * n * share + z2 + (z2 * (z2 + 4 * n * share * (1 - share))) ** 0.5) / (2 * (n + z2))
    assert shuffled["ci_high"] == pytest.approx(upper, abs=1e-6)
    assert json.loads((tmp_path / "calibration/calibration.json").read_text()) == document
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 1
    assert not (tmp_path / "calibration/rounded_model").exists()
    assert calibrate("--run", "run", "--json").stdout == result.stdout
    assert compare("--skip-activations", env=environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")}).returncode == 0
    quoted = json.loads((tmp_path / "run/reports/report.json").read_text())["not_seen"]["false claims"]
    assert "(budget quick, effect size 0.3): identical pair: a claim in 0 of 1; " in quoted


def test_what_cannot_be_calibrated_is_named(calibrate, program):
    assert calibrate("--shuffles", "0").returncode == 2
    missing = calibrate("--run", "nowhere")
    assert missing.returncode == 3 and "nowhere/activations/manifest.json is missing" in missing.stderr
    assert program("calibrate").returncode == 2
