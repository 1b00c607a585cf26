"""Downloads against a scripted hub on loopback: rows 9 and 27-33 of the fault matrix."""

import gzip
import hashlib
import json
import os
import pathlib
import stat
import struct
import subprocess

import hub_server
import pytest
from hub_server import COMMIT, Hub, cut, head, stall, status, whole

PROGRAM = os.environ["FI_FETCH_MODEL"]
NAME = "org/model"
TOKEN = "hf_abcdefghijklmnopqrstuvwxyz"


def safetensors(seed: int) -> bytes:
    data = bytes((seed * 37 + i * 11) % 256 for i in range(4000))
    header = json.dumps({f"w{seed}": {"dtype": "U8", "shape": [4000], "data_offsets": [0, 4000]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


def single() -> dict[str, bytes]:
    return {
        "config.json": b'{"model_type": "qwen2"}',
        "tokenizer.json": b'{"version": "1.0"}',
        "tokenizer_config.json": b"{}",
        "generation_config.json": b"{}",
        "model.safetensors": safetensors(0),
        "pytorch_model.bin": b"a pickle",
        "README.md": b"# model",
    }


def sharded() -> dict[str, bytes]:
    files = {name: data for name, data in single().items() if name != "model.safetensors"}
    shards = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    files |= {shard: safetensors(i) for i, shard in enumerate(shards)}
    files["model.safetensors.index.json"] = json.dumps(
        {"weight_map": {f"w{i}": s for i, s in enumerate(shards)}}
    ).encode()
    return files


class World:
    def __init__(self, home: pathlib.Path):
        self.home = home
        self.hubs: list[Hub] = []
        self.hub = self.start(single())
        self.environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "HF_HOME": str(home / "hf"),
            "HF_ENDPOINT": self.hub.url,
        }
        self.environment |= {k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LD_"))}

    def start(self, files: dict[str, bytes]) -> Hub:
        self.hubs.append(Hub(files))
        return self.hubs[-1]

    @property
    def model(self) -> pathlib.Path:
        return self.home / "hf" / "hub" / "models--org--model"

    def fetch(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PROGRAM, *(arguments or (NAME,))],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def blobs(self) -> set[str]:
        folder = self.model / "blobs"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()

    def expect(self, code: int, *parts: str, **environment: str) -> str:
        result = self.fetch(**environment)
        assert result.returncode == code, result.stderr
        for part in parts:
            assert part in result.stderr
        assert TOKEN not in result.stderr + result.stdout
        assert not [blob for blob in self.blobs() if blob.endswith(".incomplete")]
        return result.stderr


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    for hub in world.hubs:
        hub.stop()


def layout(folder: pathlib.Path) -> dict[str, str]:
    """Every file of a cached model with its contents or the target of its link."""
    entries = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            entries[name] = "-> " + os.readlink(path)
        elif path.is_file():
            entries[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return entries


def expected_layout(hub: Hub, names: list[str], absent: list[str]) -> dict[str, str]:
    entries = {"refs/main": hashlib.sha256(COMMIT.encode()).hexdigest()}
    for name in names:
        entries[f"blobs/{hub.etag(name)}"] = hashlib.sha256(hub.files[name]).hexdigest()
        entries[f"snapshots/{COMMIT}/{name}"] = f"-> ../../blobs/{hub.etag(name)}"
    for name in absent:
        entries[f".no_exist/{COMMIT}/{name}"] = hashlib.sha256(b"").hexdigest()
    return dict(sorted(entries.items()))


NEEDED = ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"]


def test_writes_the_layout_of_the_standard_cache_and_needs_the_hub_once(world):
    result = world.fetch()
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["revision"] == COMMIT
    assert found["weights"] == [str(world.model / "snapshots" / COMMIT / "model.safetensors")]
    absent = ["chat_template.jinja", "model.safetensors.index.json"]
    assert layout(world.model) == expected_layout(world.hub, [*NEEDED, "model.safetensors"], absent)
    size = len(world.hub.files["model.safetensors"])
    assert f"begin download model.safetensors {size} bytes" in result.stderr and f"end {size}" in result.stderr
    world.hub.requests.clear()
    again = world.fetch(HF_HUB_OFFLINE="1")
    assert (again.returncode, again.stdout) == (0, result.stdout)
    assert world.hub.requests == []


def test_sharded_weights_and_only_what_is_needed(world):
    world.hub.files = sharded()
    result = world.fetch()
    assert result.returncode == 0, result.stderr
    assert [pathlib.Path(p).name for p in json.loads(result.stdout)["weights"]] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]
    assert not [path for _, path, _ in world.hub.requests if path.endswith((".bin", ".md"))]


def test_revisions_with_slashes_and_commits(world):
    result = world.fetch(NAME, "refs/pr/1")
    assert result.returncode == 0, result.stderr
    assert "/org/model/resolve/refs%2Fpr%2F1/config.json" in world.hub.requests[0][1]
    assert (world.model / "refs" / "refs" / "pr" / "1").read_text() == COMMIT
    assert world.fetch(NAME, "refs/pr/1", HF_HUB_OFFLINE="1").returncode == 0
    assert world.fetch(NAME, COMMIT, HF_HUB_OFFLINE="1").returncode == 0
    for bad in ("../../x", "/etc/passwd", "a//../b", ""):
        assert world.fetch(NAME, bad).returncode == 2


def test_all_files_are_of_the_commit_that_the_first_one_named(world):
    assert world.fetch().returncode == 0
    revisions = [path.split("/resolve/")[1].split("/")[0] for _, path, _ in world.hub.requests]
    assert revisions == ["main"] + [COMMIT] * (len(revisions) - 1)


def test_the_token_goes_to_the_hub_only(world):
    storage = world.start(world.hub.files)
    world.hub.storage = storage.url
    result = world.fetch(HF_TOKEN=TOKEN)
    assert result.returncode == 0, result.stderr
    assert all(headers["Authorization"] == f"Bearer {TOKEN}" for _, _, headers in world.hub.requests)
    assert len(storage.requests) == 1
    assert "Authorization" not in storage.requests[0][2]
    assert TOKEN not in result.stdout + result.stderr


def test_the_token_file_is_read_unless_it_is_forbidden(world):
    (world.home / "token").write_text(TOKEN + "\n")
    assert world.fetch(HF_TOKEN_PATH=str(world.home / "token")).returncode == 0
    assert world.hub.requests[0][2]["Authorization"] == f"Bearer {TOKEN}"
    world.hub.requests.clear()
    (world.model / "refs" / "main").unlink()
    assert world.fetch(HF_TOKEN_PATH=str(world.home / "token"), HF_HUB_DISABLE_IMPLICIT_TOKEN="1").returncode == 0
    assert "Authorization" not in world.hub.requests[0][2]


# Row 27.
@pytest.mark.parametrize(
    ("fault", "code", "parts"),
    [
        (status(401), 4, ["401", "'org/model'", "HF_TOKEN"]),
        (status(401, X_Error_Code="RepoNotFound"), 4, ["does not exist, or it is private"]),
        (status(403, X_Error_Code="GatedRepo"), 4, ["403", "accept its terms"]),
        (status(404, X_Error_Code="RepoNotFound"), 3, ["no model 'org/model'"]),
        (status(404, X_Error_Code="RevisionNotFound"), 3, ["no revision 'main'"]),
        (status(404), 3, ["'org/model'", "config.json"]),
        (status(429, Retry_After="0"), 5, ["status 429", "config.json"]),
        (status(500), 5, ["status 500"]),
        (status(503, Retry_After="0"), 5, ["status 503", "HF_HUB_OFFLINE"]),
        (whole(b"<html>log in</html>", Content_Type="text/html"), 5, ["login page", "config.json"]),
        (status(302, Location="ftp://127.0.0.1/x"), 5, ["does not answer like a model hub"]),
        (status(302, Location="/loop"), 5, ["redirects more than"]),
    ],
)
def test_what_the_hub_refuses(world, fault, code, parts):
    world.hub.faults = {"HEAD config.json": [fault], "HEAD loop": [fault]}
    world.expect(code, *parts, HF_TOKEN=TOKEN)
    assert world.blobs() == set()


def test_passing_faults_are_tried_again_five_times(world):
    fault = status(503, Retry_After="0")
    world.hub.faults = {"HEAD config.json": [fault] * 5 + [hub_server.serve]}
    world.expect(0, "trying again in 0.0 s")
    world.hub.requests.clear()
    (world.model / "refs" / "main").unlink()
    world.hub.faults = {"HEAD config.json": [fault]}
    world.expect(5, "status 503")
    assert len(world.hub.requests) == 6


# Rows 27 and 28: whatever is cut off, the download continues where it was.
@pytest.mark.parametrize("tenth", range(10))
def test_a_cut_is_continued(world, tenth):
    world.hub.faults = {"GET model.safetensors": [cut(tenth / 10), hub_server.serve]}
    world.expect(0)
    ranges = [headers.get("Range") for headers in world.hub.asked("GET", "model.safetensors")]
    start = len(world.hub.files["model.safetensors"]) * tenth // 10
    assert ranges == [None, f"bytes={start}-" if start else None]


def test_many_cuts_in_a_row_are_continued(world):
    world.hub.faults = {"GET model.safetensors": [cut(0.3)] * 8 + [hub_server.serve]}
    world.expect(0)


def test_a_server_that_begins_again_is_believed(world):
    data = world.hub.files["model.safetensors"]
    world.hub.faults = {"GET model.safetensors": [cut(0.5), whole(data)]}
    world.expect(0)


def test_a_range_that_is_refused_begins_again(world):
    world.hub.faults = {"GET model.safetensors": [cut(0.5), status(416), hub_server.serve]}
    world.expect(0)
    assert [h.get("Range") is None for h in world.hub.asked("GET", "model.safetensors")] == [True, False, True]


def test_cuts_without_progress_end_as_a_network_error(world):
    world.hub.faults = {"GET model.safetensors": [cut(0.5), cut(0)]}
    world.expect(5, "model.safetensors", "org/model")
    assert world.hub.etag("model.safetensors") not in world.blobs()


def test_a_stall_is_continued(world):
    world.hub.faults = {"GET model.safetensors": [stall, hub_server.serve]}
    world.expect(0, HF_HUB_DOWNLOAD_TIMEOUT="1")


def test_a_hub_that_is_not_there(world):
    world.hub.stop()
    world.hubs.clear()
    world.expect(5, "config.json", "HF_HUB_OFFLINE")


def test_a_name_that_does_not_resolve(world):
    world.expect(5, "no-such-host.invalid", HF_ENDPOINT="https://no-such-host.invalid")


def test_speaking_https_to_a_plain_server(world):
    world.expect(5, "config.json", HF_ENDPOINT=world.hub.url.replace("http:", "https:"))


def test_http_is_for_this_machine_only(world):
    world.expect(2, "HF_ENDPOINT", HF_ENDPOINT="http://example.com")
    world.expect(2, "HF_ENDPOINT", HF_ENDPOINT="http://127.0.0.1.example.com")
    world.expect(2, "HF_ENDPOINT", HF_ENDPOINT="http://127.0.0.1:1@example.com")
    assert world.hub.requests == []


# Row 27: compressed although identity was asked for.
def test_gzip_is_not_taken_for_the_file(world):
    data = world.hub.files["model.safetensors"]
    world.hub.faults = {"GET model.safetensors": [whole(gzip.compress(data), Content_Encoding="gzip")]}
    world.expect(5, "model.safetensors", "otherwise than announced")


# Row 9.
def test_a_flipped_bit_is_noticed_put_aside_and_fetched_once_more(world):
    data = world.hub.files["model.safetensors"]
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    world.hub.faults = {"GET model.safetensors": [whole(damaged), hub_server.serve]}
    world.expect(0, "warn", "is damaged: SHA-256")
    etag = world.hub.etag("model.safetensors")
    assert (world.model / "blobs" / etag).read_bytes() == data
    assert (world.model / "blobs" / f"{etag}.corrupt").read_bytes() == damaged


def test_two_flipped_bits_are_an_error(world):
    data = world.hub.files["model.safetensors"]
    world.hub.faults = {"GET model.safetensors": [whole(data[:-1] + bytes([data[-1] ^ 1]))]}
    world.expect(6, "model.safetensors", "damaged", ".corrupt")
    assert len(world.hub.asked("GET", "model.safetensors")) == 2
    assert world.hub.etag("model.safetensors") not in world.blobs()
    assert not (world.model / "refs").exists()


# Row 29.
def test_another_size_begins_again_once(world):
    data = world.hub.files["model.safetensors"]
    world.hub.faults = {"GET model.safetensors": [whole(data + b"more"), hub_server.serve]}
    world.expect(0, "otherwise than announced")
    for blob in (world.model / "blobs").iterdir():
        blob.unlink()
    world.hub.faults = {"GET model.safetensors": [whole(data[:-5])]}
    world.expect(5, "model.safetensors", "otherwise than announced")


def test_an_etag_that_changes_meanwhile_begins_again_once(world):
    other = head(ETag='"' + "e" * 40 + '"')

    def changed(handler, data):
        handler.reply(200, handler.headers_of("config.json") | {"ETag": '"' + "e" * 40 + '"'}, data)

    world.hub.faults = {"HEAD config.json": [hub_server.serve, other], "GET config.json": [changed]}
    world.expect(0, "otherwise than announced")
    assert "e" * 40 in world.blobs()


# Row 30.
@pytest.mark.parametrize("etag", ["../../x", "..", "/etc/passwd", "A" * 40, "0" * 41, "x" * 64])
def test_an_etag_is_no_path(world, etag):
    world.hub.faults = {"HEAD config.json": [head(ETag=f'"{etag}"')]}
    before = set(world.home.rglob("*"))
    world.expect(6, "config.json", "expected hexadecimal hashes")
    assert set(world.home.rglob("*")) == before


def test_a_commit_is_no_path(world):
    world.hub.faults = {"HEAD config.json": [head(X_Repo_Commit="../../../x")]}
    world.expect(6, "'../../../x'")


@pytest.mark.parametrize("shard", ["../../.bashrc", "/etc/passwd", "a/../../b", "..", "", "a\\..\\b"])
def test_a_shard_is_no_path(world, shard):
    world.hub.files = sharded() | {"model.safetensors.index.json": json.dumps({"weight_map": {"w": shard}}).encode()}
    world.expect(6, "model.safetensors.index.json", "plain file name")
    assert not [path for _, path, _ in world.hub.requests if "bashrc" in path or "passwd" in path]


def test_a_shard_that_the_hub_lacks(world):
    world.hub.files = sharded()
    del world.hub.files["model-00002-of-00002.safetensors"]
    world.expect(6, "lacks the shard model-00002-of-00002.safetensors")
    assert not (world.model / "refs").exists()


def test_pickles_are_not_downloaded(world):
    del world.hub.files["model.safetensors"]
    world.expect(7, "no safetensors weights", "pickled")
    assert world.hub.asked("GET", "pytorch_model.bin") == []


def only_ggufs(*names: str) -> dict[str, bytes]:
    return {name: b"GGUF" + name.encode() for name in names} | {"README.md": b"# model"}


def test_the_only_gguf_file_is_taken(world):
    world.hub.files = only_ggufs("tiny-q8_0.gguf")
    result = world.fetch()
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["weights"] == [str(world.model / "snapshots" / COMMIT / "tiny-q8_0.gguf")]
    world.hub.requests.clear()
    assert world.fetch(HF_HUB_OFFLINE="1").stdout == result.stdout
    assert world.hub.requests == []


def test_of_several_gguf_files_one_is_named(world):
    world.hub.files = only_ggufs("tiny-q8_0.gguf", "tiny-f16.gguf", "sub/tiny-q4_1.gguf")
    world.expect(2, "3 GGUF files: sub/tiny-q4_1.gguf, tiny-f16.gguf, tiny-q8_0.gguf; name one, such as", "org/model:")
    assert not world.blobs()
    for name in ("tiny-q8_0.gguf", "sub/tiny-q4_1.gguf"):
        result = world.fetch(f"{NAME}:{name}")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["weights"] == [str(world.model / "snapshots" / COMMIT / name)]
        assert world.fetch(f"{NAME}:{name}", HF_HUB_OFFLINE="1").stdout == result.stdout
    offline = world.fetch(f"{NAME}:tiny-f16.gguf", HF_HUB_OFFLINE="1")
    assert offline.returncode == 3 and "tiny-f16.gguf missing" in offline.stderr


def test_a_gguf_file_that_is_not_there(world):
    world.hub.files = only_ggufs("tiny-q8_0.gguf")
    result = world.fetch(f"{NAME}:tiny.gguf")
    assert result.returncode == 3 and "1 GGUF files: tiny-q8_0.gguf" in result.stderr, result.stderr
    for bad in ("../../x.gguf", "/etc/x.gguf", "x.bin"):
        assert world.fetch(f"{NAME}:{bad}").returncode == 3


def test_names_that_leave_the_repository_are_not_listed(world):
    world.hub.files = only_ggufs("../../x.gguf", "good.gguf")
    result = world.fetch()
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["weights"][0].endswith("/good.gguf")


@pytest.mark.parametrize("answer", [b"", b"[", b"[1]", b'{"siblings": 5}', b'{"siblings": [{"rfilename": 5}, 7]}'])
def test_a_list_of_files_that_is_none(world, answer):
    world.hub.files = {"README.md": b"# model"}
    world.hub.faults = {"GET main": [whole(answer)]}
    result = world.fetch()
    assert result.returncode in (3, 6), result.stderr
    assert "org/model" in result.stderr


def test_an_adapter_is_downloaded_and_is_no_model(world):
    world.hub.files = {"adapter_config.json": b"{}", "adapter_model.safetensors": safetensors(3)}
    world.expect(2, "org/model is an adapter, not a model", "--target-adapter")
    assert (world.model / "snapshots" / COMMIT / "adapter_model.safetensors").is_file()
    del world.hub.files["adapter_model.safetensors"]
    world.hub.files["adapter_config.json"] = b"{ }"
    (world.model / "snapshots" / COMMIT / "adapter_model.safetensors").unlink()
    world.expect(7, "org/model", "adapter_model.safetensors")


# Row 31.
def test_offline_lists_what_is_missing_and_opens_no_socket(world):
    world.expect(3, "every file is missing", HF_HUB_OFFLINE="1")
    world.expect(3, "every file is missing", TRANSFORMERS_OFFLINE="yes")
    world.hub.requests.clear()
    assert world.fetch().returncode == 0
    (world.model / "snapshots" / COMMIT / "tokenizer.json").unlink()
    (world.model / "snapshots" / COMMIT / "model.safetensors").unlink()
    world.hub.requests.clear()
    world.expect(3, "tokenizer.json, model.safetensors missing", str(world.model), HF_HUB_OFFLINE="1")
    assert world.hub.requests == []
    world.expect(0)
    assert world.hub.asked("GET", "model.safetensors") == []  # its blob was still there


def test_a_moved_cache_still_works(world):
    assert world.fetch().returncode == 0
    (world.home / "hf").rename(world.home / "elsewhere")
    moved = str(world.home / "elsewhere" / "hub")
    result = world.fetch(HF_HUB_CACHE=moved, HF_HUB_OFFLINE="1")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["weights"][0].startswith(moved)


# Row 32: nothing is locked, so locks that do nothing make no difference.
def test_two_processes_download_the_same_model(world):
    command = [PROGRAM, NAME]
    running = [
        subprocess.Popen(command, env=world.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in running:
        _, errors = process.communicate(timeout=50)
        assert process.returncode == 0, errors
    absent = ["chat_template.jinja", "model.safetensors.index.json"]
    assert layout(world.model) == expected_layout(world.hub, [*NEEDED, "model.safetensors"], absent)


# Row 33.
def test_locks_that_somebody_left_are_no_matter(world):
    locks = world.home / "hf" / "hub" / ".locks" / "models--org--model"
    locks.mkdir(parents=True)
    (locks / (world.hub.etag("model.safetensors") + ".lock")).write_text("")
    world.expect(0)


def test_a_cache_that_cannot_be_written(world):
    assert world.fetch().returncode == 0
    everything = [world.home / "hf", *(world.home / "hf").rglob("*")]
    for path in everything:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        world.expect(0)
    finally:
        for path in everything:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IWUSR)
    world.expect(10, "/proc/none", HF_HUB_CACHE="/proc/none")


# Row 34: the disk is full in the middle of a blob.
def test_a_full_disk_leaves_nothing_behind(world):
    limited = ["prlimit", "--fsize=2000", PROGRAM, NAME]
    result = subprocess.run(limited, env=world.environment, capture_output=True, text=True, timeout=50, check=False)
    assert result.returncode == 10, (result.returncode, result.stderr)
    assert world.hub.etag("model.safetensors") in result.stderr
    assert world.hub.etag("model.safetensors") not in world.blobs()
    assert not [blob for blob in world.blobs() if blob.endswith(".incomplete")]
    world.expect(0)
