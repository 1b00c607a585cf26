"""Rows 1-33 of the fault matrix through the command line, one place for all: `pytest -k row_07` runs row 7.

Every row is a fault in what a user hands over, with the exit code and the parts of the message that name file, place and rule. Where a
row has many variants, the exhaustive list stands beside the reader in C++; `LIBRARY` names those tests and runs them here as well."""

import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

import pytest
import tiny_model
from built import BUILD

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "hub"))
import hub_server
from hub_server import COMMIT, Hub, cut, head, status, whole

INVALID, UNSUPPORTED, INCOMPATIBLE = 6, 7, 8
UP_PROJ = "model.layers.1.mlp.up_proj.weight"
WEIGHTS = "model.safetensors"


# Safetensors files: a header and its data, fitting together or not.


def pack(header: str | bytes | dict, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape: list, begin: int, end: int, dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def parts_of(path: pathlib.Path) -> tuple[dict, bytes]:
    """Header and data of a good file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


# Every damage takes the folder of a good tiny model and spoils it.


def weights_are(content: bytes):
    return lambda model: (model / WEIGHTS).write_bytes(content)


def edit_weights(change):
    """`change(header, data)` edits the header, and returns the data if that changes as well."""

    def damage(model):
        header, data = parts_of(model / WEIGHTS)
        data = change(header, data) or data
        (model / WEIGHTS).write_bytes(pack(header, data))

    return damage


def edit_json(file: str, **changes):
    """Sets keys of a JSON file; None removes them."""

    def damage(model):
        document = json.loads((model / file).read_text()) | changes
        (model / file).write_text(json.dumps({k: v for k, v in document.items() if v is not None}))

    return damage


def edit_arrays(change):
    """`change(tensors)` edits the model's tensors by name."""

    def damage(model):
        tensors = tiny_model.weights(0)
        change(tensors)
        tiny_model.write_safetensors(model / WEIGHTS, tensors)

    return damage


def truncate_in(tensor: str):
    def damage(model):
        header, data = parts_of(model / WEIGHTS)
        kept = header[tensor]["data_offsets"][1] - 1
        (model / WEIGHTS).write_bytes(pack(header, data[:kept]))

    return damage


def shards(weight_map: dict):
    def damage(model):
        (model / WEIGHTS).rename(model / "one.safetensors")
        (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return damage


def not_finite(tensors):
    tensors[UP_PROJ][0, :2] = float("nan"), float("inf")


def twice(model):
    text = ",".join(f'"{name}":' + json.dumps(entry([1], 0, 4), separators=(",", ":")) for name in ("a", "a"))
    (model / WEIGHTS).write_bytes(pack("{" + text + "}", bytes(4)))


def gguf(values: list[bytes] = (), num_values: int | None = None, magic: bytes = b"GGUF", version: int = 3) -> bytes:
    count = len(values) if num_values is None else num_values
    return magic + struct.pack("<IQQ", version, 0, count % 2**64) + b"".join(values)


def gguf_text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def gguf_value(key: str, kind: int, content: bytes) -> bytes:
    return gguf_text(key) + struct.pack("<I", kind) + content


def only_gguf(content: bytes):
    def damage(model):
        for path in model.iterdir():
            path.unlink()
        (model / "model.gguf").write_bytes(content)

    return damage


def template(source: str):
    return edit_json("tokenizer_config.json", chat_template=source)


def tokenizer(**changes):
    return edit_json("tokenizer.json", **changes)


def row(number: int, name: str, damage, code: int, *parts: str, options: tuple = ()):
    return pytest.param(damage, code, parts, options, id=f"row_{number:02}_{name}")


ROWS = [
    row(1, "empty", weights_are(b""), INVALID, WEIGHTS, "header too small", "0 bytes"),
    row(1, "seven_bytes", weights_are(b"1234567"), INVALID, WEIGHTS, "header too small", "7 bytes"),
    row(
        2, "longer_than_file", weights_are(struct.pack("<Q", 64) + b"{}"), INVALID, WEIGHTS, "offset 0 is 64", "only 2"
    ),
    row(2, "over_100_mb", weights_are(struct.pack("<Q", 10**9) + b"{}"), INVALID, WEIGHTS, "1000000000", "100000000"),
    row(
        3,
        "lfs_pointer",
        weights_are(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4294967296\n"),
        INVALID,
        WEIGHTS,
        "git-lfs pointer",
        "4294967296 bytes",
        "git lfs pull",
    ),
    row(4, "truncated", truncate_in(UP_PROJ), INVALID, WEIGHTS, f"'{UP_PROJ}'", "truncated"),
    row(5, "trailing", weights_are(pack({"a": entry([1], 0, 4)}, bytes(5))), INVALID, WEIGHTS, "1 bytes follow", "4"),
    row(
        5, "hole", weights_are(pack({"a": entry([1], 4, 8)}, bytes(8))), INVALID, WEIGHTS, "'a'", "offset 4, expected 0"
    ),
    row(
        5,
        "overlap",
        weights_are(pack({"a": entry([2], 0, 8), "b": entry([1], 4, 8)}, bytes(8))),
        INVALID,
        WEIGHTS,
        "'b' begins at data offset 4, expected 8",
    ),
    row(6, "overflow", weights_are(pack({"a": entry([2**32, 2**32], 0, 4)}, bytes(4))), INVALID, WEIGHTS, "overflows"),
    row(6, "negative", weights_are(pack({"a": entry([-1], 0, 4)}, bytes(4))), INVALID, WEIGHTS, "'a' has the size -1"),
    row(
        6, "fraction", weights_are(pack({"a": entry([1.5], 0, 4)}, bytes(4))), INVALID, WEIGHTS, "'a' has the size 1.5"
    ),
    row(6, "rank", weights_are(pack({"a": entry([1] * 10**5, 0, 4)}, bytes(4))), INVALID, WEIGHTS, "at most 8 sizes"),
    row(7, "duplicate_key", twice, INVALID, WEIGHTS, "key 'a' twice", "column 2", "column 55"),
    row(8, "utf8", weights_are(pack(b'{"\xff\xfe":1}')), INVALID, WEIGHTS, "line 1, column 3"),
    row(8, "nesting", weights_are(pack('{"a":' + "[" * 100_000)), INVALID, WEIGHTS, "nested deeper than 4"),
    row(
        10,
        "nan_strict",
        edit_arrays(not_finite),
        INVALID,
        "2 weights that are NaN or infinite",
        f"'{UP_PROJ}'",
        options=("--strict",),
    ),
    row(
        11,
        "missing_shard",
        shards({"a": "one.safetensors", "b": "2.safetensors"}),
        INVALID,
        "index.json",
        "2.safetensors",
    ),
    row(12, "shard_above", shards({"a": "../../x"}), INVALID, "index.json", "'../../x'", "plain file name"),
    row(12, "shard_absolute", shards({"a": "/etc/passwd"}), INVALID, "index.json", "'/etc/passwd'", "plain file name"),
    row(
        13,
        "unused_tensor",
        edit_arrays(lambda tensors: tensors.update({"model.layers.0.mlp.router.weight": tensors[UP_PROJ]})),
        INVALID,
        "1 tensors",
        "'model.layers.0.mlp.router.weight'",
        "--allow-unused",
    ),
    row(
        14,
        "absent_head",
        edit_arrays(lambda tensors: tensors.pop("lm_head.weight")),
        INVALID,
        "lm_head.weight is missing",
        "tie_word_embeddings",
    ),
    row(
        15,
        "other_shape",
        edit_json("config.json", intermediate_size=49),
        INCOMPATIBLE,
        "'model.layers.0.mlp.gate_proj.weight'",
        "[48, 32]",
        "[49, 32]",
    ),
    row(
        16, "architecture", edit_json("config.json", model_type="mamba"), UNSUPPORTED, "config.json", "'mamba'", "qwen2"
    ),
    row(
        16,
        "rope",
        edit_json("config.json", rope_scaling={"rope_type": "oracle", "factor": 2.0}),
        UNSUPPORTED,
        "config.json",
        "'oracle'",
        "yarn",
    ),
    row(16, "dtype", weights_are(pack({"a": entry([1], 0, 1, "F8_E4M3")}, bytes(1))), UNSUPPORTED, WEIGHTS, "F8_E4M3"),
    row(17, "gguf_magic", only_gguf(gguf(magic=b"GGFU")), INVALID, "model.gguf", "does not begin with 'GGUF'"),
    row(17, "gguf_version", only_gguf(gguf(version=9)), UNSUPPORTED, "model.gguf", "version 9"),
    row(17, "gguf_n_kv", only_gguf(gguf(num_values=-1)), INVALID, "model.gguf", "18446744073709551615 metadata values"),
    row(
        17, "gguf_key_length", only_gguf(gguf([b"\xff" * 8 + bytes(32)])), INVALID, "model.gguf", "byte 32", "string of"
    ),
    row(17, "gguf_type", only_gguf(gguf([gguf_value("b", 13, b"\0")])), INVALID, "model.gguf", "unknown type 13"),
    row(
        17,
        "gguf_align",
        only_gguf(gguf([gguf_value("general.alignment", 4, struct.pack("<I", 2**31))])),
        INVALID,
        "model.gguf",
        "alignment",
    ),
    row(
        21,
        "merge_outside_vocabulary",
        tokenizer(model={"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": [["a", "b"]]}),
        INVALID,
        "tokenizer.json",
    ),
    row(
        21,
        "template_without_token",
        tokenizer(
            post_processor={
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {},
            }
        ),
        INVALID,
        "tokenizer.json",
    ),
    row(21, "fixed_length_0", tokenizer(pre_tokenizer={"type": "FixedLength", "length": 0}), INVALID, "tokenizer.json"),
    row(21, "no_json", lambda model: (model / "tokenizer.json").write_text("{"), INVALID, "tokenizer.json"),
    row(23, "python", template("{{ ''.__class__.__mro__[1].__subclasses__() }}"), INVALID, "template line 1"),
    row(23, "nested_ifs", template("{%if 1%}" * 50_000 + "{%endif%}" * 50_000), INVALID, "template line 1"),
    row(
        23,
        "endless",
        template("{% for a in range(9999) %}{% for b in range(9999) %}\n{{ a }}{% endfor %}{% endfor %}"),
        INVALID,
        "template line",
        "fuel",
    ),
    row(23, "range", template("\n\n{% for i in range(1000000000) %}x{% endfor %}"), INVALID, "template line 3"),
    row(23, "recursive", template("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), INVALID, "template line 1"),
    row(23, "refuses", template("{{ raise_exception('roles must alternate') }}"), INVALID, "roles must alternate"),
]


@pytest.fixture
def model(models, tmp_path) -> pathlib.Path:
    """A copy of the tiny model that a test may spoil."""
    return pathlib.Path(shutil.copytree(models.base, tmp_path / "model"))


@pytest.fixture
def answer(program):
    """Loads a model whole and answers with it."""
    return lambda model, *options, **others: program(
        "generate", model, "--prompt", "hi", "--max-new-tokens", "2", *options, **others
    )


def check_refusal(result, code: int, parts: tuple[str, ...]) -> None:
    assert result.returncode == code, result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.stderr
    for part in parts:
        assert part in errors[0]


@pytest.mark.parametrize(("damage", "code", "parts", "options"), ROWS)
def test_refuses(damage, code, parts, options, model, answer):
    damage(model)
    check_refusal(answer(model, *options), code, parts)


def test_row_08_a_million_entries_are_refused_soon_and_in_little_memory(model, program, environment):
    def peak_and_seconds() -> tuple[int, float]:
        command = [BUILD / "feature-interpreter", "generate", model, "--prompt", "hi"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, wait_status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(wait_status)
        assert process.returncode == INVALID
        return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime

    weights_are(b"")(model)
    idle_bytes, idle_seconds = peak_and_seconds()
    with (model / WEIGHTS).open("wb") as file:  # piece by piece: what this process holds would count as the child's
        one = json.dumps(entry([0], 0, 0))
        file.write(struct.pack("<Q", 2 + sum(len(f'"{i}":{one},') for i in range(10**6)) - 1) + b"{")
        file.writelines(f'{"," if i else ""}"{i}":{one}'.encode() for i in range(10**6))
        file.write(b"}")
    peak_bytes, seconds = peak_and_seconds()
    assert peak_bytes - idle_bytes < 200e6
    assert seconds - idle_seconds < 1.0


def test_row_10_nan_is_counted_and_told(model, answer):
    edit_arrays(not_finite)(model)
    result = answer(model)
    assert "2 weights that are NaN or infinite" in result.stderr
    assert UP_PROJ in result.stderr


def test_row_13_unused_tensors_may_be_allowed(model, answer):
    edit_arrays(lambda tensors: tensors.update({"model.extra.weight": tensors[UP_PROJ]}))(model)
    result = answer(model, "--allow-unused")
    assert result.returncode == 0, result.stderr
    assert "1 tensors" in result.stderr and "'model.extra.weight'" in result.stderr


def test_row_14_a_tied_head_may_be_absent(model, answer):
    edit_arrays(lambda tensors: tensors.pop("lm_head.weight"))(model)
    edit_json("config.json", tie_word_embeddings=True)(model)
    assert answer(model).returncode == 0


# What no model file of a command shows: pickles, vocabularies of GGUF files, dictionaries.
LIBRARY = [
    (18, "tokenizer/test_tokenizer", "HostileGgufVocabulary.*"),
    (19, "io/test_io", "Pickle.*"),
    (20, "io/test_io", "Damaged.*:PtTensor.*"),
    (26, "dictionary/test_dictionary", "CanonicalFile.*"),
]


@pytest.mark.parametrize(
    ("binary", "tests"), [pytest.param(b, t, id=f"row_{number:02}_library") for number, b, t in LIBRARY]
)
def test_library(binary, tests, environment):
    result = subprocess.run(
        [BUILD / "tests" / binary, f"--gtest_filter={tests}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0 and "[  PASSED  ] 0 tests" not in result.stdout, result.stdout[-2000:]


def test_row_22_files_named_in_the_config_are_not_opened(model, answer, tmp_path):
    pipe = tmp_path / "secret"
    os.mkfifo(pipe)  # whoever opens it waits for ever
    edit_json("tokenizer_config.json", vocab_file=str(pipe), merges_file="../secret", tokenizer_file=str(pipe))(model)
    assert answer(model, timeout=60).returncode == 0


def test_row_24_a_pair_that_differs_is_aligned_and_says_its_first_tokens(program, models, tmp_path):
    other = tiny_model.write_model_of_other_ids(tmp_path / "other")
    small = ["--prompts", models.prompts, "--max-new-tokens", "4", "--budget", "quick", "--output-dir", "run"]
    result = program("compare", models.base, other, *small)
    assert result.returncode == 0, result.stderr
    manifest = json.loads((tmp_path / "run/activations/manifest.json").read_text())
    assert manifest["tokenizers"]["base"]["first_ids"] != manifest["tokenizers"]["target"]["first_ids"]


def adapter_case(number: int, name: str, settings: dict, drop: str, code: int, *parts: str):
    return pytest.param(settings, drop, code, parts, id=f"row_{number:02}_{name}")


@pytest.mark.parametrize(
    ("settings", "drop", "code", "parts"),
    [
        adapter_case(
            25, "missing_lora_b", {}, "layers.1.mlp.down_proj.lora_B", INVALID, "adapter_model", "lora_B", "missing"
        ),
        adapter_case(
            25,
            "unused_key",
            {"target_modules": "model\\.layers\\.0\\.mlp\\.down_proj"},
            "",
            INVALID,
            "fit nothing",
            "layers.1",
        ),
        adapter_case(25, "other_rank", {"r": 3}, "", INCOMPATIBLE, "lora_A.weight", "[2, 48]", "[3, 48]"),
        adapter_case(25, "zero_alpha", {"lora_alpha": 0}, "", INVALID, "adapter_config.json", "an alpha is 0"),
    ],
)
def test_adapter(settings, drop, code, parts, models, answer, tmp_path):
    folder = pathlib.Path(shutil.copytree(models.adapter, tmp_path / "adapter"))
    edit_json("adapter_config.json", **settings)(folder)
    header, data = parts_of(folder / "adapter_model.safetensors")
    if drop:
        dropped = next(name for name in header if drop in name)
        begin, end = header.pop(dropped)["data_offsets"]
        data = data[:begin] + data[end:]
        for value in header.values():
            value["data_offsets"] = [at - (end - begin) * (at > begin) for at in value["data_offsets"]]
        (folder / "adapter_model.safetensors").write_bytes(pack(header, data))
    check_refusal(answer(models.base, "--adapter", folder), code, parts)


# Rows 9 and 27-33: the model comes from a hub. tests/hub/test_download.py has every fault of every row.


class World:
    """A hub on loopback that serves the tiny model as org/model, and an empty cache."""

    def __init__(self, source: pathlib.Path, home: pathlib.Path, answer):
        self.hub = Hub({path.name: path.read_bytes() for path in source.iterdir()})
        self.home = home
        self.model = home / "hub" / "models--org--model"
        self.answer = answer
        self.environment = {
            "HOME": str(home),
            "HF_HOME": str(home),
            "HF_ENDPOINT": self.hub.url,
            "OMP_NUM_THREADS": "1",
        }

    def run(self, **environment):
        return self.answer("org/model", env=self.environment | environment)

    def blobs(self) -> set[str]:
        folder = self.model / "blobs"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@pytest.fixture
def world(models, answer, tmp_path):
    world = World(models.base, tmp_path / "home", answer)
    world.home.mkdir()
    yield world
    world.hub.stop()


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_row_09_a_flipped_bit_is_put_aside_and_fetched_once_more(world):
    data = world.hub.files[WEIGHTS]
    world.hub.faults = {f"GET {WEIGHTS}": [whole(flip_last(data)), hub_server.serve]}
    result = world.run()
    assert result.returncode == 0, result.stderr
    assert "damaged: SHA-256" in result.stderr
    assert f"{hashlib.sha256(data).hexdigest()}.corrupt" in world.blobs()


def test_row_09_two_flipped_bits_are_an_error(world):
    world.hub.faults = {f"GET {WEIGHTS}": [whole(flip_last(world.hub.files[WEIGHTS]))]}
    check_refusal(world.run(), INVALID, (WEIGHTS, "damaged: SHA-256", ".corrupt"))


@pytest.mark.parametrize(
    ("fault", "code", "parts"),
    [
        pytest.param(status(401), 4, ("401", "'org/model'", "HF_TOKEN"), id="row_27_401"),
        pytest.param(status(403, X_Error_Code="GatedRepo"), 4, ("403", "accept its terms"), id="row_27_403"),
        pytest.param(status(404, X_Error_Code="RepoNotFound"), 3, ("no model 'org/model'",), id="row_27_404"),
        pytest.param(status(429, Retry_After="0"), 5, ("status 429", "config.json"), id="row_27_429"),
        pytest.param(whole(b"<html>", Content_Type="text/html"), 5, ("login page", "config.json"), id="row_27_portal"),
        pytest.param(head(ETag='"../../x"'), INVALID, ("config.json", "../../x"), id="row_30_etag"),
    ],
)
def test_hub_refuses(fault, code, parts, world):
    world.hub.faults = {"HEAD config.json": [fault]}
    check_refusal(world.run(HF_TOKEN="hf_secretsecretsecret"), code, parts)
    assert world.blobs() == set()


def test_row_28_a_cut_is_continued(world):
    world.hub.faults = {f"GET {WEIGHTS}": [cut(0.5), hub_server.serve]}
    assert world.run().returncode == 0
    assert world.hub.asked("GET", WEIGHTS)[1]["Range"].startswith("bytes=")


def test_row_29_another_size_is_an_error_after_one_more_try(world):
    world.hub.faults = {f"GET {WEIGHTS}": [whole(world.hub.files[WEIGHTS][:-5])]}
    check_refusal(world.run(), 5, (WEIGHTS, "otherwise than announced"))


def test_row_30_a_shard_is_no_path(world):
    del world.hub.files[WEIGHTS]
    world.hub.files["model.safetensors.index.json"] = json.dumps({"weight_map": {"w": "../../.bashrc"}}).encode()
    check_refusal(world.run(), INVALID, ("model.safetensors.index.json", "'../../.bashrc'", "plain file name"))
    assert not list(world.home.rglob(".bashrc"))


def test_row_31_offline_takes_what_is_there_and_lists_what_is_not(world):
    check_refusal(world.run(HF_HUB_OFFLINE="1"), 3, ("'org/model'", "every file is missing"))
    assert world.run().returncode == 0
    world.hub.requests.clear()
    assert world.run(HF_HUB_OFFLINE="1").returncode == 0
    (world.model / "snapshots" / COMMIT / WEIGHTS).unlink()
    check_refusal(world.run(HF_HUB_OFFLINE="1"), 3, (f"{WEIGHTS} missing", str(world.model)))
    assert world.hub.requests == []


def test_row_32_two_processes_download_the_same_model(world):
    command = [BUILD / "feature-interpreter", "generate", "org/model", "--prompt", "hi", "--max-new-tokens", "2"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    running = [subprocess.Popen(command, env=world.environment, **quiet) for _ in range(2)]
    for process in running:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
    digest = hashlib.sha256(world.hub.files[WEIGHTS]).hexdigest()
    assert hashlib.sha256((world.model / "blobs" / digest).read_bytes()).hexdigest() == digest


def test_row_33_a_lock_that_somebody_left_and_a_cache_that_cannot_be_written(world):
    locks = world.home / "hub" / ".locks" / "models--org--model"
    locks.mkdir(parents=True)
    (locks / (world.hub.etag(WEIGHTS) + ".lock")).write_text("")
    assert world.run().returncode == 0
    check_refusal(world.run(HF_HUB_CACHE="/proc/none"), 10, ("/proc/none",))
