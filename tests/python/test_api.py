"""The Python package: every call of the documentation, errors as exceptions, results that go from stage to stage."""

import inspect
import json
import pathlib
import subprocess
import sys
import threading

import pytest
from built import BUILD, PROMPTS, ROOT

sys.path.insert(0, str(BUILD / "python"))
import feature_interpreter as fi

SMALL = {"max_new_tokens": 12, "budget": "quick", "quiet": True}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def run(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    result = fi.run_feature_interpretation_pipeline(
        models.base, models.target, folder / "out", prompt_categories=PROMPTS, **SMALL
    )
    return folder / "out", result


def test_the_pipeline_returns_what_it_found(run):
    folder, result = run
    report = json.loads(result.report_json.read_text())
    assert result.report_json == folder / "reports/report.json"
    assert result["verdict"] == result.verdict == report["verdict"]
    assert result.report_html.is_file() and result.report_markdown.is_file()
    assert {category["id"] for category in report["categories"]} == set(PROMPTS)
    assert repr(result).startswith("<PipelineResult: ")
    assert result.report.verdict == result.verdict and len(result.report.claims) == result.num_claims
    assert result._repr_html_() == result.report._repr_html_()


def test_the_stages_make_the_same_report(run, models, tmp_path):
    folder, _ = run
    activations = fi.extract_activations_for_comparison(
        base_model=models.base,
        target_model=models.target,
        prompts=PROMPTS,
        output_dir=tmp_path / "activations",
        **SMALL,
    )
    assert activations.folder == tmp_path / "activations"
    features = fi.name_features(activations, crosscoder_data=None, output_dir=tmp_path / "features", quiet=True)
    figures = fi.create_visualizations(features, output_dir=tmp_path / "visualizations", quiet=True).figures
    files = fi.generate_report(features, output_dir=tmp_path / "reports", report_format="markdown", quiet=True)
    assert figures and all(path.is_file() for path in figures)
    assert files.html is None and files.markdown.is_file()
    whole = json.loads((folder / "reports/report.json").read_text())
    staged = json.loads(files.json.read_text())
    for document in (whole, staged):  # the prompts are kept beside each run's results
        document["settings"].pop("prompts")
        document["settings"].pop("output_dir")
    assert staged == whole
    answers = (tmp_path / "activations/answers.jsonl").read_bytes()
    assert answers == (folder / "activations/answers.jsonl").read_bytes()


def test_prompts_may_be_a_file(models, tmp_path):
    data = fi.extract_activations_for_comparison(
        models.base, models.base, prompts=models.prompts, output_dir=tmp_path, **SMALL
    )
    assert {category["id"] for category in data["categories"]} == set(PROMPTS)


def test_crosscoder_data_is_a_file_or_its_content(run, tmp_path):
    folder, _ = run
    features = json.loads((folder / "features/features.json").read_text())
    path = ROOT / "tests/data/crosscoder_analysis.json"
    texts = []
    for data in (path, str(path), json.loads(path.read_text())):
        files = fi.generate_report(features, data, output_dir=tmp_path, report_format="both", quiet=True)
        texts.append(files.markdown.read_text())
    assert len(set(texts)) == 1 and "Weights, from the crosscoder analysis file" in texts[0]
    with pytest.raises(fi.Error, match="crosscoder") as caught:
        fi.generate_report(features, {"model.layers.0.x": 1}, output_dir=tmp_path)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    ("options", "exit_code", "code", "text"),
    [
        ({"feature_treshold": 0.3}, 2, "usage", "did you mean 'feature_threshold'"),
        ({"base_model": "no/such"}, 3, "not_found", "'no/such' at revision 'main' is not complete"),
        ({"report_format": "pdf"}, 2, "usage", "expected one of markdown, html, both"),
        ({"prompt_categories": {"sums": []}}, 2, "usage", "category 'sums' in prompt_categories has no prompts"),
        ({"device": "cuda:99"}, None, None, "cuda:99"),
        ({"seed": "one"}, 2, "usage", 'seed got "one", expected a whole number'),
        ({"skip_activations": True}, 3, "not_found", "skip-activations"),
    ],
)
def test_errors_are_exceptions_with_the_exit_code(options, exit_code, code, text, models, tmp_path):
    given = {
        "base_model": models.base,
        "target_model": models.target,
        "output_dir": tmp_path / "out",
        **SMALL,
    } | options
    with pytest.raises(fi.Error) as caught:
        fi.run_feature_interpretation_pipeline(**given)
    assert text in str(caught.value)
    if exit_code is not None:
        assert (caught.value.exit_code, caught.value.code) == (exit_code, code)


