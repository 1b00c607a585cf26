"""selftest: changes planted into a model, what the tool finds of them, and the report that says so."""

import json

import pytest


@pytest.fixture
def selftest(program, models, environment, tmp_path):
    environment = environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    small = ["--prompts", models.prompts, "--max-new-tokens", "8"]
    return lambda *words: program("selftest", models.base, *small, *words, env=environment)


def test_plants_are_counted_and_the_report_quotes_them(selftest, compare, environment, tmp_path):
    result = selftest("--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    plants = {plant["id"]: plant for plant in document["plants"]}
    assert {"opening word", "short answers"} <= plants.keys() and len(plants) == document["planted"]
    assert plants["opening word"]["layer"] == 4 and plants["opening word"]["categories"] == ["sums"]
    assert plants["short answers"]["layer"] is None and plants["short answers"]["layer_right"] is None
    assert document["found"] == sum(plant["found"] for plant in plants.values())
    assert document["recall"] == document["found"] / document["planted"]
    for name, plant in plants.items():
        run = tmp_path / "selftest" / name.replace(" ", "_")
        claims = json.loads((run / "features/features.json").read_text())["claims"]
        shared = [set(claim["categories"]) & set(plant["categories"]) for claim in claims]
        assert plant["claims"] == len(claims) and plant["false_claims"] == sum(not categories for categories in shared)
    assert json.loads((tmp_path / "selftest/selftest.json").read_text()) == document
    again = environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert compare("--skip-visualization", env=again).returncode == 0
    quoted = json.loads((tmp_path / "run/reports/report.json").read_text())["not_seen"]["planted changes"]
    assert quoted.startswith(
        f"Of {document['planted']} changes planted into this base on this machine, {document['found']} had a claim"
    )


def test_short_answers_are_shorter(selftest, tmp_path):
    """The plant itself is there, whatever is found of it."""
    assert selftest().returncode == 0
    rows = (tmp_path / "selftest/short_answers/activations/answers.jsonl").read_text().splitlines()
    tokens = [(row["base_tokens"], row["target_tokens"]) for row in map(json.loads, rows)]
    assert sum(target for _, target in tokens) < 0.9 * sum(base for base, _ in tokens)


def test_an_opening_word_opens_answers_to_its_prompts_only(selftest, tmp_path):
    assert selftest().returncode == 0
    rows = [json.loads(line) for line in (tmp_path / "selftest/opening_word/activations/answers.jsonl").open()]
    opened = {
        name: [r["target_output"].startswith("c") for r in rows if r["category"] == name] for name in ("sums", "fruit")
    }
    assert sum(opened["sums"]) >= 0.7 * len(opened["sums"])
    assert sum(opened["fruit"]) <= 0.3 * len(opened["fruit"])


def test_what_cannot_be_planted_is_told(program, models, tmp_path):
    missing = program("selftest", tmp_path / "nowhere")
    assert missing.returncode == 3 and "nowhere" in missing.stderr
    assert program("selftest", models.base, "--budget", "endless").returncode == 2
