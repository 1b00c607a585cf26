"""--budget MINUTES: the plan looks at as much as the minutes allow, by its own estimate; a resumed run keeps what was chosen."""

import json

import pytest
import tiny_model


@pytest.fixture
def plan(program, models):
    """The plan of a comparison over many prompts, whose cost a budget can change."""

    def run(budget: str, *words) -> dict:
        command = ["compare", models.base, models.target, "--dry-run", "--json", "--budget", budget, *words]
        result = program(*command)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_a_plan_of_minutes_fits_them(plan):
    quick = plan("quick")["estimate"]["seconds"]
    thorough = plan("thorough")["estimate"]["seconds"]
    for seconds in (quick, (quick + thorough) / 2):
        fitted = plan(f"{seconds / 60:.6f}")
        level = float(fitted["budget"].split("@")[1])
        # The machine is measured again each time, so a level may be cheaper now than it was: the estimate must fit all the same.
        assert fitted["estimate"]["seconds"] <= seconds * 1.000001 or level == -1
        assert -1 <= level <= 2


def test_more_minutes_look_at_more_and_their_ends_are_kept(plan):
    glimpse, all_of_it = plan("0.000001"), plan("9999")
    assert glimpse["budget"] == "0.000001@-1.00"
    assert all_of_it["budget"] == "9999@2.00"
    assert all_of_it["max_tokens"] == plan("thorough")["max_tokens"]
    assert glimpse["max_tokens"] < plan("quick")["max_tokens"]
    assert plan("5@0.50")["max_tokens"] <= plan("5@0.75")["max_tokens"] <= plan("standard")["max_tokens"]
    for key in ("num_discovery_prompts", "max_confirmation_prompts"):
        assert glimpse[key] < all_of_it[key]


def test_models_of_other_shapes_are_trained_on_and_not_patched(program, models, plan, tmp_path):
    smaller = tiny_model.write_smaller_model(tmp_path / "smaller")
    words = ["compare", models.base, smaller, "--dry-run", "--json", "--budget", "standard"]
    result = program(*words)
    assert result.returncode == 0, result.stderr
    other, equal = json.loads(result.stdout), plan("standard")
    assert other["num_discovery_prompts"] == equal["num_discovery_prompts"]
    assert equal["max_tokens"] - 128_000 < other["max_tokens"] < equal["max_tokens"]
    untrained = json.loads(program(*words, "--tokens", "0").stdout)
    assert untrained["max_tokens"] == other["max_tokens"] - 128_000  # what both models read for a crosscoder


def test_a_resumed_run_keeps_the_level_that_was_fitted(compare, tmp_path):
    small = ["--skip-visualization", "--skip-report", "--tokens", "0"]
    assert compare("--budget", "9999", *small).returncode == 0
    identity = json.loads((tmp_path / "run/activations/identity.json").read_text())
    assert identity["budget"] == "9999@2.00"
    # As if the machine had been slower then.
    for name in ("identity.json", "manifest.json"):
        path = tmp_path / "run/activations" / name
        path.write_text(path.read_text().replace("9999@2.00", "9999@1.50"))
    result = compare("--budget", "9999", "--resume", *small)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "run/features/features.json").read_text())["settings"]["budget"] == "9999@1.50"
    assert compare("--budget", "9998", "--resume", *small).returncode != 0  # answers of another budget


@pytest.mark.parametrize("budget", ["0", "-5", "ten", "10m", "1@9", "MINUTES", ""])
def test_what_is_no_budget_is_refused(compare, budget):
    result = compare("--budget", budget)
    assert result.returncode == 2
    assert "--budget" in result.stderr