def test_ctrl_c_stops_at_a_safe_point_and_the_run_can_go_on(models, environment, tmp_path):
    script = f"""
import feature_interpreter as fi, os, signal, sys, threading, time
def press():
    path = "out/activations/in_progress/answers.jsonl"
    while not (os.path.exists(path) and os.path.getsize(path)): time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=press, daemon=True).start()
prompts = {{f"kind {{i}}": [f"{{p}} And {{i}}?" for p in {PROMPTS["sums"]!r}] for i in range(30)}}
options = dict(output_dir="out", prompt_categories=prompts, max_new_tokens=48, budget="quick", quiet=True)
pair = ({str(models.base)!r}, {str(models.target)!r})
try:
    fi.run_feature_interpretation_pipeline(*pair, **options)
except KeyboardInterrupt as stop:
    print("stopped:", stop)
print(fi.run_feature_interpretation_pipeline(*pair, **options, resume=True).verdict)
"""
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert "stopped: [run] interrupted" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 0, result.stderr


def test_other_threads_run_meanwhile(models, tmp_path):
    ticks = []
    done = threading.Event()

    def work():
        fi.generate(str(models.base), ["2 + 2?"] * 64, max_new_tokens=200, quiet=True)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.wait(0.001):
        ticks.append(1)
    thread.join()
    assert len(ticks) > 3


def test_generate_and_doctor(models):
    answers = fi.generate(models.base, "2 + 2?", models.target, max_new_tokens=6, quiet=True)
    assert set(answers["answers"][0]) == {"prompt", "base", "target"}
    assert fi.doctor(models.base, models.base, quiet=True)["relation"] == "identical"


def test_the_plan_says_how_it_was_estimated(models):
    plan = fi.plan(models.base, models.target, prompts=models.prompts)
    assert plan["num_categories"] == 2
    estimate = plan["estimate"]
    assert min(estimate["seconds"], estimate["memory_bytes"], estimate["disk_bytes"]) > 0
    assert "measured just now" in estimate["how"]


def test_options_are_those_of_the_command_line(program):
    text = program("compare", "--help").stdout
    for name, option in fi.OPTIONS.items():
        assert f"--{name.replace('_', '-')}" in text
        assert option["help"]


def test_the_old_name_exports_the_same_functions(environment):
    import ops.feature_interpreter as old

    for name in ("run_feature_interpretation_pipeline", "extract_activations_for_comparison", "name_features"):
        assert getattr(old, name) is getattr(fi, name)
        assert inspect.getdoc(getattr(old, name))


def test_python_loads_the_wheels_library_without_importing_torch():
    script = "import feature_interpreter, sys; assert 'torch' not in sys.modules; print(open('/proc/self/maps').read())"
    environment = {"PYTHONPATH": str(BUILD / "python"), "PATH": "/usr/bin"}
    maps = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout
    libraries = {line.split()[-1] for line in maps.splitlines() if "libtorch_cpu.so" in line}
    wheel = pathlib.Path(sys.prefix).resolve() / "lib"
    assert [pathlib.Path(path).is_relative_to(wheel) for path in libraries] == [True]


def test_make_build_leaves_the_packages_importable():
    result = subprocess.run(
        [sys.executable, "-c", "import feature_interpreter, ops.feature_interpreter.main as m; print(m.__file__)"],
        cwd="/",
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
