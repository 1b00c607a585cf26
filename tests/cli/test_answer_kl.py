"""Token KL of the answers that a report shows, from a run of tiny models to report.json and the page."""

import json


def answers_of(folder):
    return json.loads((folder / "reports/report.json").read_text())["answers"]


def test_every_shown_answer_has_the_kl_of_its_tokens(compare, tmp_path):
    assert compare().returncode == 0
    answers = answers_of(tmp_path / "run")
    assert answers
    largest = 0.0
    for answer in answers:
        for side in ("base", "target"):
            if not answer[f"{side}_output"]:
                continue
            kl = answer[f"{side}_kl"]
            assert "".join(kl["tokens"]) == answer[f"{side}_output"]
            assert len(kl["nats"]) == len(kl["tokens"])
            assert min(kl["nats"]) >= 0
            largest = max(largest, *kl["nats"])
    assert largest > 0.01
    page = (tmp_path / "run/reports/report.html").read_text()
    assert 'id="answer-legend"' in page


def test_a_run_of_an_earlier_version_is_reported_without_it(compare, tmp_path):
    assert compare().returncode == 0
    run = tmp_path / "run"
    (run / "activations/answer_kl.json").unlink()
    assert compare("--skip-activations", "--skip-visualization").returncode == 0
    assert all(answer["base_kl"] is None for answer in answers_of(run))
    assert 'id="answer-legend"' not in (run / "reports/report.html").read_text()


def test_a_damaged_file_is_named(compare, tmp_path):
    assert compare().returncode == 0
    (tmp_path / "run/activations/answer_kl.json").write_text('[{"prompt": 1}]')
    result = compare("--skip-activations", "--skip-visualization")
    assert result.returncode != 0
    assert "answer_kl.json is damaged" in result.stderr


def test_a_model_against_itself_has_none(program, models, tmp_path):
    result = program("compare", models.base, models.base, "--prompts", models.prompts, "--max-new-tokens", "8")
    assert result.returncode == 0, result.stderr
    assert all(answer["target_kl"] is None for answer in answers_of(tmp_path / "feature_interpretation"))
