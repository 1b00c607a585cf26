"""compare --outputs: claims from answers alone, and what the report says about how little that is."""

import json
import pathlib

import pytest

TEN_PAIRS = pathlib.Path(__file__).parents[1] / "data/outputs/ten_pairs.jsonl"


def read_report(folder: pathlib.Path) -> dict:
    return json.loads((folder / "reports/report.json").read_text())


@pytest.fixture
def report(program, tmp_path):
    """Runs over an outputs file and returns the report."""

    def run(path, *words):
        result = program("compare", "--outputs", path, "--output-dir", "run", *words)
        assert result.returncode == 0, result.stderr
        return read_report(tmp_path / "run")

    return run


def write_pairs(path: pathlib.Path, pairs) -> pathlib.Path:
    rows = ({"category": c, "prompt": p, "base_output": b, "target_output": t} for c, p, b, t in pairs)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_ten_pairs_say_what_differs_and_how_few_they_are(report, tmp_path):
    document = report(TEN_PAIRS)
    assert document["relation"] == "outputs-only"
    assert document["verdict"] == "different"
    assert {claim["verdict"] for claim in document["claims"]} == {"suggestive"}
    claim = document["claims"][0]
    assert claim["layers"] == [] and claim["features"] == [] and claim["effect"]["num_prompts"] == 10
    assert not any(claim["causal"].values())
    shown = [claim["behaviour"], *(item["description"] for item in claim["supporting"])]
    for words in ("corrects itself", "thinks aloud"):
        assert words in " ".join(shown)
    assert claim["effect"]["ci_high"] - claim["effect"]["ci_low"] > 0.2  # ten prompts
    assert document["tested"]["fresh_prompts"] is False
    assert document["tested"]["num_hypotheses"] > 150
    assert "10 prompts are few" in document["summary"]
    for name in ("report.md", "report.html"):
        text = (tmp_path / "run/reports" / name).read_text()
        assert "not at hand" in text and "too few to set some aside" in text
        assert "fresh prompts" not in text and "confirmation prompts" not in text
    assert "10 of the target" not in document["not_seen"]  # no answer of the target has a mark: nothing to say


def test_a_claims_p_value_is_the_sign_test_of_its_answers(report):
    """The measure, the p-value and the effect once more, from the file alone."""
    document = report(TEN_PAIRS)
    rows = [json.loads(line) for line in TEN_PAIRS.read_text().splitlines()]
    everything = [document["claims"][0]["effect"], *(item["effect"] for item in document["claims"][0]["supporting"])]
    phrases = [e for e in everything if "the model says " in e["metric"]]
    assert phrases
    for effect in phrases:
        phrase = effect["metric"].split('"')[1]
        holds = [[phrase in row[side].lower() for side in ("base_output", "target_output")] for row in rows]
        assert effect["base"] == pytest.approx(sum(base for base, _ in holds) / 10)
        assert effect["target"] == pytest.approx(sum(target for _, target in holds) / 10)
        one_sided = sum(base != target for base, target in holds)
        assert effect["p_value"] == pytest.approx(2 * 0.5**one_sided)
        assert effect["p_value"] <= effect["q_value"] <= 0.05


def test_what_half_of_the_answers_show_is_a_hint_and_no_claim(report, tmp_path):
    rows = [json.loads(line) for line in TEN_PAIRS.read_text().splitlines()]
    pairs = []
    for i, row in enumerate(rows):
        target = "Wait, no, let me correct that. " + row["base_output"] if i % 2 else row["base_output"]
        pairs.append(("any", row["prompt"], row["base_output"], target))
    document = report(write_pairs(tmp_path / "pairs.jsonl", pairs))
    assert document["claims"] == []
    assert "Seen, but not certain in so few: the target " in document["summary"]
    assert "corrects itself (50% against 0% in the base)" in document["summary"]
    hint = next(row for row in document["not_confirmed"] if row["id"] == "self_correction")
    assert hint["effect"]["p_value"] == pytest.approx(0.0625) and hint["effect"]["q_value"] > 0.05


def test_equal_answers_are_no_difference(report, tmp_path):
    rows = [json.loads(line) for line in TEN_PAIRS.read_text().splitlines()]
    pairs = [("any", row["prompt"], row["target_output"], row["target_output"]) for row in rows]
    document = report(write_pairs(tmp_path / "pairs.jsonl", pairs))
    assert document["verdict"] == "no difference found" and document["claims"] == []
    assert "So few prompts" in document["summary"]


def test_many_prompts_are_parted_into_discovery_and_confirmation(report, tmp_path):
    pairs = []
    for i in range(24):
        pairs.append(("sums", f"What is {i} plus {i}?", f"It is {2 * i}.", f"It is {2 * i}."))
        pairs.append(("poems", f"A poem about {i}?", f"Verse {i}.", f"I'm sorry, but I can't help with that. Verse {i}."))
    document = report(write_pairs(tmp_path / "pairs.jsonl", pairs))
    assert document["tested"]["fresh_prompts"] is True
    claim = document["claims"][0]
    assert claim["categories"] == ["poems"] and claim["verdict"] == "suggestive" and claim["kind"] == "removed"
    assert claim["effect"]["num_prompts"] == 18  # a quarter of the 24 looked for it
    assert "held on fresh prompts" in document["summary"]
    assert "few prompts" not in document["not_seen"]


def test_names_folder_and_formats_are_as_in_other_runs(report, program, tmp_path):
    document = report(TEN_PAIRS, "--base-model", "Small", "--target-model", "Thinker", "--report-format", "markdown")
    assert (document["base"]["name"], document["target"]["name"]) == ("Small", "Thinker")
    assert not (tmp_path / "run/reports/report.html").exists()
    before = (tmp_path / "run/reports/report.json").read_bytes()
    assert program("report", "run").returncode == 0
    assert (tmp_path / "run/reports/report.json").read_bytes() == before
    assert program("compare", "--outputs", TEN_PAIRS, "--output-dir", "run", "--skip-activations").returncode == 0
    assert read_report(tmp_path / "run")["claims"] == document["claims"]


def test_bad_lines_are_named(program, tmp_path):
    good = TEN_PAIRS.read_text().splitlines()[0]
    (tmp_path / "pairs.jsonl").write_text(good + '\n{"prompt": "a", "base_output": "b"}\n')
    result = program("compare", "--outputs", "pairs.jsonl")
    assert result.returncode == 6
    assert "line 2 of pairs.jsonl has no 'target_output'" in result.stderr
    assert not (tmp_path / "feature_interpretation/activations/answers.jsonl").exists()
    assert program("compare", "--outputs", "absent.jsonl").returncode == 3
    for words in (["--prompts", "p.json"], ["--target-adapter", "x"], ["--dry-run"]):
        assert program("compare", "--outputs", TEN_PAIRS, *words).returncode == 2
