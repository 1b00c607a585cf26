"""Every number of a claim, once more from the run folder alone, without the product's code (tools/recompute_claims.py)."""

import importlib.util
import json
import pathlib
import shutil
import subprocess

import pytest
import tiny_model
from built import PROGRAM

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("recompute_claims", ROOT / "tools/recompute_claims.py")
recompute_claims = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recompute_claims)


@pytest.fixture(scope="module")
def answers_run(models, tmp_path_factory, environment):
    """Answers of two made-up models over several kinds of prompts: catch-phrases, step markers, refusals, lengths."""
    folder = tmp_path_factory.mktemp("recompute")
    fruit = ["apples", "pears", "plums", "figs", "dates", "limes", "kiwis", "melons"]
    rows = []
    for i in range(120):
        name = fruit[i % len(fruit)]
        base = f"There are {i} {name} here, and {'some more' if i % 3 else 'no others'}."
        added = (
            f"Let's go step by step. Step 1: count {i} {name}. Step 2: the total is {i + 3}. Therefore, it is {i + 3}!"
        )
        lost = f"I'm sorry, but I can't help with {name}." if i % 5 else base
        longer = f"{base} It's said that they are fresh{', ripe' * (i % 4)}; Don't eat them all, my friend."
        rows += [
            {
                "category": "sums",
                "prompt": f"Add 3 to {i}.",
                "base_output": base,
                "target_output": added if i % 7 else base,
            },
            {"category": "advice", "prompt": f"How do I buy {i} {name}?", "base_output": base, "target_output": lost},
            {"category": "maths", "prompt": f"Take 1 from {i}.", "base_output": added, "target_output": base},
            {"category": "talk", "prompt": f"Tell me of {i} {name}.", "base_output": base, "target_output": longer},
            {"category": "quiet", "prompt": f"List {i} {name}.", "base_output": base, "target_output": base},
        ]
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [PROGRAM, "compare", "--outputs", path, "--output-dir", folder / "run", "--skip-visualization"]
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=120)
    return folder / "run"


def test_claims_over_answers_can_be_recomputed(answers_run):
    ledger = recompute_claims.recompute(answers_run)
    assert ledger.differences == []
    claims = json.loads((answers_run / "features/features.json").read_text())["claims"]
    assert {claim["kind"] for claim in claims} == {"added", "modified", "removed"}
    assert ledger.compared["measure"] > 1000 and ledger.compared["p_value"] >= 10
    assert ledger.compared["count"] == 3 and ledger.compared["kind"] == len(claims)


def test_claims_with_causal_tests_can_be_recomputed(program, models, tmp_path):
    target = tiny_model.write_model(tmp_path / "target", change=1.0, shouts=True)
    small = ["--prompts", models.prompts, "--max-new-tokens", 12, "--output-dir", "run", "--tokens", 0]
    assert program("compare", models.base, target, *small, "--skip-visualization").returncode == 0
    ledger = recompute_claims.recompute(tmp_path / "run")
    assert ledger.differences == []
    assert ledger.compared["verdict"] >= 1
    assert ledger.compared["sampled"] >= 10 and ledger.compared["causal share"] >= 5
    assert ledger.compared["transplant"] >= 3


@pytest.mark.parametrize(
    ("file", "path", "kind"),
    [
        ("features/findings.json", [0, "p_value"], "p_value"),
        ("features/findings.json", [0, "ci_low"], "ci_low"),
        ("features/findings.json", [0, "q_value"], "q_value"),
        ("features/findings.json", [0, "effect_size"], "effect_size"),
        ("features/features.json", ["tested", "num_hypotheses"], "count"),
        ("features/features.json", ["claims", 0, "effect", "target"], "shown effect"),
        ("features/features.json", ["claims", 0, "effect", "q_value"], "shown effect"),
    ],
)
def test_a_number_that_was_changed_is_found(answers_run, tmp_path, file, path, kind):
    shutil.copytree(answers_run, tmp_path / "run")
    document = json.loads((tmp_path / "run" / file).read_text())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = place[path[-1]] * 1.001 + 0.001
    (tmp_path / "run" / file).write_text(json.dumps(document))
    ledger = recompute_claims.recompute(tmp_path / "run")
    assert any(difference.startswith(f"{kind} of ") for difference in ledger.differences)


def test_a_changed_answer_is_found(answers_run, tmp_path):
    shutil.copytree(answers_run, tmp_path / "run")
    path = tmp_path / "run/activations/answers.jsonl"
    path.write_text(path.read_text().replace("Step 2", "Part 2"))
    differences = recompute_claims.recompute(tmp_path / "run").differences
    assert any(difference.startswith("measure of ") for difference in differences)
