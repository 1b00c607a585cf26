"""What README.md and docs/ show is what works: commands and Python run on tiny models, C++ is part of a compiled test."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from built import BUILD, ROOT

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
DOCS = sorted((ROOT / "docs").glob("*.md"))
HAS_CUDA = os.path.exists("/dev/nvidia0")


def blocks(path: pathlib.Path) -> list[tuple[str, str]]:
    return FENCE.findall(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reader(models, environment, tmp_path_factory):
    """Runs a snippet as a reader would who has models under the names that the documentation uses."""

    def run(text: str, language: str, folder: pathlib.Path) -> None:
        if not HAS_CUDA:
            text = text.replace('"cuda"', '"cpu"')
        command = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else [sys.executable, "-c", text]
        path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), str(BUILD), os.environ["PATH"]])
        result = subprocess.run(
            command, cwd=folder, env=environment | {"PATH": path}, capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 0, f"{text}\n{result.stdout}\n{result.stderr}"

    return run


@pytest.fixture
def folder(models, tmp_path):
    names = {"BASE": models.base, "TARGET": models.target, "A": models.base, "B": models.target, "MODEL": models.base}
    names |= {"ADAPTER_FOLDER": models.adapter, "build": BUILD, "prompts.json": models.prompts}
    names["pairs.jsonl"] = ROOT / "tests/data/outputs/ten_pairs.jsonl"
    for name, path in names.items():
        (tmp_path / name).symlink_to(path)
    return tmp_path


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_commands_and_python_of_a_page_run_in_order(path, reader, folder):
    for language, text in blocks(path):
        if language in ("bash", "python"):
            reader(text, language, folder)


def test_commands_of_the_readme_run(reader, folder):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (build/feature-interpreter .*|python .*)$", text, re.M)
    assert commands
    for command in commands:
        reader(command, "bash", folder)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^    make (\w+)", text, re.M):
        assert f"\n{target}:" in makefile


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_cpp_of_a_page_is_compiled_and_tested(path):
    compiled = "\n".join(source.read_text(encoding="utf-8") for source in (ROOT / "tests/docs").glob("*.cpp"))
    for language, text in blocks(path):
        if language == "cpp":
            assert text in compiled


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCS], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)", prose):
        assert (path.parent / target).exists(), target
