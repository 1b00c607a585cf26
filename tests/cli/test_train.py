"""`capture` stores rows, `train` makes a dictionary of them: what it says, what it refuses, what a killed run leaves."""

import json
import shutil
import signal
import struct
import subprocess
import time

import pytest
from built import PROGRAM

SMALL = ["--num-latents", "64", "--k", "4", "--batch-size", "32"]


@pytest.fixture(scope="module")
def captured(capture_rows):
    return capture_rows("2,4")


def test_capture_stores_the_rows_of_the_named_layers(captured):
    stores = sorted(path.parent.name for path in captured.glob("activations/rows/*/store.json"))
    assert stores == ["layer_02", "layer_04"]
    info = json.loads((captured / "activations/rows/layer_04/store.json").read_text())
    assert info["hook_point"] == "resid_post.4" and info["num_rows"] > 0 and info["num_masked_first"] > 0


def test_train_says_what_the_dictionary_is_worth(captured, program, tmp_path):
    result = program("train", "--activations", captured, "--layers", "4", *SMALL, "--steps", "60", "--json")
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)
    assert report["layer"] == 4 and report["num_latents"] == 64 and report["num_steps"] == 60
    stored = json.loads((tmp_path / "dictionary/quality.json").read_text())
    assert stored == {key: report[key] for key in stored}
    for name in ("crosscoder", "pca", "random"):
        assert len(stored[name]["explained_by_model"]) == 2
    rows = [json.loads(line) for line in (tmp_path / "dictionary/metrics.jsonl").read_text().splitlines()]
    assert {"loss", "explained", "dead_share"} <= rows[0].keys()
    assert (tmp_path / "dictionary/model.safetensors").exists()
    assert "crosscoder: 60/60 steps" in result.stderr and "loss" in result.stderr and "dead" in result.stderr


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """Fields of a protocol buffer, in order."""
    found, at = [], 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        number, wire = divmod(varint(), 8)
        if wire == 0:
            found.append((number, varint()))
            continue
        length = {1: 8, 5: 4}[wire] if wire != 2 else varint()
        found.append((number, data[at : at + length]))
        at += length
    return found


def test_the_curves_are_those_of_the_metrics_as_tensorboard_reads_them(captured, program, tmp_path):
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720's check value
    words = ["train", "--activations", captured, "--layers", "4", *SMALL, "--steps", "60"]
    assert program(*words).returncode == 0
    data = (tmp_path / "dictionary/events.out.tfevents.0.crosscoder").read_bytes()
    events, at = [], 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        assert check == masked(data[at : at + 8])
        event = data[at + 12 : at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(event)
        events.append(dict(fields(event)))
        at += length + 16
    assert events[0][3] == b"brain.Event:2"
    rows = [json.loads(line) for line in (tmp_path / "dictionary/metrics.jsonl").read_text().splitlines()]
    assert len(events) == len(rows) + 1
    for event, row in zip(events[1:], rows, strict=True):
        assert event[2] == row.pop("step") == struct.unpack("<d", event[1])[0]
        scalars = [dict(fields(value)) for _, value in fields(event[5])]
        curves = {scalar[1].decode(): struct.unpack("<f", scalar[2])[0] for scalar in scalars}
        assert curves == pytest.approx(row, rel=1e-6)


def test_every_stored_layer_gets_a_dictionary(captured, program, tmp_path):
    result = program("train", "--activations", captured / "activations", *SMALL, "--steps", "3", "--out", "all")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "all/layer_02/config.json").exists() and (tmp_path / "all/layer_04/config.json").exists()
    assert "layer 2: 64 latents" in result.stdout and "PCA of rank 4" in result.stdout


def test_what_is_not_there_cannot_be_trained_on(captured, program, tmp_path):
    assert "holds no stored rows" in program("train", "--activations", tmp_path).stderr
    missing = program("train", "--activations", captured, "--layers", "3")
    assert missing.returncode == 3 and "no rows of layer 3, only of 2, 4" in missing.stderr
    assert program("train", "--activations", captured, "--steps", "0").returncode == 2
    assert program("train", "--activations", captured, "--k", "70", "--num-latents", "64").returncode == 2


