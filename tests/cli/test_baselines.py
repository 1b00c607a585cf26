"""The race of simple methods against the crosscoder after the layer of the strongest change."""

import json

import pytest
import tiny_model


@pytest.fixture
def shouting(program, models, tmp_path):
    """Compares the tiny base with one that writes capitals, so that there is a claim to locate."""
    target = tiny_model.write_model(tmp_path / "target", change=1.0, shouts=True)
    small = ["--prompts", models.prompts, "--max-new-tokens", 12, "--output-dir", "run", "--num-latents", 64, "--k", 4]

    def run(*words):
        result = program("compare", models.base, target, *small, *words)
        assert result.returncode == 0, result.stderr
        return json.loads((tmp_path / "run/features/features.json").read_text())

    return run


def test_all_methods_race_and_the_report_says_who_wins(shouting, tmp_path):
    report = shouting("--tokens", "4000")
    path = tmp_path / "run/features/baselines.json"
    race = json.loads(path.read_text())
    assert race["layer"] == report["claims"][0]["causal_layer"]
    rows = {(row["method"], row["num_directions"]): row for row in race["rows"]}
    width = tiny_model.WIDTH
    assert {("difference in means", 1), ("PCA of the difference", 4), ("crosscoder latents", 4)} <= rows.keys()
    assert ("activation difference lens", 1) in rows and ("difference SAE latents", 4) in rows
    whole = rows["whole residual stream", width]
    assert whole["kl_removed"] == pytest.approx(rows["PCA of the difference", width]["kl_removed"], abs=1e-3)
    for row in rows.values():
        assert row["ci_low"] <= row["kl_removed"] + 1e-9 and row["kl_removed"] <= row["ci_high"] + 1e-9
        assert row["kl_per_direction"] == pytest.approx(row["kl_removed"] / row["num_directions"])
        assert 0 <= row["discrimination"] <= 1
    shown = report["baselines"]
    assert shown["layer"] == race["layer"] and "latents remove" in shown["result"]
    assert [(row["method"], row["num_directions"]) for row in shown["rows"]] == list(rows)
    for name in ("report.md", "report.html"):
        text = (tmp_path / "run/reports" / name).read_text()
        assert "Simple methods beside the crosscoder" in text and "PCA of the difference, 4 directions" in text
        assert shown["result"] in text
    assert (tmp_path / "run/visualizations/baselines_race.svg").is_file()
    before = path.read_bytes(), path.stat().st_mtime_ns
    shouting("--tokens", "4000", "--resume")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_without_a_crosscoder_the_best_simple_method_is_named(shouting):
    shown = shouting("--tokens", "0", "--skip-report")["baselines"]
    assert shown["result"].startswith("No crosscoder was trained at this layer; of the simple methods ")


def test_without_a_change_there_is_no_race(program, models, tmp_path):
    small = ["--prompts", models.prompts, "--max-new-tokens", "8", "--budget", "quick", "--output-dir", "same"]
    assert program("compare", models.base, models.base, *small, "--skip-visualization").returncode == 0
    assert not (tmp_path / "same/features/baselines.json").exists()
    assert json.loads((tmp_path / "same/features/features.json").read_text())["baselines"] is None
