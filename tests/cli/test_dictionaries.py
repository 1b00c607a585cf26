"""Dictionaries from elsewhere are imported and classed, ours are written for other tools, and both are spliced into the models."""

import json
import pathlib
import shutil
import struct
import subprocess

import numpy
import pytest
import tiny_model
from built import PROGRAM, ROOT

IMPORTS = ROOT / "tests/data/import"
SMALL = ["--num-latents", "64", "--k", "4", "--batch-size", "32", "--steps", "40", "-q"]


@pytest.fixture(scope="module")
def captured(capture_rows):
    return capture_rows("2,3")


@pytest.fixture(scope="module")
def trained(captured, models, environment):
    """A dictionary of layer 3 with its splice.json."""
    words = [
        "train",
        models.base,
        models.target,
        "--activations",
        captured,
        "--layers",
        "3",
        *SMALL,
        "--out",
        "dictionary",
    ]
    result = subprocess.run(
        [PROGRAM, *map(str, words), "--json"],
        cwd=captured.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)
    return captured.parent / "dictionary", report


def tensors_of(path: pathlib.Path) -> dict:
    """Names, types and shapes of a safetensors file, and where their bytes are."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    return {name: value for name, value in json.loads(data[8 : 8 + size]).items() if name != "__metadata__"}


def half_precision_of(path: pathlib.Path, name: str) -> numpy.ndarray:
    data = path.read_bytes()
    entry = tensors_of(path)[name]
    first, last = (8 + struct.unpack("<Q", data[:8])[0] + offset for offset in entry["data_offsets"])
    return numpy.frombuffer(data[first:last], "<f2").reshape(entry["shape"]).astype("f4")


def test_imports_say_what_they_found(program, tmp_path):
    result = program("import", IMPORTS / "saelens_gated", "--out", "sae")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "SAELens SAE: 1 model(s) of width 6, 10 latents, jump_relu\nsae\n"
    manifest = json.loads((tmp_path / "sae/manifest.json").read_text())
    assert manifest["format"] == "SAELens SAE" and manifest["hook_point"] == "resid_post.3"
    again = json.loads(program("import", "sae", "--out", "again", "--json").stdout)
    assert again["format"] == "SAELens SAE" and again["sparsity"] == "jump_relu"
    assert (tmp_path / "again/model.safetensors").read_bytes() == (tmp_path / "sae/model.safetensors").read_bytes()


def test_scales_that_a_file_lacks_are_asked_for_and_stored(program, tmp_path):
    missing = program("import", IMPORTS / "ckkissane")
    assert missing.returncode == 2 and "--scales" in missing.stderr and "--activations" in missing.stderr
    result = program("import", IMPORTS / "ckkissane/0.pt", "--scales", "0.3,0.5", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["scales"] == pytest.approx([0.3, 0.5]) and document["scaling"] == "given: 0.3, 0.5"
    back = json.loads(program("import", "dictionary", "--out", "again", "--json").stdout)
    assert back["scales"] == pytest.approx([0.3, 0.5]) and back["scaling"] == "given: 0.3, 0.5"
    assert program("import", IMPORTS / "openmoss", "--scales", "1,1").returncode == 2
    assert program("import", IMPORTS / "ckkissane", "--scales", "0.3").returncode == 2
    assert program("import", IMPORTS / "ckkissane", "--scales", "x,y").returncode == 2


def test_files_that_are_no_dictionary_are_refused_with_a_reason(program, models, tmp_path):
    assert program("import", tmp_path / "absent").returncode == 3
    other = program("import", models.base)
    assert other.returncode == 7 and "which is none of" in other.stderr
    (tmp_path / "bad.pt").write_bytes((IMPORTS / "ckkissane/0.pt").read_bytes()[:900])
    assert program("import", tmp_path / "bad.pt").returncode == 6


def width_of(captured) -> int:
    return json.loads((captured / "activations/rows/layer_03/store.json").read_text())["d_model"]


def ckkissane_file(path: pathlib.Path, width: int) -> None:
    """A crosscoder in their layout: latent i reads and writes coordinate i of both models."""
    latents = 8
    encoder = [float(d == h) for _ in range(2) for d in range(width) for h in range(latents)]
    decoder = [float(d == h) for h in range(latents) for _ in range(2) for d in range(width)]
    parts = {"W_enc": ((2, width, latents), encoder), "W_dec": ((latents, 2, width), decoder)}
    parts |= {"b_enc": ((latents,), [0.0] * latents), "b_dec": ((2, width), [0.0] * (2 * width))}
    header, data = {}, b""
    for name, (shape, values) in parts.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_features_classes_a_crosscoder_of_another_layout(program, models, captured, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    ckkissane_file(foreign / "cc_weights.safetensors", width_of(captured))
    (foreign / "cfg.json").write_text(json.dumps({"hook_point": "blocks.4.hook_resid_pre"}))
    words = [
        "features",
        models.base,
        "--dictionary",
        foreign,
        "--activations",
        captured,
        "--min-firings",
        "1",
        "--json",
    ]
    result = program(*words, "--layer", "3")
    assert result.returncode == 0, result.stderr
    assert "estimated from the stored rows" in result.stderr
    document = json.loads(result.stdout)
    assert (
        document["dictionary"]["format"] == "ckkissane crosscoder"
        and "estimated on" in document["dictionary"]["scaling"]
    )
    assert sum(document["classes"].values()) == 8
    given = json.loads(program(*words, "--layer", "3", "--scales", "0.3,0.5").stdout)
    assert given["dictionary"]["scales"] == pytest.approx([0.3, 0.5])
    other = program(*words, "--layer", "2")
    assert other.returncode == 8 and "hook point is resid_post.3, that of the rows resid_post.2" in other.stderr


def test_an_sae_of_one_model_is_told_what_it_is_good_for(program, models, captured):
    sae = IMPORTS / "saelens_topk"
    result = program("features", models.base, "--dictionary", sae, "--activations", captured, "--layer", "3")
    assert result.returncode == 8 and "SAELens SAE of 1 model(s)" in result.stderr and "`import`" in result.stderr


def test_training_measures_what_the_reconstruction_does_to_both_models(trained):
    folder, report = trained
    splice = report["spliced"]
    assert splice == json.loads((folder / "splice.json").read_text())
    assert [item["name"] for item in splice["replacements"]] == ["zeros", "mean", "crosscoder", "pca", "random"]
    assert splice["num_rows"] > 0 and splice["num_answers"] > 0
    for item in splice["replacements"]:
        for model in ("base", "target"):
            assert item[model]["kl"] >= 0
            assert item[model]["loss_recovered"] is None or item[model]["loss_recovered"] <= 1.5
    zeros, crosscoder = splice["replacements"][0], splice["replacements"][2]
    assert crosscoder["base"]["kl"] < zeros["base"]["kl"]


def test_training_prints_the_spliced_quality_and_needs_the_right_models(program, models, captured, tmp_path):
    words = ["train", models.base, models.target, "--activations", captured, "--layers", "3", *SMALL]
    result = program(*words)
    assert result.returncode == 0, result.stderr
    assert "held-out rows, on" in result.stdout and "loss recovered by PCA of rank 4: base" in result.stdout
    old = tmp_path / "old"
    shutil.copytree(captured / "activations/rows/layer_03", old)
    (old / "texts.safetensors").unlink()
    without = program("train", models.base, models.target, "--activations", old, *SMALL)
    assert without.returncode == 3 and "stored without their texts; capture them again" in without.stderr
    assert program("train", "--activations", old, *SMALL).returncode == 0
    assert program("train", models.base, "--activations", captured, *SMALL).returncode == 2


def test_exports_are_what_saelens_and_delphi_read(program, trained, captured, tmp_path):
    folder, _ = trained
    words = ["export", folder, "--to", "saelens,delphi", "--activations", captured, "--layer", "3", "--json"]
    result = program(*words)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["saelens"] == ["export/saelens/base", "export/saelens/target"]
    config = json.loads((tmp_path / "export/saelens/target/cfg.json").read_text())
    assert config["architecture"] == "jumprelu" and config["d_sae"] == 64
    assert config["metadata"]["hook_name"] == "blocks.3.hook_resid_post"
    shapes = {n: t["shape"] for n, t in tensors_of(tmp_path / "export/saelens/target/sae_weights.safetensors").items()}
    width = width_of(captured)
    assert shapes == {"W_enc": [width, 64], "b_enc": [64], "W_dec": [64, width], "b_dec": [width], "threshold": [64]}
    cache = tmp_path / document["delphi"]["folder"]
    assert cache == tmp_path / "export/delphi/layers.3"
    files = sorted(cache.glob("*.safetensors"))
    assert len(files) == document["delphi"]["num_files"] and (cache / "config.json").exists()
    tensors = tensors_of(files[0])
    assert tensors["locations"]["shape"][1] == 3 and tensors["activations"]["dtype"] == "F16"
    assert tensors["tokens"]["shape"] == [document["delphi"]["num_windows"], document["delphi"]["window"]]


def test_exports_ask_for_what_they_need(program, trained):
    folder, _ = trained
    assert "--to got 'x'" in program("export", folder, "--to", "x").stderr
    missing = program("export", folder, "--to", "delphi")
    assert missing.returncode == 2 and "--activations" in missing.stderr
    assert (
        program("export", folder, "--to", "saelens", "--out", "slices").stdout
        == "slices/saelens/base\nslices/saelens/target\n"
    )
    one = program("export", IMPORTS / "sparsify/layers.3", "--to", "saelens", "--out", "one")
    assert one.stdout == "one/saelens/sae\n"


def test_models_of_other_widths_share_a_dictionary(program, models, tmp_path):
    smaller = tiny_model.write_smaller_model(tmp_path / "smaller")
    captured = program("capture", models.base, smaller, "--layers", "1", "--budget", "quick", "--tokens", "1500")
    assert captured.returncode == 0, captured.stderr
    (store,) = tmp_path.glob("**/store.json")
    widths = json.loads(store.read_text())["widths"]
    assert len(widths) == 2 and widths[0] != widths[1]
    result = program(
        "train", models.base, smaller, "--activations", store.parent, *SMALL, "--out", "dictionary", "--json"
    )
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)
    assert report["spliced"]["num_answers"] > 0
    exported = program("export", "dictionary", "--to", "saelens", "--out", "out")
    assert exported.returncode == 0, exported.stderr
    for name, width in zip(("base", "target"), widths, strict=True):
        assert json.loads((tmp_path / f"out/saelens/{name}/cfg.json").read_text())["d_in"] == width
    classed = program(
        "features",
        models.base,
        "--dictionary",
        "dictionary",
        "--activations",
        store.parent,
        "--min-firings",
        "5",
        "--out",
        "f",
    )
    assert classed.returncode == 0, classed.stderr
    latents = json.loads((tmp_path / "f/latents.json").read_text())
    assert sum(latents["classes"].values()) == 64
    for feature in latents["features"]:
        # Without the target there is nothing to unembed its vectors with.
        assert bool(feature["promoted"]) == (feature["kind"] == "removed" or feature["measures"]["use_ratio"] < 1)


def test_a_comparison_classes_latents_of_models_of_other_widths(program, models, tmp_path):
    smaller = tiny_model.write_smaller_model(tmp_path / "smaller")
    small = ["--layers", "1", "--budget", "quick", "--tokens", "3000", "--num-latents", "64", "--k", "4"]
    result = program("compare", models.base, smaller, *small, "--output-dir", "run")
    assert result.returncode == 0, result.stderr
    (path,) = (tmp_path / "run").glob("**/latents.json")
    latents = json.loads(path.read_text())
    assert latents["features"] and all(feature["promoted"] for feature in latents["features"])
    assert all(feature["share_of_difference"] is None for feature in latents["features"])
    assert not any(feature["measures"]["has_one_space"] for feature in latents["features"])
    report = json.loads((tmp_path / "run/reports/report.json").read_text())
    assert [feature for feature in report["features"] if feature["engine"] == "crosscoder"]
    wrong = program("compare", models.base, smaller, "--layers", "99", "--output-dir", "other")
    assert wrong.returncode == 2 and "--layers names layer 99" in wrong.stderr


def test_the_same_model_in_other_ids_has_the_same_rows_and_latents(program, models, tmp_path):
    swapped = tiny_model.write_model_of_other_ids(tmp_path / "swapped")
    small = ["--layers", "2", "--budget", "quick", "--tokens", "3000", "--num-latents", "64", "--k", "4"]
    result = program("compare", models.base, swapped, *small, "--output-dir", "run")
    assert result.returncode == 0, result.stderr
    (path,) = (tmp_path / "run").glob("**/store.json")
    store = json.loads(path.read_text())
    assert store["target_tokenizer"] not in ("", store["tokenizer"]) and store["num_masked_unaligned"] > 0
    rows = half_precision_of(path.parent / "shard_00000.safetensors", "rows")
    assert len(rows) > 100 and abs(rows[:, 0] - rows[:, 1]).max() < 0.01 * abs(rows).max()
    (path,) = (tmp_path / "run").glob("**/latents.json")
    latents = json.loads(path.read_text())
    assert latents["classes"]["shared"] > 0
    assert not any(latents["classes"][kind] for kind in ("added", "removed", "modified"))
    assert latents["rows_dropped"]["no token of the target's own that ends there"] == store["num_masked_unaligned"]


def test_models_trained_apart_have_no_common_space(program, models, tmp_path):
    other = tiny_model.write_unrelated_model(tmp_path / "other")
    small = ["--layers", "2", "--budget", "quick", "--tokens", "6000", "--num-latents", "64", "--k", "4"]
    result = program("compare", models.base, other, *small, "--output-dir", "run")
    assert result.returncode == 0, result.stderr
    (store,) = (tmp_path / "run").glob("**/store.json")
    assert json.loads(store.read_text())["relation"] == "unrelated"
    (path,) = (tmp_path / "run").glob("**/latents.json")
    classes = json.loads(path.read_text())["classes"]
    # Both read the same letters. A direction of one means nothing in the other: by that measure nothing would be shared.
    assert classes["shared"] > 20 and classes["added"] + classes["removed"] + classes["modified"] <= 3


def test_models_of_other_tokenizers_share_a_dictionary(program, models, tmp_path):
    merged = tiny_model.write_model_of_other_ids(tmp_path / "merged", ("t h", "th e", "i n", "Ġ a"))
    captured = program("capture", models.base, merged, "--budget", "quick", "--tokens", "1500")
    assert captured.returncode == 0, captured.stderr
    (store,) = tmp_path.glob("**/store.json")
    layer = int(json.loads(store.read_text())["hook_point"].rsplit(".", 1)[1])
    assert tiny_model.LAYERS // 4 <= layer < tiny_model.LAYERS - tiny_model.LAYERS // 4
    words = ["--activations", store.parent, *SMALL, "--out", "dictionary"]
    result = program("train", models.base, merged, *words, "--json")
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)
    assert report["spliced"]["num_answers"] > 0
    other = program("train", models.base, models.base, *words)
    assert other.returncode == 8 and "another tokenizer" in other.stderr


def test_one_dictionary_reads_layers_that_were_captured_together(program, models, tmp_path):
    words = ["--layers", "1+3", "--budget", "quick", "--tokens", "1500", "--num-latents", "64", "--k", "4"]
    result = program("compare", models.base, models.target, *words, "--skip-visualization", "--output-dir", "run")
    assert result.returncode == 0, result.stderr
    rows = tmp_path / "run/activations/rows/layer_01+03"
    store = json.loads((rows / "store.json").read_text())
    assert store["num_models"] == 4 and store["hook_point"] == "resid_post.1+3"
    latents = json.loads((tmp_path / "run/features/crosscoder/layer_01+03/latents.json").read_text())
    assert latents["layers"] == "1+3" and latents["layer"] == 3
    assert len(latents["quality"]["crosscoder"]["explained_by_model"]) == 4
    for feature in latents["features"]:
        for model in ("base", "target"):
            assert sum(feature["measures"][f"{model}_norm_by_layer"]) == pytest.approx(1.0, abs=1e-4)

    trained = program(
        "train", models.base, models.target, "--activations", "run", *SMALL, "--out", "dictionary", "--json"
    )
    assert trained.returncode == 0, trained.stderr
    (report,) = json.loads(trained.stdout)
    assert report["layers"] == "1+3" and report["spliced"]["num_answers"] > 0
    classed = program(
        "features", models.base, "--dictionary", "dictionary", "--activations", "run", "--layer", "1+3", "--out", "f"
    )
    assert classed.returncode == 0, classed.stderr
    assert classed.stdout.startswith("layer 1+3: fraction of variance explained on ")
    exported = program("export", "dictionary", "--to", "saelens,delphi", "--activations", "run", "--out", "out")
    assert exported.returncode == 0, exported.stderr
    for model in ("base", "target"):
        for layer in (1, 3):
            config = json.loads((tmp_path / f"out/saelens/{model}_layer_{layer}/cfg.json").read_text())
            assert config["metadata"]["hook_name"] == f"blocks.{layer}.hook_resid_post"
    assert (tmp_path / "out/delphi/layers.1+3").is_dir()
    absent = program("train", "--activations", "run", "--layers", "3", *SMALL, "--out", "other")
    assert absent.returncode == 3 and "holds no rows of layer 3, only of 1+3" in absent.stderr
