"""The command line as text. A case is: the command after `$`, `----`, the exit code, the lines it prints. `...` stands for anything
within a line; a line of `...` for any lines. {base}, {target}, {prompts}, {folder} are the test's files."""

import os
import pathlib
import re
import shlex

import pytest

CASES = pathlib.Path(__file__).parent / "cases"


def read_cases():
    for path in sorted(CASES.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("\n$ ")[1:]:
            command, expected = block.split("\n----\n")
            code, *lines = expected.strip("\n").split("\n")
            yield pytest.param(command, int(code.removeprefix("exit ")), lines, id=f"{path.stem}: {command[:60]}")


def pattern_of(lines):
    parts = ["(?:.*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + "\n" for line in lines]
    return "".join(parts)


@pytest.fixture(scope="module")
def files(models, tmp_path_factory):
    """Broken inputs, each with one fault."""
    folder = tmp_path_factory.mktemp("cli")
    broken = {
        "no_json.json": '{"sums": ["1 + 1?"',
        "wrong_value.json": '{"sums": "1 + 1?"}',
        "empty_category.json": '{"sums": []}',
        "twice.json": '{"sums": ["1?", "1?"]}',
        "no_analysis.json": '{"layers": 3}',
        "unknown_concept_key.json": '{"concepts": [], "concept": 1}',
        "a_file": "",
    }
    for name, text in broken.items():
        (folder / name).write_text(text)
    weights = (models.base / "model.safetensors").read_bytes()
    for name, config, data in (
        ("truncated", (models.base / "config.json").read_text(), weights[:-100]),
        ("unsupported", '{"model_type": "mamba"}', weights),
        ("broken_config", "{", weights),
    ):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(config)
        (folder / name / "model.safetensors").write_bytes(data)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            os.symlink(models.base / file, folder / name / file)
    return {"folder": folder, "base": models.base, "target": models.target, "prompts": models.prompts}


@pytest.mark.parametrize(("command", "code", "lines"), list(read_cases()))
def test_case(command, code, lines, program, files):
    words = shlex.split(command.format(**files))
    assert words[0] == "feature-interpreter"
    result = program(*words[1:])
    printed = (result.stdout + result.stderr).replace(str(files["folder"]), "{folder}")
    assert re.fullmatch(pattern_of(lines), printed), printed
    assert result.returncode == code
