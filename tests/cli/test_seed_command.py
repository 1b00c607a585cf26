"""The command of the mission's description, word for word but for the device, on a hub that serves Qwen2 models under its two names."""

import json
import pathlib
import subprocess
import sys

import numpy
import pytest
import tiny_model
from sockets import ENDED_BY_THE_FILTER, forbid_sockets

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "hub"))
from hub_server import COMMIT, Hub

BASE, TARGET = "Qwen/Qwen2-1.5B", "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"
NUM_SHARDS = 3


def qwen2_tensors(change: float) -> dict[str, numpy.ndarray]:
    """The tiny model of the tests with Qwen2's biases on q, k and v; `change` moves one block."""
    tensors, others = tiny_model.weights(0), tiny_model.weights(1)
    random = numpy.random.default_rng(5)
    for name, (rows, _) in tiny_model.linear_shapes().items():
        full = f"model.layers.3.{name}.weight"
        tensors[full] = tensors[full] + numpy.float32(change) * others[full]
        if name.split(".")[1] in ("q_proj", "k_proj", "v_proj"):
            for layer in range(tiny_model.LAYERS):
                bias = 0.1 * random.standard_normal(rows)
                tensors[f"model.layers.{layer}.{name}.bias"] = bias.astype(numpy.float32)
    return tensors


def sharded_files(change: float, folder: pathlib.Path) -> dict[str, bytes]:
    """A repository as the hub has it, its weights in shards."""
    tensors, files, weight_map = qwen2_tensors(change), {}, {}
    names = sorted(tensors)
    for i in range(NUM_SHARDS):
        shard = f"model-{i + 1:05}-of-{NUM_SHARDS:05}.safetensors"
        mine = names[i::NUM_SHARDS]
        tiny_model.write_safetensors(folder / "shard", {name: tensors[name] for name in mine})
        files[shard] = (folder / "shard").read_bytes()
        weight_map |= dict.fromkeys(mine, shard)
    config = tiny_model.config() | {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}
    documents = {
        "model.safetensors.index.json": {"metadata": {"total_size": 0}, "weight_map": weight_map},
        "config.json": config,
        "tokenizer.json": tiny_model.tokenizer_json(),
        "tokenizer_config.json": {"eos_token": tiny_model.SPECIAL[0]},
    }
    return files | {name: json.dumps(document).encode() for name, document in documents.items()}


@pytest.fixture
def hub(tmp_path):
    served = {}
    for name, change in ((BASE, 0.0), (TARGET, 1.0)):
        served |= {f"{name}/{file}": data for file, data in sharded_files(change, tmp_path).items()}
    hub = Hub(served)
    yield hub
    hub.stop()


@pytest.fixture
def seed_command(hub, models, environment, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in environment.items() if not name.startswith("HF_")}
    environment |= {"HOME": str(home), "HF_HOME": str(home / "huggingface"), "HF_ENDPOINT": hub.url}

    def run(output: str, *words: str, **options) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "ops.feature_interpreter.main"]
        command += ["--base-model", BASE, "--target-model", TARGET, "--output-dir", output]
        command += ["--device", "auto", "--quantization", "fp16"]
        small = ["--prompts", str(models.prompts), "--max-new-tokens", "8", "--budget", "quick"]
        options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 200} | options
        return subprocess.run([*command, *small, *words], check=False, **options)

    return run


def test_the_seeds_command_downloads_both_models_and_then_needs_no_socket(seed_command, hub, tmp_path):
    assert (
        seed_command("none", preexec_fn=forbid_sockets).returncode == ENDED_BY_THE_FILTER
    )  # which so is one that works

    result = seed_command("feature_interpretation")
    assert result.returncode == 0, result.stderr
    for name in (BASE, TARGET):
        snapshot = tmp_path / "home/huggingface/hub" / ("models--" + name.replace("/", "--")) / "snapshots" / COMMIT
        assert len(list(snapshot.glob("model-*.safetensors"))) == NUM_SHARDS
    run = tmp_path / "feature_interpretation"
    assert {path.name for path in run.iterdir()} == {"activations", "features", "visualizations", "reports"}
    report = json.loads((run / "reports/report.json").read_text())
    assert [report[side]["name"] for side in ("base", "target")] == [BASE, TARGET]
    assert [report[side]["revision"] for side in ("base", "target")] == [COMMIT, COMMIT]
    assert (run / "reports/report.md").stat().st_size > 0 and (run / "reports/report.html").stat().st_size > 0

    hub.requests.clear()
    offline = seed_command("again", "--offline", preexec_fn=forbid_sockets)
    assert offline.returncode == 0, offline.stderr
    assert hub.requests == []
    for name in (
        "activations/answers.jsonl",
        "activations/layers.json",
        "reports/claims.csv",
    ):  # what no option is named in
        assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes()


def test_an_adapter_of_the_hub_is_put_on_its_base(program, models, tmp_path):
    served = {f"{BASE}/{path.name}": path.read_bytes() for path in models.base.iterdir()}
    served |= {f"org/adapter/{path.name}": path.read_bytes() for path in models.adapter.iterdir()}
    hub = Hub(served)
    try:
        environment = {"HOME": str(tmp_path), "HF_HOME": str(tmp_path), "HF_ENDPOINT": hub.url, "OMP_NUM_THREADS": "1"}
        for words in (["--target", "org/adapter"], ["--adapter", "org/adapter"]):
            asked = ["generate", BASE, *words, "--prompt", "hi", "--max-new-tokens", "6"]
            result = program(*asked, env=environment)
            assert result.returncode == 0, result.stderr
            local = ["generate", models.base, "--adapter", models.adapter, "--prompt", "hi", "--max-new-tokens", "6"]
            assert result.stdout == program(*local).stdout
        asked = ["doctor", BASE, "org/adapter", "--json"]
        result = program(*asked, env=environment | {"HF_HUB_OFFLINE": "1"}, preexec_fn=forbid_sockets)
        assert json.loads(result.stdout)["relation"] == "adapter", result.stderr
    finally:
        hub.stop()
