"""Models that cannot be subtracted: of other size, or of another tokenizer."""

import json

import pytest
import tiny_model


@pytest.fixture
def report_of(program, models, tmp_path):
    def run(target, *words):
        small = ["--prompts", models.prompts, "--max-new-tokens", "12", "--budget", "quick", "--output-dir", "run"]
        result = program("compare", models.base, target, *small, *words)
        assert result.returncode == 0, result.stderr
        return json.loads((tmp_path / "run/reports/report.json").read_text())

    return run


def test_a_smaller_model_of_the_same_tokenizer(report_of, tmp_path):
    report = report_of(tiny_model.write_smaller_model(tmp_path / "smaller"))
    assert report["layers"] == []
    assert [(row["target_layer"], row["base_layer"]) for row in report["depth_pairs"]] == [
        (0, 0),
        (1, 2),
        (2, 3),
        (3, 5),
    ]
    assert all(-1 <= row["similarity"] <= 1 for row in report["depth_pairs"])
    seen = report["not_seen"]
    assert "matched by relative depth" in seen["layers"] and "no block of one fits" in seen["layers"]
    assert seen["text read at the same place by both models"].startswith("100.0% of the bytes")
    predicted, total = seen["answer tokens that both predict at the same place"].split(" of ")
    assert predicted == total
    assert seen["token KL, target from base"] > 0
    answer = report["answers"][0]
    assert "".join(answer["base_kl"]["tokens"]) == answer["base_output"] and max(answer["base_kl"]["nats"]) > 0
    assert "tokenizers" not in seen
    assert all(
        claim["causal"] == {"necessity": None, "sufficiency": None, "specificity": None} for claim in report["claims"]
    )
    for name in ("report.md", "report.html"):
        text = (tmp_path / "run/reports" / name).read_text()
        assert "linear CKA" in text and "layer of the base" in text


def test_the_same_model_in_swapped_ids_is_the_same(report_of, tmp_path):
    report = report_of(tiny_model.write_model_of_other_ids(tmp_path / "swapped"))
    assert report["verdict"] == "no difference found"
    assert [row["target_layer"] for row in report["depth_pairs"]] == list(range(tiny_model.LAYERS))
    assert all(row["similarity"] > 0.999999 for row in report["depth_pairs"])
    assert report["not_seen"]["token KL, target from base"] < 1e-5
    assert all(answer["base_kl"] is None for answer in report["answers"])
    assert "ids stand for other strings" in report["not_seen"]["tokenizers"]
    tokenizers = json.loads((tmp_path / "run/activations/manifest.json").read_text())["tokenizers"]
    assert tokenizers["num_common"] == len(tiny_model.vocabulary())
    assert tokenizers["num_ids_with_other_strings"] == 256
    assert tokenizers["ids_with_other_strings"][0] == {"id": 1, "base": "Ā", "target": "ÿ"}
    assert tokenizers["base"]["first_ids"] != tokenizers["target"]["first_ids"]


def test_another_tokenizer_is_aligned_on_characters(report_of, tmp_path):
    merges = ("t h", "th e", "i n", "Ġ a")
    report = report_of(tiny_model.write_model_of_other_ids(tmp_path / "merged", merges))
    seen = report["not_seen"]
    assert seen["text read at the same place by both models"].startswith("100.0% of the bytes")
    predicted, total = map(int, seen["answer tokens that both predict at the same place"].split(" of "))
    assert 0 < predicted <= total
    assert "4 the target's" in seen["tokenizers"]
    assert len(report["depth_pairs"]) == tiny_model.LAYERS


def test_a_pair_that_differs_resumes_and_repeats_to_the_same_bytes(report_of, tmp_path):
    target = tiny_model.write_smaller_model(tmp_path / "smaller")
    first = report_of(target)
    assert report_of(target) == first
    assert report_of(target, "--resume") == first
