"""steer: a feature of a finished run, tried on other prompts."""

import json

import pytest


@pytest.fixture
def steer(compare, program, models):
    """Compares the tiny models, then steers by that run."""
    result = compare("--skip-report", "--skip-visualization")
    assert result.returncode == 0, result.stderr

    def run(*words, target=models.target):
        words = ("--run", "run", "--prompt", "What is 3 plus 4?", "--max-new-tokens", "8", *words)
        return program("steer", models.base, target, *words)

    return run


@pytest.fixture
def mean(steer, tmp_path):
    """The id of a difference in means that the run has."""
    features = json.loads((tmp_path / "run/features/features.json").read_text())["features"]
    return next(row["id"] for row in features if row["id"].endswith("-mean"))


def test_a_feature_moves_the_base_and_a_random_direction_less(steer, program, models, tmp_path):
    features = json.loads((tmp_path / "run/features/features.json").read_text())["features"]
    last = max((row for row in features if row["id"].endswith("pca-0")), key=lambda row: row["layer"])
    result = json.loads(steer("--feature", last["id"], "--json").stdout)
    assert result["layer"] == last["layer"] and result["rank"] == 1 and result["strength"] is None
    answer = result["answers"][0]
    words = ["generate", models.base, "--target", models.target, "--prompt", answer["prompt"], "--max-new-tokens", "8"]
    plain = json.loads(program(*words, "--json").stdout)["answers"][0]
    assert (answer["base"], answer["target"]) == (plain["base"], plain["target"])
    assert answer["gap"] > 0
    assert answer["share_closed"] > answer["control_share_closed"]
    assert steer("--feature", last["id"], "--json").stdout == steer("--feature", last["id"], "--json").stdout


def test_no_strength_is_the_base_and_signs_are_opposite(steer, mean):
    none, one, minus = (
        json.loads(steer("--feature", mean, "--strength", x, "--json").stdout)["answers"][0] for x in ("0", "1", "-1")
    )
    assert none["steered"] == none["control"] == none["base"]
    assert none["share_closed"] == pytest.approx(0, abs=1e-5)
    assert one["share_closed"] > minus["share_closed"]


def test_without_a_choice_something_is_steered_and_told(steer):
    result = steer()
    assert result.returncode == 0, result.stderr
    for part in (
        "layer ",
        "the target's values",
        "base, steered (",
        "target: ",
        "control, as far in a random direction (",
    ):
        assert part in result.stdout


def test_what_cannot_be_steered_by_is_named(steer, mean, program, models, tmp_path):
    missing = steer("--feature", "L99-pca-0")
    assert missing.returncode == 3 and "no vector for feature 'L99-pca-0'; it can steer by L" in missing.stderr
    assert steer("--claim", "9").returncode == 3
    assert steer("--claim", "1", "--feature", mean).returncode == 2
    assert steer("--feature", mean, "--strength", "1e9").returncode == 2
    other = steer("--feature", mean, target=models.base)
    assert other.returncode == 8 and "the target of the run in run is another model" in other.stderr
    absent = program("steer", models.base, models.target, "--run", "nowhere", "--prompt", "x")
    assert absent.returncode == 3 and "nowhere/features/features.json is missing" in absent.stderr
    (tmp_path / "run/activations/steering.safetensors").write_bytes(b"damaged")
    assert steer("--feature", mean).returncode == 6
