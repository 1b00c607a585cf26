"""The built program, and tiny models that every test of the outer faces shares."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny products: threads would only wait for each other
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tiny_model
from built import BUILD, PROGRAM, PROMPTS


class TinyModels:
    """Paths of the tiny models and of a prompt file with two categories."""

    def __init__(self, folder: pathlib.Path):
        self.base = tiny_model.write_model(folder / "base")
        self.target = tiny_model.write_model(folder / "target", change=1.0)
        self.adapter = tiny_model.write_adapter(folder / "adapter")
        self.hub = folder / "hub"
        tiny_model.write_hub_cache(self.hub, "Qwen/Qwen2-1.5B", 0.0)
        tiny_model.write_hub_cache(self.hub, "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", 1.0)
        self.prompts = folder / "prompts.json"
        self.prompts.write_text(json.dumps(PROMPTS))


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> TinyModels:
    return TinyModels(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def environment(models, tmp_path_factory) -> dict[str, str]:
    """What subprocesses see: the packages of this build first, the tiny hub cache, a cache of no one else, no colours."""
    paths = [str(BUILD / "python"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "HF_HUB_CACHE": str(models.hub),
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
    }


@pytest.fixture(scope="session")
def capture_rows(models, environment, tmp_path_factory):
    """Runs `capture` of the tiny models at some layers, such as "2,4", and returns the folder of the run."""

    def run(layers: str) -> pathlib.Path:
        folder = tmp_path_factory.mktemp("captured")
        words = ["capture", models.base, models.target, "--prompts", models.prompts, "--layers", layers]
        words += ["--max-new-tokens", "12", "--budget", "quick", "--output-dir", "run", "-q"]
        subprocess.run([PROGRAM, *words], cwd=folder, env=environment, check=True, timeout=300)
        return folder / "run"

    return run


@pytest.fixture
def program(environment, tmp_path):
    """Runs the program in an empty folder: program("compare", ...) -> CompletedProcess."""

    def run(*words, **options):
        command = [PROGRAM, *map(str, words)]
        options = {"cwd": tmp_path, "env": environment, "timeout": 120, "capture_output": True, "text": True} | options
        return subprocess.run(command, **options)

    return run


@pytest.fixture
def compare(program, models):
    """A small comparison of the tiny models, with more and other options as given."""
    small = {"--prompts": models.prompts, "--max-new-tokens": 12, "--budget": "quick", "--output-dir": "run"}

    def run(*words, **options):
        defaults = [word for name, value in small.items() if name not in words for word in (name, value)]
        return program("compare", models.base, models.target, *defaults, *words, **options)

    return run
