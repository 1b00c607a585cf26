"""Texts of the user's own beside the prompts' answers: in the rows, in the manifest, and refused where they are no texts."""

import hashlib
import json

import pyarrow
import pyarrow.parquet
import pytest

SMALL = ["--layers", "3", "--tokens", "1500", "--num-latents", "64", "--k", "4"]
SENTENCES = [f"The {i}th ship left the harbour before the storm of that year." for i in range(60)]
CHATS = [[{"role": "user", "content": f"Ship {i}?"}, {"role": "assistant", "content": "It left."}] for i in range(60)]


def write_table(path, column, values, **options):
    pyarrow.parquet.write_table(pyarrow.table({column: values, "other": list(range(len(values)))}), path, **options)


def manifest_of(run):
    return json.loads((run / "activations/manifest.json").read_text())


def categories_of(run, layer=3):
    store = json.loads((run / f"activations/rows/layer_{layer:02}/store.json").read_text())
    return store["text_categories"]


@pytest.fixture(params=["jsonl", "txt", "parquet", "chats.jsonl", "chats.parquet"])
def texts(request, tmp_path):
    path = tmp_path / f"texts.{request.param}"
    name, values = ("messages", CHATS) if "chats" in request.param else ("text", SENTENCES)
    if path.suffix == ".parquet":
        write_table(path, name, values)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({name: value}) + "\n" for value in values))
    else:
        path.write_text("\n\n".join(values))
    return path


def test_half_of_the_rows_are_of_the_texts(compare, texts, tmp_path):
    result = compare(*SMALL, "--texts", texts)
    assert result.returncode == 0, result.stderr
    categories = categories_of(tmp_path / "run")
    assert {"own_texts", "sums", "fruit"} == set(categories)
    recorded = manifest_of(tmp_path / "run")["texts"]
    assert recorded["file"] == str(texts) and recorded["num_texts"] == 60
    assert recorded["sha256"] == hashlib.sha256(texts.read_bytes()).hexdigest()
    report = json.loads((tmp_path / "run/reports/report.json").read_text())
    latents = [feature for feature in report["features"] if feature["engine"] == "crosscoder"]
    assert "own_texts" in {use["category"] for feature in latents for use in feature["categories"]}


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("kind", [pyarrow.string(), pyarrow.large_string()])
def test_parquet_of_every_usual_compression_is_read(program, models, tmp_path, codec, kind):
    write_table(tmp_path / "a.parquet", "body", pyarrow.array(SENTENCES, kind), compression=codec, row_group_size=7)
    words = ["--texts", "a.parquet", "--text-column", "body", "--tokens", "400", "--layers", "2", "--output-dir", "run"]
    words += ["--prompts", models.prompts, "--budget", "quick", "--max-new-tokens", "2"]
    result = program("capture", models.base, models.target, *words)
    assert result.returncode == 0, result.stderr
    assert manifest_of(tmp_path / "run")["texts"]["column"] == "body"
    assert "own_texts" in categories_of(tmp_path / "run", 2)


def test_the_same_texts_give_the_same_rows_and_a_resumed_run_knows_others(compare, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(SENTENCES))
    assert compare(*SMALL, "--texts", path).returncode == 0
    shards = sorted((tmp_path / "run/activations/rows/layer_03").iterdir())
    rows = {shard.name: shard.read_bytes() for shard in shards}
    path.write_text("\n".join(reversed(SENTENCES)))
    assert compare(*SMALL, "--texts", path, "--resume").returncode == 0
    assert rows != {shard.name: shard.read_bytes() for shard in shards}
    path.write_text("\n".join(SENTENCES))
    assert compare(*SMALL, "--texts", path, "--resume").returncode == 0
    assert rows == {shard.name: shard.read_bytes() for shard in shards}


@pytest.mark.parametrize(
    ("name", "text", "words", "code", "parts"),
    [
        ("a.jsonl", '{"text": "x"}\n{"text": ', [], 6, ["line 2 of", "a.jsonl"]),
        ("a.jsonl", '{"body": "x"}\n', [], 6, ["line 1 of", "has no 'text', only body", "--text-column"]),
        ("a.jsonl", '{"text": 3}\n', [], 6, ["line 1 of", "is number"]),
        ("a.parquet", "PAR1", [], 6, ["a.parquet"]),
        ("a.txt", "", [], 6, ["a.txt", "holds no text"]),
        ("gone.txt", None, [], 3, ["gone.txt is not a file"]),
        ("a.txt", "x", ["--tokens", "0"], 2, ["--tokens 0"]),
    ],
)
def test_what_is_no_text_is_refused_with_its_place_before_any_model_runs(
    compare, tmp_path, name, text, words, code, parts
):
    if text is not None:
        (tmp_path / name).write_text(text)
    result = compare("--texts", name, *words)
    assert result.returncode == code, result.stderr
    assert all(part in result.stderr for part in parts), result.stderr
    assert result.stderr.count("[texts]") + result.stderr.count("[options]") == 1
    assert not (tmp_path / "run/activations/in_progress/answers.jsonl").exists()
    assert compare("--texts", name, *words, "--dry-run").returncode == code


def test_options_that_need_the_texts_or_cannot_have_them_are_refused(program, compare, tmp_path):
    assert "--text-column" in compare("--text-column", "body").stderr
    (tmp_path / "pairs.jsonl").write_text("{}")
    assert "leave out --texts" in program("compare", "--outputs", "pairs.jsonl", "--texts", "a.txt").stderr
