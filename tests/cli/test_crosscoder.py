"""The crosscoder of a comparison: in the report with its engine, kept by --resume, and silent about equal models."""

import json
import shutil

import pytest
from built import PROMPTS

SMALL = ["--layers", "3", "--num-latents", "64", "--k", "4"]


def report_of(run):
    return json.loads((run / "reports/report.json").read_text())


@pytest.fixture
def trained(compare, tmp_path):
    result = compare(*SMALL)
    assert result.returncode == 0, result.stderr
    return tmp_path / "run"


def test_the_report_says_what_the_crosscoder_found_and_what_it_is_worth(trained):
    report = report_of(trained)
    latents = [feature for feature in report["features"] if feature["engine"] == "crosscoder"]
    assert latents and all(feature["layer"] == 3 and feature["id"].startswith("L3-cc-") for feature in latents)
    for feature in latents:
        assert feature["kind"] in ("added", "removed", "modified", "shared")
        assert feature["promoted_tokens"] and feature["categories"]
        assert all(0 <= token["value"] <= 1 for example in feature["examples"] for token in example["tokens"])
    notes = report["settings"]["crosscoder of layer 3"]
    assert notes["size"].startswith("64 latents, k 4, 300 steps on ")
    assert {"variance explained on held-out rows", "by PCA of rank k", "latents by class"} <= notes.keys()
    assert (
        notes["spliced into the models"].startswith("loss recovered: base ")
        and "KL: base " in notes["spliced into the models"]
    )
    assert {"spliced in: PCA of rank k", "spliced in: each model's mean row"} <= notes.keys()
    assert report["settings"]["features by engine"]["crosscoder"] == len(latents)
    assert "variance not explained" in report["not_seen"]["crosscoder of layer 3"]
    assert "| crosscoder |" in (trained / "reports/report.md").read_text()
    classes = json.loads((trained / "features/crosscoder/layer_03/classes.json").read_text())
    assert len(classes["features"]) == 64
    norms = report["decoder_norms"][0]
    assert norms["layer"] == 3
    assert sum(norms["bins"]) == sum(feature["num_firings"] > 0 for feature in classes["features"]) > 0
    stored = json.loads((trained / "features/crosscoder/layer_03/latents.json").read_text())
    splice = stored["spliced"]
    assert splice["num_rows"] > 0 and splice["replacements"][2]["base"]["kl"] < splice["replacements"][0]["base"]["kl"]
    assert [feature["id"] for feature in stored["features"]] == [feature["id"] for feature in latents]
    assert all(feature["measures"]["num_firings"] >= 50 for feature in stored["features"])
    assert not (trained / "features/crosscoder/layer_03/checkpoints").exists()


def test_a_shared_latent_is_no_evidence_for_a_claim(trained):
    report = report_of(trained)
    shared = {feature["id"] for feature in report["features"] if feature["kind"] == "shared"}
    assert not any(shared & set(claim["features"]) for claim in report["claims"])


def test_equal_models_have_no_exclusive_and_no_modified_latent(program, models, tmp_path):
    prompts = tmp_path / "many.json"
    prompts.write_text(json.dumps({f"kind {i}": [f"{p} And {i}?" for p in PROMPTS["sums"]] for i in range(30)}))
    words = ["--prompts", prompts, "--max-new-tokens", "12", "--budget", "quick", *SMALL, "--output-dir", "run"]
    result = program("compare", models.base, models.base, *words)
    assert result.returncode == 0, result.stderr
    classes = json.loads((tmp_path / "run/features/crosscoder/layer_03/classes.json").read_text())
    kinds = {feature["kind"] for feature in classes["features"]}
    assert "shared" in kinds and not kinds & {"added", "removed", "modified"}
    assert {f["kind"] for f in report_of(tmp_path / "run")["features"] if f["engine"] == "crosscoder"} == {"shared"}


def test_resume_and_skip_keep_the_dictionary(trained, compare):
    folder = trained / "features/crosscoder/layer_03"
    made = (folder / "model.safetensors").stat().st_mtime_ns
    latents, report = (folder / "latents.json").read_bytes(), (trained / "reports/report.json").read_bytes()
    for way in (["--resume"], ["--skip-activations"]):
        shutil.rmtree(trained / "reports")
        result = compare(*SMALL, *way)
        assert result.returncode == 0, result.stderr
        assert (folder / "model.safetensors").stat().st_mtime_ns == made
        assert (trained / "reports/report.json").read_bytes() == report
    path = folder / "latents.json"
    for remove_or_age in (path.unlink, lambda: path.write_text(json.dumps(json.loads(latents) | {"format": 1}))):
        remove_or_age()
        assert compare(*SMALL, "--resume").returncode == 0
        assert path.read_bytes() == latents and (folder / "model.safetensors").stat().st_mtime_ns == made
    assert compare("--layers", "3", "--num-latents", "32", "--k", "4", "--resume").returncode == 0
    assert json.loads((folder / "config.json").read_text()) and (folder / "latents.json").read_bytes() != latents


def test_more_seeds_say_which_latents_come_back_and_keep_the_first_dictionary(trained, compare):
    folder = trained / "features/crosscoder/layer_03"
    made = (folder / "model.safetensors").stat().st_mtime_ns
    assert compare(*SMALL, "--seeds", "2", "--resume").returncode == 0
    assert (folder / "model.safetensors").stat().st_mtime_ns == made
    stored = json.loads((folder / "latents.json").read_text())
    assert stored["num_seeds"] == 2 and stored["stability"].endswith("(cosine 0.7 or more)")
    for feature in stored["features"]:
        measures = feature["measures"]
        assert measures["seeds"] == 2 and measures["found_in_seeds"] in (1, 2) and len(measures["seed_cosines"]) == 1
    report = report_of(trained)
    latents = [feature for feature in report["features"] if feature["engine"] == "crosscoder"]
    assert latents and all(feature["seeds"] in ("1 of 2", "2 of 2") for feature in latents)
    assert report["settings"]["crosscoder of layer 3"]["latents in every seed"] == stored["stability"]
    assert compare(*SMALL, "--resume").returncode == 0
    assert "seeds" not in json.loads((folder / "latents.json").read_text())["features"][0]["measures"]
    assert not (folder / "seeds.json").exists()


def test_layers_that_are_no_numbers_are_refused(compare):
    result = compare("--layers", "three")
    assert result.returncode == 2 and "--layers got 'three'" in result.stderr
    assert compare("--layers", "77").returncode == 2


def test_no_tokens_mean_no_crosscoder(compare, tmp_path):
    assert compare("--tokens", "0").returncode == 0
    assert not list((tmp_path / "run/activations/rows").iterdir())
    assert report_of(tmp_path / "run")["not_seen"]["crosscoder"].startswith("not trained")
    assert compare("--tokens", "-2").returncode == 2
