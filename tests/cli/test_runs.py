"""Whole runs of the command line on tiny models: what is kept, what is refused, what is the same again."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import pytest
from built import PROGRAM, PROMPTS


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Every finished file of a run; what is in progress is nobody's result."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "in_progress" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_run_fills_the_four_folders(compare, tmp_path):
    result = compare("--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["verdict"] in ("different", "no difference found")
    run = tmp_path / "run"
    names = {"activations/manifest.json", "activations/answers.jsonl", "features/features.json", "reports/report.md"}
    assert (
        names | {"reports/report.html", "reports/report.json", "visualizations/layer_map.svg"} <= contents(run).keys()
    )
    assert not (run / "activations/in_progress").exists()
    assert json.loads((run / "reports/report.json").read_text())["verdict"] == summary["verdict"]


def test_a_model_against_itself_shows_no_difference(program, models, tmp_path):
    result = program(
        "compare", models.base, models.base, "--prompts", models.prompts, "--max-new-tokens", "8", "--json"
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["verdict"] == "no difference found"
    report = json.loads((tmp_path / "feature_interpretation/reports/report.json").read_text())
    assert report["claims"] == []
    assert [row["relative_difference"] for row in report["layers"]] == [0.0] * 6


def test_skipped_stages_reuse_what_the_folder_holds(compare, tmp_path):
    assert compare().returncode == 0
    before = contents(tmp_path / "run")
    shutil.rmtree(tmp_path / "run/reports")
    assert compare("--skip-activations", "--skip-naming", "--skip-visualization").returncode == 0
    assert contents(tmp_path / "run") == before
    assert compare("--skip-activations", "--skip-visualization", "--skip-report").returncode == 0
    assert contents(tmp_path / "run") == before


def test_the_report_command_writes_the_same_report(compare, program, tmp_path):
    assert compare().returncode == 0
    before = contents(tmp_path / "run")
    shutil.rmtree(tmp_path / "run/reports")
    shutil.rmtree(tmp_path / "run/visualizations")
    result = program("report", "run")
    assert result.returncode == 0, result.stderr
    assert contents(tmp_path / "run") == before


def test_capture_then_compare_is_one_run(compare, program, models, tmp_path):
    assert compare().returncode == 0
    whole = contents(tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    small = ["--prompts", models.prompts, "--max-new-tokens", "12", "--budget", "quick", "--output-dir", "run"]
    assert program("capture", models.base, models.target, *small).returncode == 0
    assert compare("--skip-activations").returncode == 0
    assert contents(tmp_path / "run") == whole


def test_a_run_that_fails_late_leaves_the_earlier_results(compare, tmp_path):
    assert compare().returncode == 0
    before = contents(tmp_path / "run")

    def full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    result = compare("--seed", "1", preexec_fn=full_disk)
    assert result.returncode == 10, result.stderr
    assert "[write] cannot" in result.stderr and "free disk space" in result.stderr
    assert contents(tmp_path / "run") == before
    assert compare("--skip-activations", "--skip-naming").returncode == 0
    assert contents(tmp_path / "run") == before


def test_a_run_that_fails_early_leaves_the_earlier_results(compare, tmp_path):
    assert compare().returncode == 0
    before = contents(tmp_path / "run")
    (tmp_path / "none.json").write_text('{"sums": []}')
    assert compare("--prompts", tmp_path / "none.json").returncode == 2
    assert compare("--target-adapter", tmp_path).returncode == 3
    assert compare("--device", "cuda:99").returncode in (3, 7)
    assert contents(tmp_path / "run") == before


@pytest.fixture
def many_prompts(tmp_path):
    path = tmp_path / "many.json"
    path.write_text(json.dumps({f"kind {i}": [f"{p} And {i}?" for p in PROMPTS["sums"]] for i in range(30)}))
    return ["--prompts", path, "--max-new-tokens", "48", "--budget", "quick"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_resumes_to_the_same_bytes(ending, compare, models, environment, many_prompts, tmp_path):
    assert compare(*many_prompts).returncode == 0
    whole = contents(tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    command = [PROGRAM, "compare", models.base, models.target, *many_prompts, "--output-dir", "run", "-q"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    answers = tmp_path / "run/activations/in_progress/answers.jsonl"
    while process.poll() is None and not (answers.exists() and answers.stat().st_size > 0):
        time.sleep(0.002)
    process.send_signal(ending)
    error = process.communicate(timeout=60)[1]
    if ending != signal.SIGKILL:
        assert process.returncode == 128 + ending, error
        assert "continue with --resume" in error
    assert not (tmp_path / "run/activations/manifest.json").exists()
    assert compare(*many_prompts, "--resume").returncode == 0
    assert contents(tmp_path / "run") == whole


def test_resume_refuses_answers_of_another_run(compare, program, models, tmp_path):
    assert compare().returncode == 0
    before = contents(tmp_path / "run")
    result = compare("--resume", "--seed", "7")
    assert result.returncode == 8
    assert "run without --resume" in result.stderr
    assert contents(tmp_path / "run") == before


def test_resume_completes_what_an_older_version_left(compare, tmp_path):
    assert compare().returncode == 0
    manifest = tmp_path / "run/activations/manifest.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(document | {"format": 1}))
    layers = tmp_path / "run/activations/layers.json"
    whole = layers.read_bytes()
    layers.write_text("{}")
    result = compare("--resume")
    assert result.returncode == 0, result.stderr
    assert "discovery answers: 0 answers" in result.stderr  # these are kept
    assert layers.read_bytes() == whole and json.loads(manifest.read_text()) == document


def test_resume_sees_that_the_prompt_file_changed(compare, models, tmp_path):
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps(PROMPTS))
    assert compare("--prompts", prompts).returncode == 0
    prompts.write_text(json.dumps({"sums": PROMPTS["sums"]}))
    assert compare("--prompts", prompts, "--resume").returncode == 8


def test_resume_sees_that_weights_changed_under_their_name(program, models, tmp_path):
    """One changed bit, in a file of the same size and time."""
    target = shutil.copytree(models.target, tmp_path / "target")
    small = ["--prompts", models.prompts, "--max-new-tokens", "12", "--budget", "quick", "--output-dir", "run"]
    assert program("compare", models.base, target, *small).returncode == 0
    before = contents(tmp_path / "run")
    assert "answers" not in program("compare", models.base, target, *small, "--resume").stderr  # reused as it is
    weights = target / "model.safetensors"
    times = weights.stat()
    data = bytearray(weights.read_bytes())
    data[-100] ^= 1
    weights.write_bytes(data)
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    result = program("compare", models.base, target, *small, "--resume")
    assert result.returncode == 8
    assert "differs in: weights of the target; run without --resume" in result.stderr
    assert contents(tmp_path / "run") == before


def test_resume_sees_that_a_tokenizer_changed(program, models, tmp_path):
    base = shutil.copytree(models.base, tmp_path / "base")
    small = ["--prompts", models.prompts, "--max-new-tokens", "12", "--budget", "quick", "--output-dir", "run"]
    assert program("compare", base, models.target, *small).returncode == 0
    (base / "generation_config.json").write_text('{"eos_token_id": 5}')
    result = program("compare", base, models.target, *small, "--resume")
    assert result.returncode == 8
    assert "differs in: config or tokenizer of the base" in result.stderr


def test_resume_takes_a_finished_run_whose_models_are_gone(program, models, tmp_path):
    target = shutil.copytree(models.target, tmp_path / "target")
    small = ["--prompts", models.prompts, "--max-new-tokens", "12", "--budget", "quick", "--output-dir", "run"]
    assert program("compare", models.base, target, *small).returncode == 0
    shutil.rmtree(target)
    result = program("compare", models.base, target, *small, "--resume")
    assert result.returncode == 0, result.stderr
    assert "the models are not at hand" in result.stderr


def test_an_absent_cuda_device_is_refused_before_anything_runs(compare, tmp_path):
    result = compare("--device", "cuda:99")
    has_cuda = os.path.exists("/dev/nvidia0")
    assert result.returncode == (3 if has_cuda else 7)
    assert "[device] --device cuda:99: " in result.stderr
    assert not (tmp_path / "run/activations/answers.jsonl").exists()


def test_the_crosscoder_file_is_shown_layer_by_layer(compare, tmp_path):
    data = pathlib.Path(__file__).parents[1] / "data/crosscoder_analysis.json"
    result = compare("--crosscoder-file", data)
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "run/reports/report.json").read_text())
    assert report["weights"][2] == {"layer": 2, "similarity": 0.8519337773323059, "difference": 2.0, "num_matrices": 1}
    for name in ("report.md", "report.html"):
        text = (tmp_path / "run/reports" / name).read_text()
        assert "It compares weights, not features" in text
        assert "0.852" in text


def test_generate_answers_side_by_side(program, models):
    words = ["generate", models.base, "--prompt", "2 + 2?", "--prompt", "Why?", "--max-new-tokens", "6", "--json"]
    alone = json.loads(program(*words).stdout)
    assert [answer["prompt"] for answer in alone["answers"]] == ["2 + 2?", "Why?"]
    assert "target" not in alone["models"]
    for other in (["--target", models.target], ["--adapter", models.adapter]):
        pair = json.loads(program(*words, *other).stdout)
        assert [answer["base"] for answer in pair["answers"]] == [answer["base"] for answer in alone["answers"]]
        assert pair["answers"] != alone["answers"] and "target" in pair["answers"][0]


def test_sampling_follows_its_seed(program, models):
    words = ["generate", models.base, "--prompt", "2 + 2?", "--temperature", "1", "--max-new-tokens", "24", "--seed"]
    first, again, other = (program(*words, seed).stdout for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(("held", "is_measured"), [("int8", True), ("stored", False), ("fp32", False)])
def test_the_cost_of_narrow_weights_is_measured(held, is_measured, compare, tmp_path):
    result = compare("--quantization", held)
    assert result.returncode == 0, result.stderr
    fidelity = json.loads((tmp_path / "run/activations/manifest.json").read_text())["fidelity"]
    report = (tmp_path / "run/reports/report.md").read_text()
    assert ("held in int8" in report) == is_measured
    if not is_measured:
        assert fidelity is None
        return
    for side in ("base", "target"):
        assert 0 < fidelity[side]["mean_kl"] <= fidelity[side]["largest_kl"] < 1
        assert fidelity[side]["num_tokens"] > 50


def test_weights_left_in_the_file_give_the_same_answers(program, models):
    words = ["generate", models.base, "--prompt", "2 + 2?", "--max-new-tokens", "12", "--json", "--quantization"]
    stored, exact = (json.loads(program(*words, held).stdout)["answers"] for held in ("stored", "fp32"))
    assert stored == exact
    assert json.loads(program(*words, "auto", "--offload").stdout)["answers"] == exact


def test_an_offloaded_run_finds_what_another_finds(compare, tmp_path):
    found = []
    for words in (["--quantization", "fp32"], ["--offload"]):
        assert compare(*words, "--output-dir", words[-1]).returncode == 0
        layers = json.loads((tmp_path / words[-1] / "activations/layers.json").read_text())
        found.append([row["relative_difference"] for row in layers["layers"]])
    assert found[1] == pytest.approx(found[0], rel=1e-3)


def test_offload_says_what_it_costs_and_what_it_does_not_go_with(compare):
    plan = compare("--offload", "--dry-run")
    assert "weights held in stored (base) and stored (target)" in plan.stdout
    assert "from disk each time" in plan.stdout
    result = compare("--offload", "--quantization", "int8")
    assert result.returncode == 2 and "--offload" in result.stderr and "int8" in result.stderr