def test_a_killed_training_resumes_to_the_same_bytes(captured, program, environment, tmp_path):
    words = ["train", "--activations", captured, "--layers", "2", *SMALL, "--steps", "1500", "--out"]
    assert program(*words, "whole").returncode == 0
    process = subprocess.Popen([PROGRAM, *map(str, words), "parts", "-q"], cwd=tmp_path, env=environment)
    checkpoints = tmp_path / "parts/checkpoints"
    while process.poll() is None and not list(checkpoints.glob("*.safetensors")):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert not (tmp_path / "parts/quality.json").exists()
    assert program(*words, "parts", "--resume").returncode == 0
    for name in ("model.safetensors", "quality.json", "metrics.jsonl", "config.json"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    shutil.rmtree(checkpoints)
    other = program(*words[:-3], "--steps", "1500", "--seed", "1", "--out", "whole", "--resume")
    assert other.returncode == 8 and "seed = 0, now it is 1" in other.stderr


@pytest.fixture(scope="module")
def dictionary(captured, environment):
    words = ["train", "--activations", captured, "--layers", "4", *SMALL, "--steps", "60", "--out", "dictionary", "-q"]
    subprocess.run([PROGRAM, *map(str, words)], cwd=captured.parent, env=environment, check=True, timeout=120)
    return captured.parent / "dictionary"


def features(program, models, dictionary, captured, *words):
    run = ["--dictionary", dictionary, "--activations", captured]
    return program("features", models.base, *run, "--min-firings", "1", *words)


def test_features_of_a_dictionary_are_classed_on_rows_it_was_not_trained_on(
    program, models, dictionary, captured, tmp_path
):
    result = features(program, models, dictionary, captured, "--layer", "4", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document == json.loads((tmp_path / "features/latents.json").read_text())
    assert sum(document["classes"].values()) == 64
    assert len(json.loads((tmp_path / "features/classes.json").read_text())["features"]) == 64
    quality = json.loads((dictionary / "quality.json").read_text())
    expected, measured = quality["crosscoder"], document["quality"]
    assert measured["num_rows"] == expected["num_rows"]  # the same rows were held out
    assert measured["l0"] == expected["l0"]
    assert measured["explained_by_model"] == pytest.approx(expected["explained_by_model"], abs=1e-6)
    assert {"added", "removed", "modified", "shared", "undecided", "dead"} == document["classes"].keys()
    text = features(program, models, dictionary, captured, "--layer", "4").stdout
    assert text.startswith("layer 4: fraction of variance explained on ") and text.endswith("features\n")


def test_a_dictionary_from_elsewhere_may_be_classed_on_every_row(program, models, dictionary, captured, tmp_path):
    foreign = tmp_path / "foreign"
    shutil.copytree(dictionary, foreign)
    (foreign / "manifest.json").unlink()
    document = json.loads(features(program, models, foreign, captured, "--layer", "4", "--json").stdout)
    info = json.loads((captured / "activations/rows/layer_04/store.json").read_text())
    assert document["quality"]["num_rows"] == info["num_rows"]


def test_a_dictionary_is_not_used_on_rows_that_are_not_its_own(program, models, dictionary, captured, tmp_path):
    several = features(program, models, dictionary, captured)
    assert several.returncode == 2 and "holds rows of 2 layers; choose one with --layer" in several.stderr
    other = features(program, models, dictionary, captured, "--layer", "2")
    assert other.returncode == 8 and "hook point is resid_post.4, that of the rows resid_post.2" in other.stderr
    assert features(program, models, tmp_path / "absent", captured, "--layer", "4").returncode == 3
    assert program("features", models.base).returncode == 2


def test_seeds_say_which_latents_come_back(captured, program, tmp_path):
    words = ["train", "--activations", captured, "--layers", "4", *SMALL, "--steps", "40", "--seeds", "3"]
    result = program(*words, "--json")
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)
    assert report["stability"].endswith("latents are in all 3 seeds (cosine 0.7 or more)")
    folder = tmp_path / "dictionary"
    stability = json.loads((folder / "seeds.json").read_text())
    assert stability["num_seeds"] == 3 and len(stability["found"]) == 64 and set(stability["found"]) <= {1, 2, 3}
    assert [len(cosines) for cosines in stability["cosines"]] == [64, 64]
    siblings = sorted(path.name for path in folder.glob("seed_*"))
    assert siblings == ["seed_01", "seed_02"] and (folder / "seed_02/model.safetensors").exists()
    made = (folder / "seed_01/model.safetensors").stat().st_mtime_ns
    assert program(*words, "--resume").returncode == 0
    assert (folder / "seed_01/model.safetensors").stat().st_mtime_ns == made
    assert program(*words[:-2]).returncode == 0 and not (folder / "seeds.json").exists()


@pytest.mark.parametrize("count", ["0", "33"])
def test_too_few_and_too_many_seeds_are_refused(captured, program, count):
    result = program("train", "--activations", captured, "--layers", "4", *SMALL, "--steps", "3", "--seeds", count)
    assert result.returncode == 2 and f"--seeds got {count}, expected 1 to 32" in result.stderr


def test_other_sparsities_and_shared_latents(captured, program, tmp_path):
    rows = ["train", "--activations", captured, "--layers", "4", *SMALL, "--steps", "30"]
    result = program(*rows, "--sparsity", "jump_relu", "--penalty", "0.5", "--shared-latents", "0.25", "--out", "jump")
    assert result.returncode == 0, result.stderr
    assert program(*rows, "--sparsity", "l1", "--penalty", "0.5", "--out", "l1").returncode == 0
    assert (tmp_path / "jump/model.safetensors").exists() and (tmp_path / "l1/model.safetensors").exists()
    for words, message in [
        (["--sparsity", "l1"], "--penalty got 0, expected a weight above 0 for --sparsity l1"),
        (["--penalty", "2"], "--penalty got 2, but --sparsity batch_topk has none"),
        (["--sparsity", "topk"], "--sparsity got 'topk', expected batch_topk, l1 or jump_relu"),
        (["--shared-latents", "2"], "shared_share is 2, expected 0 to 1"),
        (["--learning-rate", "-1"], "lr is -1, expected 0 to 1"),
    ]:
        refused = program(*rows, *words)
        assert refused.returncode == 2 and message in refused.stderr
